package clickhouse

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Retention is how long rows are kept, in days; zero is the default, and Forever never ends.
type Retention struct {
	Facts     int // transitions, repeats, alerts, causes, notifications, log and what alerts were in incidents
	Incidents int // incidents and their versions, outages, items, rollups
}

// Forever keeps rows.
const Forever = -1

// Defaults of Retention: facts long enough to compare a month with that of last year, the rest for ten years.
const (
	DefaultFacts     = 400
	DefaultIncidents = 3650
)

func (r Retention) check() error {
	for name, days := range map[string]int{"facts": r.Facts, "incidents": r.Incidents} {
		if days < Forever || days > 36500 {
			return &OptionError{"history.retention." + name, fmt.Sprintf("%d days", days), "1 to 36500, or -1 for ever"}
		}
	}
	return nil
}

// expiry is by which column rows of a table grow old.
type expiry struct {
	table, column string
	days          int
}

func (r Retention) expiries() []expiry {
	facts, incidents := r.Facts, r.Incidents
	if facts == 0 {
		facts = DefaultFacts
	}
	if incidents == 0 {
		incidents = DefaultIncidents
	}
	return []expiry{
		{"transitions", "at", facts}, {"repeats", "hour", facts}, {"alerts", "first_at", facts}, {"causes", "at", facts},
		{"notifications", "at", facts}, {"log", "at", facts}, {"moves", "at", facts},
		{"incident_versions", "at", incidents}, {"incidents", "opened_at", incidents}, {"outages", "at", incidents},
		{"alert_hours", "hour", incidents},
	}
}

// withOrigin are the tables that hold imports beside our own.
func withOrigin() []string { return []string{"incident_versions", "incidents"} }

// clause is the table's TTL in the words in which the engine repeats it.
func (e expiry) clause() string {
	clause := fmt.Sprintf("TTL toDateTime(%s) + toIntervalDay(%d)", e.column, e.days)
	if slices.Contains(withOrigin(), e.table) { // what is imported is old, and meant to stay
		clause += " WHERE origin = ''"
	}
	return clause
}

// keep sets how long rows are kept where that is not what the table says already: setting it makes the engine look at all rows.
func (db *DB) keep(ctx context.Context, r Retention) error {
	answer, err := db.Query(ctx, "SELECT name, engine_full FROM system.tables WHERE database = currentDatabase()", nil)
	if err != nil {
		return err
	}
	said := map[string]string{}
	for _, row := range answer.Rows {
		said[row[0].(string)] = row[1].(string)
	}
	for _, e := range r.expiries() {
		var statement string
		switch {
		case e.days != Forever && !strings.Contains(said[e.table], e.clause()):
			statement = fmt.Sprintf("ALTER TABLE %s MODIFY %s", e.table, e.clause())
		case e.days == Forever && strings.Contains(said[e.table], " TTL "):
			statement = fmt.Sprintf("ALTER TABLE %s REMOVE TTL", e.table)
		default:
			continue
		}
		if err := db.Exec(ctx, onCluster(statement, db.cluster), nil); err != nil {
			return fmt.Errorf("history: retention of %s: %w", e.table, err)
		}
		db.log.Debug("retention set", "table", e.table, "days", e.days)
	}
	return nil
}
