package cmdb

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/itsm"
	"github.com/tocsin-noc/tocsin/rules/strict"
)

// Keys of a native document.
const (
	cisKey      = "cis"
	servicesKey = "services"
)

// native reads Tocsin's own schema.
type native struct {
	c       *call
	draft   draft
	ci      unit
	service unit
}

// draft is the item being read.
type draft struct {
	event.CI
	attributes map[string]bool // names given, under their own key or under attributes
}

func newNative(c *call) *native {
	n := &native{c: c}
	n.ci = unit{n.start("", strict.Mapping(n.ciFields()...)), n.done}
	n.service = unit{n.start(event.ServiceClass, strict.Mapping(n.serviceFields()...)), n.done}
	return n
}

func (n *native) lists() []string { return []string{cisKey, servicesKey} }

func (n *native) document() unit {
	// The items were taken out; what is no list of items is refused here.
	none := strict.List(new([]struct{}), func(*struct{}) strict.Value { return ignore })
	return unit{value: strict.Mapping(strict.Field{Key: cisKey, Value: none}, strict.Field{Key: servicesKey, Value: none})}
}

func (n *native) item(_ *yaml.Node, key string) unit {
	if key == servicesKey {
		return n.service
	}
	return n.ci
}

func (n *native) finish() {}

// start reads an item into an empty draft.
func (n *native) start(class string, value strict.Value) strict.Value {
	return func(r *strict.Reader, node *yaml.Node) {
		clear(n.draft.attributes)
		n.draft = draft{CI: event.CI{Class: class}, attributes: n.draft.attributes}
		value(r, node)
	}
}

func (n *native) done(at strict.Place) { n.c.add(n.draft.CI, at) }

func (n *native) ciFields() []strict.Field {
	return append([]strict.Field{
		{Key: "id", Value: text(&n.draft.ID, idError), Required: true},
		{Key: "class", Value: text(&n.draft.Class, classError), Required: true},
	}, n.commonFields()...)
}

func (n *native) serviceFields() []strict.Field {
	fields := append([]strict.Field{
		{Key: "id", Value: text(&n.draft.ID, idError), Required: true},
		{Key: "class", Value: strict.OneOf(&n.draft.Class, event.ServiceClass)},
	}, n.commonFields()...)
	for _, name := range serviceKeys() {
		fields = append(fields, strict.Field{Key: name, Value: n.attribute(name)})
	}
	return fields
}

func (n *native) commonFields() []strict.Field {
	fields := []strict.Field{
		{Key: "name", Value: text(&n.draft.Name, idError)},
		{Key: "state", Value: strict.Scalar(n.setState)},
		{Key: "needs", Value: strict.Scalar(n.setNeeds)},
		{Key: "valid_from", Value: strict.Scalar(n.setValidFrom)},
		{Key: "attributes", Value: strict.Pairs(n.attribute)},
	}
	for _, name := range event.RelationKinds() {
		fields = append(fields, strict.Field{Key: name, Value: n.relation(event.ParseRelationKind(name))})
	}
	return fields
}

// text reads a text that check finds nothing wrong with.
func text(dst *string, check func(string) error) strict.Value {
	return strict.Scalar(func(s string) error {
		*dst = s
		return check(s)
	})
}

// attribute reads the value of one attribute, which is empty where somebody wants it gone.
func (n *native) attribute(name string) strict.Value {
	return strict.Scalar(func(value string) error {
		switch {
		case n.draft.attributes[name]:
			return errors.New("this attribute is given twice")
		case wordError(name, itsm.MaxCIAttributeName) != nil:
			return fmt.Errorf("the name %w", wordError(name, itsm.MaxCIAttributeName))
		case len(n.draft.Attributes) == itsm.MaxCIAttributes:
			return fmt.Errorf("an item must have at most %d attributes", itsm.MaxCIAttributes)
		case value == "":
			return nil
		}
		if n.draft.attributes == nil {
			n.draft.attributes = map[string]bool{}
		}
		n.draft.attributes[name] = true
		n.draft.Attributes = append(n.draft.Attributes, event.Label{Name: name, Value: value})
		return attributeError(n.draft.Class, name, value)
	})
}

// relation reads one ID or a list of them.
func (n *native) relation(kind event.RelationKind) strict.Value {
	target := strict.Scalar(func(id string) error {
		n.draft.Relations = append(n.draft.Relations, event.Relation{Kind: kind, To: id})
		if id == n.draft.ID {
			return errors.New("must name another item")
		}
		return idError(id)
	})
	var none []struct{}
	list := strict.List(&none, func(*struct{}) strict.Value { return target })
	return func(r *strict.Reader, node *yaml.Node) {
		if resolve(node).Kind == yaml.ScalarNode {
			target(r, node)
			return
		}
		list(r, node)
	}
}

func (n *native) setState(s string) (err error) {
	n.draft.State, err = parseState(s)
	return err
}

func (n *native) setNeeds(s string) (err error) {
	n.draft.Needs, err = parseNeeds(s)
	return err
}

func (n *native) setValidFrom(s string) (err error) {
	n.draft.ValidFrom, err = parseTime(s)
	return err
}

func parseState(s string) (event.CIState, error) {
	state := event.ParseCIState(s)
	if state == 0 {
		return 0, fmt.Errorf("must be one of %s, pipeline", strings.Join(event.CIStates(), ", "))
	}
	return state, nil
}

func parseNeeds(s string) (uint16, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil || n == 0 {
		return 0, errors.New("must be a whole number from 1 to 65535")
	}
	return uint16(n), nil
}

func parseTime(s string) (event.Time, error) {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || event.FromTime(t) == 0 {
		return 0, errors.New("must be a time since 1970 such as 2026-11-21T08:00:00Z")
	}
	return event.FromTime(t), nil
}

// relationKind says which of the kinds s names.
func relationKind(s string) (event.RelationKind, error) {
	kind := event.ParseRelationKind(s)
	if kind == 0 {
		return 0, fmt.Errorf("must be one of %s", strings.Join(event.RelationKinds(), ", "))
	}
	return kind, nil
}
