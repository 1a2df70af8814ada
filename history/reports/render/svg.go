package render

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/tocsin-noc/tocsin/history/reports"
	"github.com/tocsin-noc/tocsin/internal/terminal"
)

//go:embed svg.html
var pictures string

// The room of a picture, in its own units.
const (
	wide    = 720.0
	tall    = 220.0
	left    = 62.0
	right   = 12.0
	top     = 12.0
	bottom  = 26.0
	barRoom = 22.0
	maxBars = 20
)

// SVG returns one picture of a result: text that stands in a page as it is, with classes that Style colours. A picture of nothing says so.
func SVG(r *reports.Result, c reports.Chart) template.HTML {
	switch c.Kind {
	case reports.Line:
		return draw("line", lines(r, c))
	case reports.Bars:
		return draw("bars", bars(r, c))
	case reports.Heat:
		return draw("heat", heat(r, c))
	}
	return ""
}

// draw executes one of the templates. They are constant, and what they are given has all they name.
func draw(name string, data any) template.HTML {
	var out bytes.Buffer
	if err := template.Must(template.New("").Parse(pictures)).ExecuteTemplate(&out, name, data); err != nil {
		return template.HTML(template.HTMLEscapeString("no picture: " + err.Error())) //nolint:gosec // escaped here
	}
	return template.HTML(out.String()) //nolint:gosec // html/template made it
}

type mark struct {
	X, Y  float64
	Text  string
	Class string
}

type lineChart struct {
	Wide, Tall, Left, Right, Bottom float64
	About                           string // for those who cannot see it
	Rows, Columns                   []mark // of the axes
	Lines                           []lineShape
}

type lineShape struct {
	Name   string
	Number int
	Last   string
	Path   string   // of what is joined
	Bands  []string // polygons of the interval
	Points []mark
}

// lines lays a line chart out. Buckets without a value are gaps, and no line leads over them.
func lines(r *reports.Result, c reports.Chart) *lineChart {
	all := series(r, c)
	var starts []time.Time
	most := 0.0
	unit := reports.Number
	for _, t := range all {
		unit = t.unit
		starts = append(starts, t.buckets...)
		for i := range t.values {
			most = max(most, value(t.values[i]))
			if len(all) == 1 && len(t.hi) > 0 {
				most = max(most, value(t.hi[i]))
			}
		}
	}
	slices.SortFunc(starts, time.Time.Compare)
	starts = slices.CompactFunc(starts, time.Time.Equal)
	scale := ticks(most, unit)
	highest := scale[len(scale)-1]
	x := func(at time.Time) float64 {
		i, _ := slices.BinarySearchFunc(starts, at, time.Time.Compare)
		if len(starts) == 1 {
			return (left + wide - right) / 2
		}
		return left + (wide-left-right)*float64(i)/float64(len(starts)-1)
	}
	y := func(f float64) float64 { return tall - bottom - (tall-bottom-top)*f/highest }
	out := &lineChart{Wide: wide, Tall: tall, Left: left, Right: wide - right, Bottom: tall - bottom, About: about(r, c)}
	for _, f := range scale {
		out.Rows = append(out.Rows, mark{X: left - 6, Y: y(f), Text: figure(f, unit)})
	}
	every := max(1, (len(starts)+5)/6)
	for i := 0; i < len(starts); i += every {
		out.Columns = append(out.Columns, mark{X: x(starts[i]), Y: tall - 8, Text: starts[i].Format(time.DateOnly)})
	}
	for n, t := range all {
		out.Lines = append(out.Lines, shape(&t, n, len(all) == 1, x, y))
	}
	return out
}

// shape lays one line out, cut where a value is missing.
func shape(t *trend, n int, band bool, x func(time.Time) float64, y func(float64) float64) lineShape {
	s := lineShape{Name: t.name, Number: n}
	var path strings.Builder
	var upper, lower []string
	closeBand := func() {
		if len(upper) > 1 {
			slices.Reverse(lower)
			s.Bands = append(s.Bands, strings.Join(slices.Concat(upper, lower), " "))
		}
		upper, lower = nil, nil
	}
	joined := false
	for i, v := range t.values {
		if v == nil {
			joined = false
			closeBand()
			continue
		}
		px, py := x(t.buckets[i]), y(*v)
		fmt.Fprintf(&path, "%s%.1f %.1f", map[bool]string{true: "L", false: "M"}[joined], px, py)
		joined = true
		text := t.buckets[i].Format(time.DateOnly) + ": " + t.name + " " + figure(*v, t.unit)
		if band && len(t.lo) > 0 && t.lo[i] != nil && t.hi[i] != nil {
			upper = append(upper, fmt.Sprintf("%.1f,%.1f", px, y(*t.hi[i])))
			lower = append(lower, fmt.Sprintf("%.1f,%.1f", px, y(*t.lo[i])))
			text += " [" + figure(*t.lo[i], t.unit) + "–" + figure(*t.hi[i], t.unit) + "]"
		} else {
			closeBand()
		}
		s.Points = append(s.Points, mark{X: px, Y: py, Text: text})
		s.Last = figure(*v, t.unit)
	}
	closeBand()
	s.Path = path.String()
	return s
}

func value(f *float64) float64 {
	if f == nil {
		return 0
	}
	return *f
}

type barChart struct {
	Wide, Tall, Left float64
	About            string
	Bars             []bar
	More             int // rows that are not drawn
}

type bar struct {
	Y, Length, LowX, HighX float64
	Label, Full, Figure    string
	Interval               bool
}

// bars lays bars out, in the order of the rows; text in front, the figure behind.
func bars(r *reports.Result, c reports.Chart) *barChart {
	const names, figures = 250.0, 96.0
	column := index(r.Columns, c.Figures[0])
	unit := r.Columns[column].Unit
	lo, hi := Interval(c.Figures[0])
	l, h := index(r.Columns, lo), index(r.Columns, hi)
	rows := chosen(r, c)
	out := &barChart{Wide: wide, Left: names, About: about(r, c), More: max(0, len(rows)-maxBars)}
	rows = rows[:min(len(rows), maxBars)]
	most := 0.0
	for _, row := range rows {
		most = max(most, value(float(row[column])))
		if h >= 0 {
			most = max(most, value(float(row[h])))
		}
	}
	if most <= 0 {
		most = 1
	}
	width := func(f float64) float64 { return (wide - names - figures) * math.Max(0, f) / most }
	for i, row := range rows {
		b := bar{Y: top + barRoom*float64(i), Full: label(r, c.Labels, row), Figure: Cell(row[column], r.Columns[column], location(r))}
		b.Label = terminal.Truncate(b.Full, 38)
		if v := float(row[column]); v != nil {
			b.Length = width(*v)
		}
		if l >= 0 && h >= 0 && row[l] != nil && row[h] != nil {
			b.Interval, b.LowX, b.HighX = true, names+width(value(float(row[l]))), names+width(value(float(row[h])))
			b.Full += " [" + figure(value(float(row[l])), unit) + "–" + figure(value(float(row[h])), unit) + "]"
		}
		out.Bars = append(out.Bars, b)
	}
	out.Tall = 2*top + barRoom*float64(max(1, len(out.Bars)))
	return out
}

type heatChart struct {
	Wide, Tall float64
	About      string
	Across     []mark
	Down       []mark
	Cells      []heatCell
	Size, High float64
}

type heatCell struct {
	X, Y    float64
	Opacity string
	Text    string
}

// heat lays a heat map out: the first label across, the second down, the darker the more.
func heat(r *reports.Result, c reports.Chart) *heatChart {
	column := index(r.Columns, c.Figures[0])
	var across, down []string
	rows := chosen(r, c)
	most := 0.0
	for _, row := range rows {
		if a := label(r, c.Labels[:1], row); !slices.Contains(across, a) {
			across = append(across, a)
		}
		if d := label(r, c.Labels[1:], row); !slices.Contains(down, d) {
			down = append(down, d)
		}
		most = max(most, value(float(row[column])))
	}
	out := &heatChart{Wide: wide, High: 20, About: about(r, c), Tall: top + 20*float64(len(down)) + bottom}
	if len(across) == 0 {
		return out
	}
	out.Size = (wide - left - right) / float64(len(across))
	for i, d := range down {
		out.Down = append(out.Down, mark{X: left - 6, Y: top + 20*float64(i) + 14, Text: d})
	}
	for i := 0; i < len(across); i += max(1, len(across)/12) {
		out.Across = append(out.Across, mark{X: left + out.Size*(float64(i)+0.5), Y: out.Tall - 8, Text: across[i]})
	}
	for _, row := range rows {
		a, d := label(r, c.Labels[:1], row), label(r, c.Labels[1:], row)
		opacity := 0.0
		if most > 0 {
			opacity = value(float(row[column])) / most
		}
		out.Cells = append(out.Cells, heatCell{
			X: left + out.Size*float64(slices.Index(across, a)), Y: top + 20*float64(slices.Index(down, d)), Opacity: fmt.Sprintf("%.3f", 0.04+0.96*opacity),
			Text: d + " " + a + ": " + Cell(row[column], r.Columns[column], location(r)),
		})
	}
	return out
}

// about says in words what a picture shows.
func about(r *reports.Result, c reports.Chart) string {
	parts := []string{r.Report.Title + ": " + strings.ReplaceAll(strings.Join(c.Figures, ", "), "_", " ")}
	if c.By != "" {
		parts[0] += " by " + c.By
	}
	for _, w := range c.Where {
		parts = append(parts, w.Column+" "+w.Value)
	}
	return strings.Join(parts, ", ")
}
