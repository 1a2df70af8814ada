package reports_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/history/chdb/chdbtest"
	"github.com/tocsin-noc/tocsin/history/clickhouse"
)

// stamp is an instant as the engine reads it.
type stamp struct{ time.Time }

func (s stamp) MarshalJSON() ([]byte, error) {
	return []byte(s.UTC().Format(`"2006-01-02 15:04:05.000"`)), nil
}

// at reads an instant for tests, in UTC: "2026-03-02 10:00:00".
func at(text string) stamp {
	t, err := time.Parse("2006-01-02 15:04:05", text)
	if err != nil {
		panic(err)
	}
	return stamp{t}
}

func (s stamp) plus(d time.Duration) stamp { return stamp{s.Add(d)} }
func (s stamp) ptr() *stamp                { return &s }

type resolve struct {
	At    stamp `json:"at"`
	Human bool  `json:"human"`
}

// span is a row of teams or holds; the one of the two names that is meant is set.
type span struct {
	Team   string `json:"team,omitempty"`
	Reason string `json:"reason,omitempty"`
	Since  stamp  `json:"since"`
	Until  *stamp `json:"until"`
}

// trouble is a row of incidents.
type trouble struct {
	Origin        string    `json:"origin"`
	Shard         uint32    `json:"shard"`
	Incident      uint64    `json:"incident"`
	Version       uint64    `json:"version"`
	Number        string    `json:"number"`
	Tenant        string    `json:"tenant"`
	Phase         string    `json:"phase"`
	Priority      uint8     `json:"priority"`
	Title         string    `json:"title"`
	CI            string    `json:"ci"`
	Services      []string  `json:"services"`
	Team          string    `json:"team"`
	Signature     uint64    `json:"signature"`
	Opened        stamp     `json:"opened_at"`
	Automatic     bool      `json:"automatic"`
	FirstEvent    *stamp    `json:"first_event_at"`
	Received      *stamp    `json:"received_at"`
	LastClear     *stamp    `json:"last_clear_at"`
	Acked         *stamp    `json:"first_acked_at"`
	Resolved      *stamp    `json:"resolved_at"`
	ResolvedHuman bool      `json:"resolved_human"`
	Closed        *stamp    `json:"closed_at"`
	MergedInto    uint64    `json:"merged_into"`
	Resolves      []resolve `json:"resolves"`
	Reopens       []stamp   `json:"reopens"`
	ReopenCount   uint32    `json:"reopen_count"`
	Teams         []span    `json:"teams"`
	Holds         []span    `json:"holds"`
	Reassignments uint32    `json:"reassignments"`

	changes []version
}

// version is a row of incident_versions, as far as the reports read it.
type version struct {
	Origin   string `json:"origin"`
	Shard    uint32 `json:"shard"`
	Incident uint64 `json:"incident"`
	Seq      uint64 `json:"seq"`
	At       stamp  `json:"at"`
	Phase    string `json:"phase"`
	Opened   stamp  `json:"opened_at"`
}

type outage struct {
	Shard     uint32   `json:"shard"`
	Outage    uint32   `json:"outage"`
	Version   uint64   `json:"version"`
	Tenant    string   `json:"tenant"`
	Service   string   `json:"service"`
	Kind      string   `json:"kind"`
	State     string   `json:"state"`
	Began     stamp    `json:"began_at"`
	Ended     *stamp   `json:"ended_at"`
	Cause     string   `json:"cause"`
	Known     stamp    `json:"known_at"`
	Incidents []uint64 `json:"incidents"`
}

type item struct {
	Tenant     string            `json:"tenant"`
	ID         string            `json:"id"`
	Known      stamp             `json:"known_at"`
	Shard      uint32            `json:"shard"`
	Seq        uint64            `json:"seq"`
	ValidFrom  stamp             `json:"valid_from"`
	Gone       bool              `json:"gone"`
	Class      string            `json:"class"`
	Name       string            `json:"name"`
	State      string            `json:"state"`
	Attributes map[string]string `json:"attributes"`
}

type message struct {
	At       stamp  `json:"at"`
	Instance string `json:"instance"`
	Number   uint64 `json:"number"`
	Shard    uint32 `json:"shard"`
	Tenant   string `json:"tenant"`
	Incident uint64 `json:"incident"`
	Kind     string `json:"kind"`
	Team     string `json:"team"`
	Person   string `json:"person"`
	Rings    bool   `json:"rings"`
}

// world is a small history.
type world struct {
	incidents []*trouble
	outages   []*outage
	items     []*item
	messages  []*message
}

// store is an empty database on the real engine that worlds are put into.
type store struct {
	*clickhouse.DB
	t      testing.TB
	insert func(statement string)
	name   string
}

func openStore(t testing.TB) *store {
	t.Helper()
	e, database := chdbtest.Database(t)
	u, err := url.Parse(e.URL())
	require.NoError(t, err)
	u.User, u.Path = url.UserPassword(e.Writer().User, e.Writer().Password), "/"+database
	reader := *u
	reader.User = url.UserPassword(e.Reader().User, e.Reader().Password) // who asks for reports may only read, and has the reader's limits
	db, err := clickhouse.Open(t.Context(), clickhouse.Options{
		URL: u.String(), ReaderURL: reader.String(), Logger: slog.New(slog.DiscardHandler),
		Retention: clickhouse.Retention{Facts: clickhouse.Forever, Incidents: clickhouse.Forever}, // the histories of tests do not grow old
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return &store{DB: db, t: t, name: database, insert: func(statement string) { chdbtest.Exec(t, e, statement) }}
}

// put inserts a world.
func (s *store) put(w *world) {
	s.t.Helper()
	var changes []version
	for _, i := range w.incidents {
		for n, c := range i.changes {
			c.Origin, c.Shard, c.Incident, c.Opened, c.Seq = i.Origin, i.Shard, i.Incident, i.Opened, uint64(n+1)
			changes = append(changes, c)
		}
	}
	insert(s, "incidents", w.incidents)
	insert(s, "incident_versions", changes)
	insert(s, "outages", w.outages)
	insert(s, "cis", w.items)
	insert(s, "notifications", w.messages)
}

func insert[T any](s *store, table string, rows []T) {
	s.t.Helper()
	if len(rows) == 0 {
		return
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "INSERT INTO %s.%s FORMAT JSONEachRow\n", s.name, table)
	for _, row := range rows {
		text, err := json.Marshal(row)
		require.NoError(s.t, err)
		b.Write(nullsAreEmpty(text))
		b.WriteByte('\n')
	}
	s.insert(b.String())
}

// nullsAreEmpty drops the nils of slices and maps: an array is not Nullable.
func nullsAreEmpty(row []byte) []byte {
	text := string(row)
	for _, name := range []string{"services", "resolves", "reopens", "teams", "holds", "incidents"} {
		text = strings.Replace(text, `"`+name+`":null`, `"`+name+`":[]`, 1)
	}
	return []byte(strings.Replace(text, `"attributes":null`, `"attributes":{}`, 1))
}
