package disk

import (
	"errors"

	"github.com/tocsin-noc/tocsin/journal"
)

// OpenReadOnly opens the log in dir for reading, as far as it is durable now. It takes no lock, repairs nothing and may run
// beside the process that writes; every attempt to write gets ErrClosed. ErrUnknown means that there is no log.
func OpenReadOnly(dir string, o Options) (*Log, error) {
	l := &Log{dir: dir, o: o.withDefaults()}
	segments, err := load(l.o, dir)
	if err != nil {
		return nil, err
	}
	if len(segments) == 0 {
		return nil, journal.ErrUnknown
	}
	if err := l.findEnd(segments[len(segments)-1]); err != nil {
		return nil, err
	}
	l.publish(segments)
	return l, nil
}

// findEnd looks for the last whole frame of a segment.
func (l *Log) findEnd(seg *segment) error {
	file, err := l.o.FS.Open(seg.path)
	if err != nil {
		return readError(err)
	}
	s, h, err := newScanner(file, seg.path)
	if err != nil {
		return errors.Join(err, file.Close())
	}
	link, err := scanCommits(s, h, seg.size.Load())
	if err != nil {
		return errors.Join(err, file.Close())
	}
	seg.size.Store(s.off)
	l.progress.advance(journal.Head{Seq: s.seq, Link: link}, s.at)
	return file.Close()
}
