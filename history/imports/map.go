package imports

import (
	"time"

	"github.com/tocsin-noc/tocsin/rules/strict"
)

// Map says what an export's columns mean. Parse makes one; it does not change afterwards.
type Map struct {
	File      string // as messages call it
	Rows      RowKind
	Format    string // csv, json; empty: found out
	Encoding  string // utf-8, utf-16le, utf-16be, windows-1252; empty: found out
	Delimiter rune   // of CSV; 0: found out
	LaxQuotes bool   // quotes inside cells are text

	Zone  *time.Location // of times without an offset; nil: none was stated
	Dates []DateFormat

	ClosedResolves bool // a close without a time of resolving is one

	empty     map[string]bool   // cells that say nothing, besides empty ones
	machine   map[string]bool   // people who are none
	facts     [factCount]source // by fact
	signature []string          // columns that say what kind of trouble it was
	labels    []label
	ignored   map[string]bool // columns that nobody misses
	columns   []string        // all that the map names, each once
	at        map[string]int  // column -> place in columns
}

// RowKind says what a row of an export is.
type RowKind string

// The kinds of rows.
const (
	RowIncident RowKind = "incident" // all that is known of an incident
	RowEvent    RowKind = "event"    // something that happened to one, or its state after that; several rows have one number
)

// fact is something that a column may say.
type fact uint8

const (
	factNumber fact = iota
	factTenant
	factTitle
	factText
	factAt
	factOrder
	factState
	factActivity
	factBy
	factOpenedAt
	factOpenedBy
	factFirstEventAt
	factAssignedAt
	factAcknowledgedAt
	factAcknowledgedBy
	factBegunAt
	factReopenedAt
	factResolvedAt
	factResolvedBy
	factClosedAt
	factUpdatedAt
	factPriority
	factSeverity
	factImpact
	factUrgency
	factTeam
	factAssignee
	factCI
	factServices
	factReassignments
	factReopens
	factCount
)

// shape is what a fact's cells are read as.
type shape uint8

const (
	asText  shape = iota // taken as it is
	asTime               // by the map's dates and zone
	asLevel              // 1 to 5
	asCount              // 0 or more
	asWord               // one of a few words, through the map's values
)

// factNames are the facts as maps call them, with their shape.
var factNames = [factCount]struct {
	name  string
	shape shape
}{
	factNumber: {"number", asText}, factTenant: {"tenant", asText}, factTitle: {"title", asText}, factText: {"text", asText},
	factAt: {"at", asTime}, factOrder: {"order", asText}, factState: {"state", asWord}, factActivity: {"activity", asWord}, factBy: {"by", asText},
	factOpenedAt: {"opened_at", asTime}, factOpenedBy: {"opened_by", asText}, factFirstEventAt: {"first_event_at", asTime},
	factAssignedAt: {"assigned_at", asTime}, factAcknowledgedAt: {"acknowledged_at", asTime}, factAcknowledgedBy: {"acknowledged_by", asText},
	factBegunAt: {"begun_at", asTime}, factReopenedAt: {"reopened_at", asTime}, factResolvedAt: {"resolved_at", asTime},
	factResolvedBy: {"resolved_by", asText}, factClosedAt: {"closed_at", asTime}, factUpdatedAt: {"updated_at", asTime},
	factPriority: {"priority", asLevel}, factSeverity: {"severity", asLevel}, factImpact: {"impact", asLevel}, factUrgency: {"urgency", asLevel},
	factTeam: {"team", asText}, factAssignee: {"assignee", asText}, factCI: {"ci", asText}, factServices: {"services", asText},
	factReassignments: {"reassignments", asCount}, factReopens: {"reopens", asCount},
}

// states are what a fact `state` may come to.
var states = []string{"new", "acknowledged", "in_progress", "on_hold", "resolved", "closed", "cancelled"}

// activities are what a fact `activity` may come to.
var activities = []string{
	"opened", "assigned", "reassigned", "acknowledged", "begun", "held", "unheld", "noted", "resolved", "reopened", "closed", "cancelled", "ignored",
}

// reasons follow on_hold and held after a colon.
var reasons = []string{"caller", "vendor", "change", "problem", "other"}

// source is where a fact comes from.
type source struct {
	columns   []string // the first that says something counts
	cells     []int    // their places in a row
	constant  string
	values    map[string]string // what cells mean; nil: themselves
	otherwise string            // what cells that are not in values mean; empty: such rows are rejected
	separator string            // of several in one cell
	place     strict.Place
}

// stated tells whether the map says anything of the fact.
func (s *source) stated() bool { return len(s.columns) > 0 || s.constant != "" }

// label is a column that is kept as a label of the incident.
type label struct {
	name string
	cell int
}
