package disk

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"github.com/tocsin-noc/tocsin/journal"
)

// Redaction names a record whose payload was replaced.
type Redaction struct {
	Seq    uint64
	Reason string
}

// Report says what Verify read. First is the lowest sequence number that may
// be read, Last that of the last committed record.
type Report struct {
	Segments, Commits, Records int
	Bytes                      int64 // of headers and committed frames
	First, Last                uint64
	Head                       journal.Head
	Redactions                 []Redaction
	Unfinished                 int64 // bytes after the last commit: under way, or torn and not yet repaired
}

// Verify reads the whole log in dir and checks every checksum and every link
// of the hash chain. With a head kept elsewhere in since (zero: none) it also
// proves that the log up to it is the one that head was taken from. It changes
// nothing, takes no lock, and may run while the log is written. The first
// place that differs comes as a journal.CorruptError, together with the report
// up to there; ErrTruncated means since is older than the log.
func Verify(dir string, o Options, since journal.Head) (Report, error) {
	o = o.withDefaults()
	list, err := load(o, dir)
	if err != nil || len(list) == 0 {
		return Report{}, err
	}
	v := verifier{since: since, o: o}
	v.report.First = list[0].base
	v.report.Head = journal.Head{Seq: list[0].base - 1, Link: list[0].link}
	if since != (journal.Head{}) && since.Seq < v.report.Head.Seq {
		return v.report, fmt.Errorf("%w: head %d, oldest is %d", journal.ErrTruncated, since.Seq, list[0].base)
	}
	err = v.log(list)
	v.report.Last = v.report.Head.Seq
	return v.report, err
}

type verifier struct {
	o      Options
	since  journal.Head
	proven bool // the chain passed since
	report Report
	chain  chain
}

func (v *verifier) log(list []*segment) error {
	if err := v.pass(list[0].path, 0); err != nil {
		return err
	}
	for i, seg := range list {
		if seg.base != v.report.Head.Seq+1 || seg.link != v.report.Head.Link {
			return corrupt(seg.path, 0, fmt.Sprintf("segment does not follow from record %d before it", v.report.Head.Seq))
		}
		if err := v.segment(seg, i == len(list)-1); err != nil {
			return err
		}
		v.report.Segments++
	}
	if v.since != (journal.Head{}) && !v.proven {
		last := list[len(list)-1]
		return corrupt(last.path, last.size.Load(), fmt.Sprintf("the log ends at record %d, before the given head", v.report.Head.Seq))
	}
	return nil
}

// pass compares the chain with since when it gets there.
func (v *verifier) pass(path string, off int64) error {
	if v.proven || v.since == (journal.Head{}) || v.report.Head.Seq < v.since.Seq {
		return nil
	}
	if v.report.Head != v.since {
		return corrupt(path, off, fmt.Sprintf("the chain at record %d differs from the given head at %d", v.report.Head.Seq, v.since.Seq))
	}
	v.proven = true
	return nil
}

func (v *verifier) segment(seg *segment, last bool) error {
	file, err := v.o.FS.Open(seg.path)
	if err != nil {
		return readError(err)
	}
	defer file.Close()
	s, _, err := newScanner(file, seg.path)
	if err != nil {
		return err
	}
	v.report.Bytes += headerSize
	v.chain.start(v.report.Head.Link)
	for {
		begin := s.pending
		f, err := s.next(seg.size.Load())
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, errBadFrame):
			return v.rest(s, seg, last)
		case err != nil:
			return err
		}
		if err := v.frame(f, seg, begin); err != nil {
			return err
		}
	}
}

func (v *verifier) frame(f frame, seg *segment, begin int64) error {
	if f.kind != kindCommit {
		v.chain.add(f.seq, f.at, f.digest())
		if f.kind == kindRedacted {
			reason, _ := f.redaction()
			v.report.Redactions = append(v.report.Redactions, Redaction{f.seq, reason})
		}
		return nil
	}
	c := decodeCommit(f.payload)
	if c.link != v.chain.link() {
		return corrupt(seg.path, begin, fmt.Sprintf("the commit that ends with record %d does not match its link", f.seq))
	}
	v.report.Commits++
	v.report.Records += int(c.count)
	v.report.Bytes += f.end() - begin
	v.report.Head = journal.Head{Seq: f.seq, Link: [sha256.Size]byte(c.link)}
	v.chain.start(c.link)
	return v.pass(seg.path, f.off)
}

// rest judges what stands after the last right frame of a segment.
func (v *verifier) rest(s *scanner, seg *segment, last bool) error {
	rest, used, err := readRest(s.file, s.off, seg.size.Load())
	if err != nil {
		return err
	}
	if last {
		v.report.Unfinished = s.off - s.pending + int64(used)
		return judge(s, rest, used, seg.path)
	}
	if s.count > 0 || used > 0 {
		return corrupt(seg.path, s.off, "bad frame in the middle of the log")
	}
	return nil
}
