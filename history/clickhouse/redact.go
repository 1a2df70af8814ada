package clickhouse

import (
	"context"
	"fmt"
	"strconv"

	"github.com/tocsin-noc/tocsin/event"
)

// Redaction names a text that people wrote, and that has left everything else already. One of Incident, Outage, CI, Silence, Window and
// Handover is set. This is where texts stand in the history, by columns that can hold any; a redaction is of what the third column says:
//
//	table              columns                                                  leaves with
//	incident_versions  text                                                     entry, field
//	incident_versions  title                                                    field title
//	incidents          title                                                    field title
//	outages            cause                                                    outage
//	cis                attributes                                               attribute; that key alone
//	log                text                                                     silence, window, handover
//	notifications      person                                                   ForgetLogin: a person's
//
//	alerts             name resource labels annotations                         stays: words of alerts
//	transitions        name resource                                            stays: words of alerts
//	incident_versions  labels opened_name opened_resource                       stays: words of alerts
//	alert_hours        name ci                                                  stays: words of alerts, ids of items
//	incident_versions  actor assignee opened_by acked_by resolved_by            stays: people, as opaque ids
//	incidents          assignee opened_by acked_by resolved_by                  stays: people, as opaque ids
//	transitions        actor                                                    stays: people, as opaque ids
//	moves              actor                                                    stays: people, as opaque ids
//	cis                actor                                                    stays: people, as opaque ids
//	log                actor                                                    stays: people, as opaque ids
//	causes             verdict_by                                               stays: people, as opaque ids
//	outages            confirmed_by                                             stays: people, as opaque ids
//	cis                tenant id class name relations source pinned             stays: names of things
//	causes             candidates verdict_on                                    stays: names of things
//	transitions        tenant source ci                                         stays: names of things
//	alerts             tenant source                                            stays: names of things
//	alert_hours        tenant source                                            stays: names of things
//	repeats            tenant source                                            stays: names of things
//	sources            name tenant                                              stays: names of things
//	incident_versions  origin number tenant rule ci services services_down team stays: names of things
//	incidents          origin number tenant rule ci services team teams         stays: names of things
//	outages            tenant service                                           stays: names of things
//	notifications      instance tenant subject receiver integration team        stays: names of things
//	log                tenant id name source                                    stays: names of things, matchers of silences
//	imports            origin number                                            stays: names of things
//	cursors            instance                                                 stays: names of things
//	transitions        kind bound phase reason quiet decided place              stays: words of ours
//	members            phase                                                    stays: words of ours
//	incident_versions  kind phase held_as                                       stays: words of ours
//	incidents          phase verdict holds                                      stays: words of ours
//	causes             verdict                                                  stays: words of ours
//	cis                state                                                    stays: words of ours
//	outages            kind state                                               stays: words of ours
//	notifications      kind                                                     stays: words of ours
//	log                kind                                                     stays: words of ours
//	sources            kind                                                     stays: words of ours
//	migrations         name checksum                                            stays: words of ours
//
// incidents.signature is a hash of the title where no alert opened the incident. It stays until the row is counted anew, and is then that
// of the words that took the title's place. Imports (origin) are another system's: what was taken away there goes with the next import.
type Redaction struct {
	Shard     uint32
	Tenant    string
	Incident  event.IncidentID
	Field     string             // of the incident, as in "task 3"; empty: Entry
	Entry     Place              // of the incident
	Family    []event.IncidentID // other incidents that share its words, by merges and proposals
	Outage    uint32             // its cause
	Cause     string             // that it has now, which stays; empty: none is known
	CI        string
	Attribute string
	Before    Place  // of versions of the item: those that came earlier; zero: all
	Silence   string // its comment
	Window    string // its reason
	Handover  Place

	// Kept tells what an incident's changes say now, by their places, as far as they are still known. nil: nothing is.
	Kept func(ctx context.Context, incident event.IncidentID) (map[Place]Words, error)
	// Instead returns what stands in the place of a text that decisions compare; what was taken away stays as it is. nil: event.Redacted.
	Instead func(text string) string
}

// Place is where a row comes from, in its shard.
type Place struct {
	Seq uint64
	N   uint32
}

func (p Place) number() uint64 { return p.Seq*changesOfOne + uint64(min(p.N, changesOfOne-1)) }

// changesOfOne is more than one input has changes.
const changesOfOne = 1 << 20

// Words are the texts of a change of an incident.
type Words struct{ Title, Text string }

// Redact takes a text out of all rows that are there, and its bytes from the disk, which takes some seconds. found tells whether there was
// one. The rows are found by their keys: no statement holds the text, because the engine keeps statements that change rows. What is asked
// for twice, or again after it was cut short, does no harm. Rows that are on their way in are the caller's care.
func (db *DB) Redact(ctx context.Context, r *Redaction) (found bool, err error) {
	tables := []string{"log"}
	do := db.redactLog
	switch {
	case r.Incident != 0:
		tables, do = []string{"incident_versions", "incidents"}, db.redactIncidents
	case r.Outage != 0:
		tables, do = []string{"outages"}, db.redactOutage
	case r.CI != "":
		tables, do = []string{"cis"}, db.redactAttribute
	}
	err = db.vacate(ctx, tables, func() (err error) {
		found, err = do(ctx, r)
		return err
	})
	if err != nil {
		return found, fmt.Errorf("history: redact: %w", err)
	}
	return found, nil
}

// ForgetLogin takes a person's login out of what they were told, and its bytes from the disk: that somebody was told stays. Elsewhere people
// are opaque ids.
func (db *DB) ForgetLogin(ctx context.Context, login string) error {
	err := db.vacate(ctx, []string{"notifications"}, func() error {
		answer, err := db.Own(ctx, "SELECT DISTINCT instance, number FROM notifications WHERE person = {person:String} ORDER BY instance, number", map[string]string{"person": Text(login)})
		if err != nil {
			return err
		}
		by := map[string]*rewriting{}
		for _, row := range answer.Rows {
			instance := row[0].(string)
			if by[instance] == nil {
				by[instance] = &rewriting{
					table: "notifications", set: "person = ", place: "number", where: "instance = {instance:String}", params: map[string]string{"instance": Text(instance)},
				}
			}
			by[instance].put(row[1].(uint64), "")
		}
		for _, w := range by {
			if err := db.rewrite(ctx, w); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("history: forget: %w", err)
	}
	return nil
}

func number[T uint32 | uint64](n T) string { return strconv.FormatUint(uint64(n), 10) }
