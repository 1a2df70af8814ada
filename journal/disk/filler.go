package disk

// filler is the goroutine that writes zeros ahead of the writer.
type filler struct {
	wake chan *tail // holds the tail to fill; capacity 1
	done chan struct{}
}

func (l *Log) startFiller() {
	l.filler = &filler{wake: make(chan *tail, 1), done: make(chan struct{})}
	go func() {
		defer close(l.filler.done)
		for t := range l.filler.wake {
			l.fill(t)
		}
	}()
}

// fill writes all zeros that are due.
func (l *Log) fill(t *tail) {
	for more := true; more; {
		var err error
		if more, err = t.fill(l.o.Ahead, l.o.SegmentBytes); err != nil {
			// The kernel tells of a failed sync once: the writer's own
			// may come back clean although its pages are gone.
			_ = l.fail(err) // the log keeps it
		}
	}
}

// refillLocked sees to it that zeros are written if they are due.
func (l *Log) refillLocked() {
	if l.o.Ahead < 0 || l.tail.due(l.o.Ahead, l.o.SegmentBytes) == 0 {
		return
	}
	if l.filler == nil {
		l.fill(l.tail)
		return
	}
	select {
	case l.filler.wake <- l.tail:
	default: // it is at work, and will be asked again by the next commit
	}
}

func (f *filler) stop() {
	close(f.wake)
	<-f.done
}
