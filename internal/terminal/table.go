package terminal

import (
	"io"
	"strings"
)

// gap stands between two columns.
const gap = "  "

// Cell is one field of a table.
type Cell struct {
	Text  string // of any sender: the table cleans it
	Style Style
}

// Text returns a plain cell.
func Text(s string) Cell { return Cell{Text: s} }

// Table is rows under a heading, its columns aligned. The last column is the one that is cut when the terminal is too narrow.
type Table struct {
	heading []string
	rows    [][]Cell
}

// NewTable returns an empty table. Headings that are all empty print no heading line.
func NewTable(heading ...string) *Table { return &Table{heading: heading} }

// Add appends a row of as many cells as there are headings; an empty field is shown as "-".
func (t *Table) Add(cells ...Cell) {
	for i := range cells {
		cells[i].Text = strings.TrimSpace(Clean(cells[i].Text))
		if cells[i].Text == "" {
			cells[i] = Cell{Text: "-", Style: Dim}
		}
	}
	t.rows = append(t.rows, cells)
}

// Write prints the table, each line with indent in front. columns is the terminal's width, 0 when there is no bound.
func (t *Table) Write(w io.Writer, indent string, columns int, colour bool) error {
	widths := t.widths()
	if last := len(widths) - 1; columns > 0 {
		left := columns - len(indent) - last*len(gap)
		for _, w := range widths[:last] {
			left -= w
		}
		widths[last] = max(left, min(widths[last], 12)) // rather wrapped than unreadable
	}
	var b strings.Builder
	if strings.Join(t.heading, "") != "" {
		heading := make([]Cell, len(t.heading))
		for i, h := range t.heading {
			heading[i] = Cell{h, Dim}
		}
		writeRow(&b, indent, heading, widths, colour)
	}
	for _, row := range t.rows {
		writeRow(&b, indent, row, widths, colour)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (t *Table) widths() []int {
	widths := make([]int, len(t.heading))
	for i, h := range t.heading {
		widths[i] = Width(h)
	}
	for _, row := range t.rows {
		for i, c := range row {
			widths[i] = max(widths[i], Width(c.Text))
		}
	}
	return widths
}

// writeRow pads before it paints: escape sequences take no room.
func writeRow(b *strings.Builder, indent string, row []Cell, widths []int, colour bool) {
	b.WriteString(indent)
	for i, c := range row {
		text := Truncate(c.Text, widths[i])
		if i < len(row)-1 {
			padding := pad(text, widths[i])[len(text):]
			b.WriteString(c.Style.Paint(text, colour) + padding + gap)
			continue
		}
		b.WriteString(c.Style.Paint(text, colour) + "\n")
	}
}
