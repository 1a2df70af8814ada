package reports

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// ChartKind is a way to draw a result.
type ChartKind string

// The kinds of charts.
const (
	Line ChartKind = "line" // figures over the buckets, with their intervals where there are
	Bars ChartKind = "bars" // a figure by label, over the whole period
	Heat ChartKind = "heat" // a figure by two labels, over the whole period
)

// Chart is one picture of a result.
//
//	line bucket: p50, p90 where clock = created     line bucket by reason: share
//	bars name, ci: events                           heat hour, day: opened
type Chart struct {
	Kind    ChartKind `json:"kind"`
	Labels  []string  `json:"labels"`          // columns that name a bar, or the two sides of a heat map; bucket for a line
	By      string    `json:"by,omitempty"`    // line: column whose values are lines of their own; empty: none
	Figures []string  `json:"figures"`         // columns that are drawn: several for lines, one for the others
	Where   []Where   `json:"where,omitempty"` // rows that are drawn; no condition: all
}

// Where keeps the rows whose column has the value.
type Where struct {
	Column string `json:"column"`
	Value  string `json:"value"`
}

// readCharts reads charts with semicolons between them, or none.
func readCharts(text string, columns []Column) ([]Chart, error) {
	if flow(text) == "none" {
		return nil, nil
	}
	form := regexp.MustCompile(`^(line|bars|heat) ([a-z0-9_, ]+?)(?: by ([a-z0-9_]+))?: ([a-z0-9_, ]+?)(?: where (.+))?$`)
	var charts []Chart
	for one := range strings.SplitSeq(flow(text), ";") {
		m := form.FindStringSubmatch(strings.TrimSpace(one))
		if m == nil {
			return nil, fmt.Errorf("%q is not of the form line|bars|heat labels [by column]: figures [where column = value, …]", one)
		}
		c := Chart{Kind: ChartKind(m[1]), Labels: names(m[2]), By: m[3], Figures: names(m[4])}
		for _, condition := range names(m[5]) {
			column, value, ok := strings.Cut(condition, "=")
			if !ok {
				return nil, fmt.Errorf("%q is not of the form column = value", condition)
			}
			c.Where = append(c.Where, Where{strings.TrimSpace(column), strings.TrimSpace(value)})
		}
		if err := c.check(columns); err != nil {
			return nil, err
		}
		charts = append(charts, c)
	}
	return charts, nil
}

// check holds a chart against the columns it is drawn from.
func (c Chart) check(columns []Column) error {
	used := slices.Concat(c.Labels, c.Figures)
	if c.By != "" {
		used = append(used, c.By)
	}
	for _, w := range c.Where {
		used = append(used, w.Column)
	}
	for _, name := range used {
		if !slices.ContainsFunc(columns, func(column Column) bool { return column.Name == name }) {
			return fmt.Errorf("%s: no column is called %s", c.Kind, name)
		}
	}
	switch {
	case c.Kind == Line && !slices.Equal(c.Labels, []string{"bucket"}):
		return fmt.Errorf("line: is drawn over bucket, not over %s", strings.Join(c.Labels, ", "))
	case c.Kind == Heat && len(c.Labels) != 2:
		return fmt.Errorf("heat: needs two labels, across and down (got %d)", len(c.Labels))
	case c.Kind != Line && (len(c.Figures) != 1 || c.By != ""):
		return fmt.Errorf("%s: draws one figure", c.Kind)
	case c.By != "" && len(c.Figures) != 1:
		return fmt.Errorf("line by %s: draws one figure", c.By)
	}
	return nil
}
