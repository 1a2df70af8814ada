package grafana

import (
	"errors"
	"fmt"
	"strings"
)

// Kind is how a panel shows what it is told.
type Kind string

// Kinds of panel.
const (
	Stat  Kind = "stat"       // one row, each number large
	Gauge Kind = "bargauge"   // one row, each number a bar
	Lines Kind = "timeseries" // over time
	Bars  Kind = "bars"       // over time, on top of each other
	Table Kind = "table"
)

// Panel is one question and how its answer is shown.
type Panel struct {
	Title         string
	Kind          Kind
	Width, Height int

	What    string // what it shows, in a sentence
	Anchor  string // boards on the history: which clock puts a row into the period
	Counted string // and who counts, and who is left out

	SQL     string   // to ClickHouse, or
	Metrics []Metric // to Prometheus

	Columns  []Column // that SQL answers with, in order
	Series   string   // Lines and Bars: the column that names a series, where each row holds one of several
	Unit     string   // Metrics
	Names    bool     // Stat: what the series are called, and not their values
	Interval string   // Lines and Bars: the shortest step, as in "1h"
	Steps    []Step   // where the colour changes, rising; most panels have none: the figure means different things in different houses
}

// Column is one column of an answer.
type Column struct {
	Name string
	Unit string // as Grafana calls it: short, s, percentunit; empty: text or a time
	Look Look
}

// Look is how a column differs from the others of its panel.
type Look uint8

// Looks.
const (
	Plain  Look = iota
	Behind      // a count behind the lines, on an axis of its own
	Filled      // a cell of a table: a bar
	Heat        // a cell of a table: the more, the hotter
)

// Metric is one expression for Prometheus and what its series are called, with {{label}} in it.
type Metric struct{ Expr, Legend string }

// Step is a value from which on a colour holds.
type Step struct {
	From  float64
	Color string
}

// amiss is a panel that is good while it is 0 and wants somebody otherwise.
func amiss() []Step { return []Step{{1, "red"}} }

// count, seconds, ratio and word are columns by what they hold.
func count(name string) Column   { return Column{Name: name, Unit: "short"} }
func seconds(name string) Column { return Column{Name: name, Unit: "s"} }
func ratio(name string) Column   { return Column{Name: name, Unit: "percentunit"} }
func word(name string) Column    { return Column{Name: name} }
func behind(name string) Column  { return Column{Name: name, Unit: "short", Look: Behind} }
func filled(name string) Column  { return Column{Name: name, Unit: "percentunit", Look: Filled} }

// quantiles are the columns of a trend of durations.
func quantiles() []Column { return []Column{word("time"), behind("n"), seconds("p50"), seconds("p90")} }

// Description is what stands behind the i of the panel.
func (p *Panel) Description() string {
	text := []string{p.What}
	if p.Anchor != "" {
		text = append(text, "**Anchor:** "+p.Anchor)
	}
	if p.Counted != "" {
		text = append(text, "**Counted:** "+p.Counted)
	}
	return strings.Join(text, "\n\n")
}

var errQuestion = errors.New("a panel asks either ClickHouse or Prometheus")

// object returns the panel as Grafana reads it.
func (p *Panel) object(id, x, y int) (object, error) {
	if (p.SQL == "") == (len(p.Metrics) == 0) {
		return nil, errQuestion
	}
	o := object{
		"id": id, "title": p.Title, "description": p.Description(), "transparent": false,
		"gridPos":     object{"x": x, "y": y, "w": p.Width, "h": p.Height},
		"fieldConfig": object{"defaults": p.defaults(), "overrides": p.overrides()},
		"options":     p.options(), "targets": p.targets(),
	}
	o["type"] = string(p.Kind)
	if p.Kind == Bars {
		o["type"] = string(Lines)
	}
	if p.Interval != "" {
		o["interval"] = p.Interval
	}
	o["datasource"] = source(p.source())
	return o, nil
}

func (p *Panel) source() string {
	if p.SQL != "" {
		return clickhouse
	}
	return prometheus
}

// targets are the questions.
func (p *Panel) targets() []object {
	overTime := p.Kind == Lines || p.Kind == Bars
	if p.SQL != "" {
		kind, format := "table", 1
		if overTime {
			kind, format = "timeseries", 0
		}
		return []object{{
			"refId": "A", "datasource": source(clickhouse), "editorType": "sql", "pluginVersion": "4.0.0", "queryType": kind, "format": format,
			"rawSql": p.SQL,
		}}
	}
	var all []object
	for i, m := range p.Metrics {
		all = append(all, object{
			"refId": string(rune('A' + i)), "datasource": source(prometheus), "editorMode": "code", "expr": m.Expr, "legendFormat": m.Legend,
			"range": overTime, "instant": !overTime,
		})
	}
	return all
}

// defaults hold for all columns.
func (p *Panel) defaults() object {
	steps := []object{{"color": "text", "value": nil}}
	if p.Kind == Lines || p.Kind == Bars {
		steps[0]["color"] = "green"
	}
	for _, s := range p.Steps {
		steps = append(steps, object{"color": s.Color, "value": s.From})
	}
	o := object{
		"thresholds": object{"mode": "absolute", "steps": steps}, "mappings": []object{}, "color": object{"mode": "palette-classic"},
		"custom": object{},
	}
	if p.Unit != "" {
		o["unit"] = p.Unit
	}
	if p.Series != "" {
		o["displayName"] = "${__field.labels." + p.Series + "}"
		o["unit"] = p.Columns[len(p.Columns)-1].Unit // its one figure
	}
	switch p.Kind {
	case Stat, Gauge:
		o["color"] = object{"mode": "thresholds"}
		delete(o, "custom")
	case Lines:
		o["min"] = 0
		o["custom"] = object{"drawStyle": "line", "lineWidth": 2, "fillOpacity": 0, "showPoints": "auto", "spanNulls": false, "stacking": object{"mode": "none", "group": "A"}}
	case Bars:
		o["min"] = 0
		o["custom"] = object{"drawStyle": "bars", "lineWidth": 1, "fillOpacity": 60, "showPoints": "never", "stacking": object{"mode": "normal", "group": "A"}}
	case Table:
		o["custom"] = object{"align": "auto", "cellOptions": object{"type": "auto"}, "filterable": false, "inspect": false}
	}
	return o
}

// overrides give each column its unit and look.
func (p *Panel) overrides() []object {
	all := []object{}
	if p.Series != "" {
		return all // the columns have the names of series
	}
	for _, c := range p.Columns {
		var properties []object
		set := func(id string, value any) { properties = append(properties, object{"id": id, "value": value}) }
		if c.Unit != "" {
			set("unit", c.Unit)
		}
		switch c.Look {
		case Plain:
		case Behind:
			set("custom.axisPlacement", "right")
			set("custom.drawStyle", "bars")
			set("custom.fillOpacity", 15)
			set("custom.lineWidth", 0)
			set("color", object{"mode": "fixed", "fixedColor": "text"})
		case Filled:
			set("custom.cellOptions", object{"type": "gauge", "mode": "basic", "valueDisplayMode": "text"})
			set("min", 0)
			set("max", 1)
		case Heat:
			set("custom.cellOptions", object{"type": "color-background", "mode": "basic"})
			set("color", object{"mode": "continuous-YlRd"})
		}
		if len(properties) > 0 {
			all = append(all, object{"matcher": object{"id": "byName", "options": c.Name}, "properties": properties})
		}
	}
	return all
}

// options are what only this kind of panel has.
func (p *Panel) options() object {
	reduce := object{"calcs": []string{"lastNotNull"}, "fields": "", "values": false}
	switch p.Kind {
	case Stat:
		text := "value_and_name"
		if p.Names {
			text = "name"
		}
		return object{
			"reduceOptions": reduce, "colorMode": "value", "graphMode": "none", "justifyMode": "auto", "orientation": "auto", "textMode": text, "wideLayout": true,
		}
	case Gauge:
		return object{"reduceOptions": reduce, "displayMode": "basic", "orientation": "horizontal", "showUnfilled": true, "valueMode": "color"}
	case Table:
		return object{"showHeader": true, "cellHeight": "sm", "footer": object{"show": false, "reducer": []string{"sum"}, "countRows": false, "fields": ""}}
	case Lines, Bars:
		return object{
			"legend":  object{"displayMode": "list", "placement": "bottom", "showLegend": true, "calcs": []string{}},
			"tooltip": object{"mode": "multi", "sort": "desc"},
		}
	}
	panic(fmt.Sprintf("grafana: no kind of panel %q", p.Kind))
}
