package render

import (
	_ "embed"
	"html/template"
	"io"
	"strings"

	"github.com/tocsin-noc/tocsin/history/reports"
	"github.com/tocsin-noc/tocsin/internal/terminal"
)

//go:embed style.css
var style string

//go:embed page.html
var page string

// Style is the style sheet of pages with Grid and SVG in them: light and dark by what the reader prefers, and fit for paper.
func Style() template.CSS { return template.CSS(style) } //nolint:gosec // our own file

// HTML writes a page with a report's charts, its table, its definition, the list behind its numbers and its SQL. It needs no script and
// nothing besides itself. items may be nil.
func HTML(w io.Writer, r, items *reports.Result) error {
	script, err := r.Params.Script(r.SQL)
	if err != nil {
		return err
	}
	data := map[string]any{
		"Report": r.Report, "Span": Span(r), "Filters": Filters(r.Params), "Style": Style(), "Table": Grid(r, 0), "Script": script, "Rows": len(r.Table.Rows),
		"Definition": Definition(r.Report),
	}
	if !r.List {
		var charts []template.HTML
		for _, c := range r.Report.Charts {
			charts = append(charts, SVG(r, c))
		}
		data["Charts"] = charts
	}
	if items != nil {
		data["Items"], data["ItemRows"], data["Total"] = Grid(items, shownItems), min(len(items.Table.Rows), shownItems), figure(float64(items.Total), reports.Count)
	}
	return template.Must(template.New("").Parse(page)).Execute(w, data)
}

const shownItems = 200 // rows of the list that a page holds

// Definition returns what stands beside a report's numbers, by heading.
func Definition(r *reports.Report) [][2]string {
	return [][2]string{{"Anchor", r.Anchor}, {"Population", r.Population}, {"Formula", r.Formula}, {"Time zone", r.Zone}}
}

type htmlTable struct {
	Heading []htmlHead
	Rows    []htmlRow
}

type htmlHead struct {
	Text, Meaning string
	Number        bool
}

type htmlRow struct {
	Whole bool
	Cells []htmlCell
}

type htmlCell struct {
	Text, Interval string
	Class          string // number, text, or still: what is not broken into lines
}

//go:embed grid.html
var gridHTML string

// Grid returns a result as an HTML table, intervals behind their figures; at most so many rows, 0 for all.
func Grid(r *reports.Result, most int) template.HTML {
	t := htmlTable{}
	loc := location(r)
	var shown []int
	for i, c := range r.Columns {
		if isEnd(r.Columns, c.Name) {
			continue
		}
		shown = append(shown, i)
		t.Heading = append(t.Heading, htmlHead{Text: strings.ReplaceAll(c.Name, "_", " "), Meaning: c.Meaning, Number: numeric(c.Unit)})
	}
	whole := index(r.Columns, "bucket")
	for n, row := range r.Table.Rows {
		if most > 0 && n == most {
			break
		}
		out := htmlRow{Whole: whole >= 0 && row[whole] == nil}
		for _, i := range shown {
			out.Cells = append(out.Cells, htmlCell{
				Text: terminal.Clean(Cell(row[i], r.Columns[i], loc)), Interval: strings.TrimSpace(interval(r.Columns, row, i, loc)), Class: class(r.Columns[i].Unit),
			})
		}
		t.Rows = append(t.Rows, out)
	}
	var b strings.Builder
	if err := template.Must(template.New("").Parse(gridHTML)).Execute(&b, t); err != nil {
		return template.HTML(template.HTMLEscapeString("no table: " + err.Error())) //nolint:gosec // escaped here
	}
	return template.HTML(b.String()) //nolint:gosec // html/template made it
}

func numeric(u reports.Unit) bool {
	return u == reports.Count || u == reports.Number || u == reports.Ratio || u == reports.Seconds
}

func class(u reports.Unit) string {
	switch {
	case numeric(u):
		return "number"
	case u == reports.Text:
		return "text"
	}
	return "still"
}
