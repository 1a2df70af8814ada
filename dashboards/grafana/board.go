package grafana

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// columns of Grafana's grid.
const gridWidth = 24

// schemaVersion is that of Grafana 10.4: newer ones read it and bring it up to date.
const schemaVersion = 39

// Board is one dashboard. Its UID is part of links that people keep: it never changes.
type Board struct {
	UID, Title, Description string
	Span                    string // what it shows first, as in "now-24h"
	Refresh                 string // how often it asks again; empty: when somebody does
	Variables               []Variable
	Sections                []Section
}

// Section is a heading with panels under it, placed from left to right in lines of one height.
type Section struct {
	Title  string
	Panels []Panel
}

// Boards returns all boards.
func Boards() []Board { return []Board{operations(), noise(), incidents(), itself()} }

// Panels returns the board's panels in order.
func (b *Board) Panels() []Panel {
	var all []Panel
	for _, s := range b.Sections {
		all = append(all, s.Panels...)
	}
	return all
}

// object is a piece of Grafana's JSON; its keys are written in order.
type object = map[string]any

// JSON returns the board as Grafana reads it.
func (b *Board) JSON() ([]byte, error) {
	var panels, variables []object
	id, y := 0, 0
	for _, s := range b.Sections {
		id++
		panels = append(panels, object{
			"id": id, "type": "row", "title": s.Title, "collapsed": false, "panels": []object{},
			"gridPos": object{"x": 0, "y": y, "w": gridWidth, "h": 1},
		})
		y++
		x, high := 0, 0
		for i := range s.Panels {
			p := &s.Panels[i]
			if x+p.Width > gridWidth {
				x, y, high = 0, y+high, 0
			}
			id++
			text, err := p.object(id, x, y)
			if err != nil {
				return nil, fmt.Errorf("grafana: board %s: panel %q: %w", b.UID, p.Title, err)
			}
			panels = append(panels, text)
			x, high = x+p.Width, max(high, p.Height)
		}
		y += high
	}
	for _, v := range b.Variables {
		variables = append(variables, v.object())
	}
	return encode(object{
		"uid": b.UID, "title": b.Title, "description": b.Description, "tags": []string{"tocsin"}, "schemaVersion": schemaVersion, "version": 1,
		"editable": true, "graphTooltip": 1, "timezone": "browser", "weekStart": "monday", "refresh": b.Refresh,
		"time":        object{"from": b.Span, "to": "now"},
		"annotations": object{"list": []object{}},
		"links": []object{{ // to the other boards, in the same period
			"type": "dashboards", "title": "Tocsin", "tags": []string{"tocsin"}, "keepTime": true, "includeVars": true, "asDropdown": false,
			"targetBlank": false, "icon": "external link", "tooltip": "", "url": "",
		}},
		"templating": object{"list": variables}, "panels": panels,
	})
}

// encode writes it as people read it: indented, and with < and > as they are.
func encode(o object) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(o)
	return b.Bytes(), err
}
