package main

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
	barAfter = time.Second            // what is shorter needs none
	barEvery = 100 * time.Millisecond // between two drawings
)

// bar shows on a terminal how far something is; it takes its line away again.
type bar struct {
	w     io.Writer // nil: nobody watches
	began time.Time
	drawn time.Time
}

func newBar(p *printer) *bar {
	b := &bar{began: time.Now()}
	if f, ok := p.err.(*os.File); ok {
		if _, ok := terminal.Columns(f); ok {
			b.w = f
		}
	}
	return b
}

func (b *bar) show(what string, done, of int) {
	now := time.Now()
	if b.w == nil || of <= 0 || now.Sub(b.began) < barAfter || now.Sub(b.drawn) < barEvery {
		return
	}
	b.drawn = now
	full := min(barWidth*done/of, barWidth)
	fmt.Fprintf(b.w, "\r\x1b[K%s [%s%s] %d %%", terminal.Clean(what), strings.Repeat("=", full), strings.Repeat(" ", barWidth-full), min(100*done/of, 100))
}

// clear leaves the line empty.
func (b *bar) clear() {
	if b.w != nil && !b.drawn.IsZero() {
		fmt.Fprint(b.w, "\r\x1b[K")
	}
}
