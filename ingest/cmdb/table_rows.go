package cmdb

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/rules/strict"
)

// item reads a row of a table of items. An empty cell says nothing.
func (t *table) item() {
	var ci event.CI
	for i, value := range t.record {
		name := t.header[i]
		if value = strings.TrimSpace(value); value == "" && name != idColumn && name != classColumn {
			continue
		}
		if err := setColumn(&ci, name, value); err != nil {
			t.problem(name, err, value)
		}
	}
	if len(t.record) <= max(slices.Index(t.header, idColumn), slices.Index(t.header, classColumn)) {
		t.problem("", errors.New("must have an id and a class"), strings.Join(t.record, ","))
	}
	at := t.place(0)
	at.Col = 0
	if first, taken := t.index[ci.ID]; taken && ci.ID != "" {
		t.problem(idColumn, fmt.Errorf("the id %q is taken at %s", ci.ID, t.rows[first].at), "")
	}
	if !t.bad {
		t.index[ci.ID] = len(t.rows)
		t.rows = append(t.rows, tableItem{ci, at})
	}
}

// setColumn says of ci what stands in the column name.
func setColumn(ci *event.CI, name, value string) (err error) {
	switch name {
	case idColumn:
		ci.ID = value
		return idError(value)
	case classColumn:
		ci.Class = value
		return classError(value)
	case nameColumn:
		ci.Name = value
		return idError(value)
	case stateColumn:
		ci.State, err = parseState(value)
	case needsColumn:
		ci.Needs, err = parseNeeds(value)
	case validFromColumn:
		ci.ValidFrom, err = parseTime(value)
	default:
		return setOther(ci, name, value)
	}
	return err
}

// setOther reads a column that is named as a kind of relations, or as an attribute.
func setOther(ci *event.CI, name, value string) error {
	kind := event.ParseRelationKind(name)
	if kind == 0 {
		ci.Attributes = append(ci.Attributes, event.Label{Name: name, Value: value})
		return nil
	}
	for id := range strings.SplitSeq(value, separator) {
		id = strings.TrimSpace(id)
		if err := idError(id); err != nil {
			return err
		}
		ci.Relations = append(ci.Relations, event.Relation{Kind: kind, To: id})
	}
	return nil
}

// relation reads a row of a table of relations.
func (t *table) relation() {
	l := link{at: t.place(0)}
	l.at.Col = 0
	for _, name := range []string{fromColumn, kindColumn, toColumn} {
		i := slices.Index(t.header, name)
		if i >= len(t.record) {
			t.problem(name, errors.New("must not be empty"), "")
			continue
		}
		value := strings.TrimSpace(t.record[i])
		if err := l.set(name, value); err != nil {
			t.problem(name, err, value)
		}
	}
	if !t.bad {
		t.links = append(t.links, l)
	}
}

func (l *link) set(name, value string) (err error) {
	switch name {
	case fromColumn:
		l.from = value
		return idError(value)
	case toColumn:
		l.To = value
		return idError(value)
	}
	l.Kind, err = relationKind(value)
	return err
}

// finish brings the relations to their items.
func (ts *tables) finish() {
	for _, l := range ts.links {
		i, ok := ts.index[l.from]
		if !ok {
			ts.c.problem(strict.Problem{Place: l.at, Key: fromColumn, Message: fmt.Sprintf("no item of this import has the id %q", clip(l.from)),
				Hint: "import the table that describes it together with this one"})
			continue
		}
		ci := &ts.rows[i].ci
		if l.To == l.from {
			ts.c.problem(strict.Problem{Place: l.at, Key: toColumn, Message: fmt.Sprintf("must name another item (got %q)", clip(l.To))})
			continue
		}
		ci.Relations = append(ci.Relations, l.Relation)
	}
	for _, row := range ts.rows {
		ts.c.add(row.ci, row.at)
	}
}
