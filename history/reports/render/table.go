package render

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/tocsin-noc/tocsin/history/reports"
	"github.com/tocsin-noc/tocsin/internal/terminal"
)

// TableOptions say what the table is written on.
type TableOptions struct {
	Width  int // of the terminal; 0: there is no bound
	Colour bool
}

// grid is text in columns.
type grid struct {
	heading []string
	right   []bool // numbers stand at the right
	rows    [][]string
	strong  []bool // rows about the whole period
}

// Table writes a result for people: numbers in their units, each with its interval, and trends as a line of blocks. Where the terminal
// is too narrow the intervals are left out, then the columns at the right; it says so.
func Table(w io.Writer, r *reports.Result, o TableOptions) error {
	g := compose(r, true)
	note := ""
	if o.Width > 0 && g.width() > o.Width {
		if g = compose(r, false); g.width() > o.Width {
			note = g.cut(o.Width)
		} else {
			note = "without intervals: the terminal is too narrow for them"
		}
	}
	var b strings.Builder
	g.write(&b, o.Colour)
	trends(&b, r, o)
	if r.List && r.Total > uint64(len(r.Table.Rows)) {
		fmt.Fprintf(&b, "\n%s of %s rows\n", grouped(fmt.Sprint(len(r.Table.Rows))), grouped(fmt.Sprint(r.Total)))
	}
	if note != "" {
		b.WriteString("\n" + terminal.Dim.Paint(note, o.Colour) + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// compose makes text of a result; intervals stand behind their figures.
func compose(r *reports.Result, intervals bool) *grid {
	g := &grid{}
	loc := location(r)
	var shown []int
	for i, c := range r.Columns {
		if isEnd(r.Columns, c.Name) {
			continue
		}
		shown = append(shown, i)
		g.heading = append(g.heading, strings.ToUpper(strings.ReplaceAll(c.Name, "_", " ")))
		g.right = append(g.right, c.Unit != reports.Text && c.Unit != reports.Bucket && c.Unit != reports.Time)
	}
	whole := index(r.Columns, "bucket")
	for _, row := range r.Table.Rows {
		var cells []string
		for _, i := range shown {
			text := terminal.Clean(Cell(row[i], r.Columns[i], loc))
			if intervals {
				text += interval(r.Columns, row, i, loc)
			}
			cells = append(cells, text)
		}
		g.rows = append(g.rows, cells)
		g.strong = append(g.strong, whole >= 0 && row[whole] == nil)
	}
	return g
}

// interval returns what stands behind a figure, as in " [31.0 %–44.2 %]".
func interval(columns []reports.Column, row []any, i int, loc *time.Location) string {
	lo, hi := Interval(columns[i].Name)
	l, h := index(columns, lo), index(columns, hi)
	if l < 0 || h < 0 || row[l] == nil || row[h] == nil {
		return ""
	}
	return " [" + strings.TrimSuffix(Cell(row[l], columns[l], loc), " %") + "–" + Cell(row[h], columns[h], loc) + "]"
}

func (g *grid) widths() []int {
	widths := make([]int, len(g.heading))
	for i, h := range g.heading {
		widths[i] = terminal.Width(h)
	}
	for _, row := range g.rows {
		for i, text := range row {
			widths[i] = max(widths[i], min(terminal.Width(text), maxCell))
		}
	}
	return widths
}

const maxCell = 60 // columns of a terminal that one text takes at most

func (g *grid) width() int {
	sum := 0
	for _, w := range g.widths() {
		sum += w + 2
	}
	return max(sum-2, 0)
}

// cut drops columns at the right until the table fits, and says so.
func (g *grid) cut(width int) string {
	all := len(g.heading)
	for len(g.heading) > 1 && g.width() > width {
		last := len(g.heading) - 1
		g.heading, g.right = g.heading[:last], g.right[:last]
		for i := range g.rows {
			g.rows[i] = g.rows[i][:last]
		}
	}
	return fmt.Sprintf("%d of %d columns: the terminal is too narrow; --format csv has all", len(g.heading), all)
}

func (g *grid) write(b *strings.Builder, colour bool) {
	widths := g.widths()
	line := func(cells []string, style terminal.Style) {
		var out strings.Builder
		for i, text := range cells {
			text = terminal.Truncate(text, widths[i])
			room := strings.Repeat(" ", max(0, widths[i]-terminal.Width(text)))
			if i > 0 {
				out.WriteString("  ")
			}
			if g.right[i] {
				out.WriteString(room + text)
			} else {
				out.WriteString(text + room)
			}
		}
		b.WriteString(style.Paint(strings.TrimRight(out.String(), " "), colour) + "\n")
	}
	line(g.heading, terminal.Dim)
	for i, row := range g.rows {
		style := terminal.Plain
		if g.strong[i] {
			style = terminal.Bold
		}
		line(row, style)
	}
}

// trends writes what the report's lines draw, as blocks.
func trends(b *strings.Builder, r *reports.Result, o TableOptions) {
	if r.List {
		return
	}
	var rows [][3]string
	for _, c := range r.Report.Charts {
		if c.Kind != reports.Line {
			continue
		}
		for _, s := range series(r, c) {
			if line, low, high, ok := blocks(s.values); ok {
				rows = append(rows, [3]string{s.name, line, figure(low, s.unit) + " to " + figure(high, s.unit)})
			}
		}
	}
	if len(rows) == 0 {
		return
	}
	name, span := 0, 0
	for _, row := range rows {
		name, span = max(name, terminal.Width(row[0])), max(span, terminal.Width(row[2]))
	}
	b.WriteString("\n")
	for _, row := range rows {
		line := []rune(row[1])
		if room := o.Width - name - span - 4; o.Width > 0 && len(line) > room {
			line = line[len(line)-max(room, 1):] // the newest
		}
		fmt.Fprintf(b, "%s%s  %s  %s\n", row[0], strings.Repeat(" ", name-terminal.Width(row[0])), string(line), terminal.Dim.Paint(row[2], o.Colour))
	}
}

// blocks draws values as ▁▂▃▄▅▆▇█ from the smallest to the greatest; a gap where there is none.
func blocks(values []*float64) (line string, low, high float64, ok bool) {
	for _, v := range values {
		switch {
		case v == nil:
		case !ok:
			low, high, ok = *v, *v, true
		default:
			low, high = min(low, *v), max(high, *v)
		}
	}
	steps := []rune("▁▂▃▄▅▆▇█")
	var out []rune
	for _, v := range values {
		switch {
		case v == nil:
			out = append(out, ' ')
		case high == low:
			out = append(out, steps[3])
		default:
			out = append(out, steps[int((*v-low)/(high-low)*float64(len(steps)-1)+0.5)])
		}
	}
	return string(out), low, high, ok
}
