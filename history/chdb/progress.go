package chdb

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/tocsin-noc/tocsin/internal/terminal"
)

const (
	barWidth = 30
	barEvery = 100 * time.Millisecond
	lineStep = 10 // per cent between two lines where nobody watches a terminal
)

// progress tells how far something is: a bar on a terminal, a line now and then elsewhere.
type progress struct {
	w        io.Writer
	terminal bool
	what     string
	total    int64 // 0: not known
	done     int64
	from     int64 // done before it began
	began    time.Time
	drawn    time.Time
	told     int64 // per cent of the last line
}

func newProgress(w io.Writer, what string, total, done int64) *progress {
	p := &progress{w: w, what: what, total: total, done: done, from: done, began: time.Now(), told: -lineStep}
	if f, ok := w.(*os.File); ok {
		_, p.terminal = terminal.Columns(f)
	}
	return p
}

// Write counts bytes.
func (p *progress) Write(b []byte) (int, error) {
	p.done += int64(len(b))
	p.show(time.Now())
	return len(b), nil
}

func (p *progress) percent() int64 {
	if p.total <= 0 {
		return 0
	}
	return min(100*p.done/p.total, 100)
}

func (p *progress) show(now time.Time) {
	switch {
	case p.terminal && now.Sub(p.drawn) >= barEvery:
		p.drawn = now
		full := int(barWidth * p.percent() / 100)
		fmt.Fprintf(p.w, "\r\x1b[K%s [%s%s] %d %%  %s", p.what, strings.Repeat("=", full), strings.Repeat(" ", barWidth-full), p.percent(), p.rate(now))
	case !p.terminal && p.total > 0 && p.percent() >= p.told+lineStep:
		p.told = p.percent() - p.percent()%lineStep
		fmt.Fprintf(p.w, "%s: %d %% of %s\n", p.what, p.told, megabytes(p.total))
	}
}

// rate says how fast it goes and how long it takes yet.
func (p *progress) rate(now time.Time) string {
	elapsed := now.Sub(p.began)
	if elapsed < time.Second || p.done == p.from {
		return megabytes(p.done)
	}
	perSecond := int64(float64(p.done-p.from) / elapsed.Seconds())
	text := megabytes(perSecond) + "/s"
	if left := p.total - p.done; left > 0 && perSecond > 0 {
		text += ", " + (time.Duration(left/perSecond+1) * time.Second).String() + " left"
	}
	return text
}

// end leaves the line empty.
func (p *progress) end() {
	if p.terminal && !p.drawn.IsZero() {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }
