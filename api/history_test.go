package api

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/history"
	"github.com/tocsin-noc/tocsin/history/clickhouse"
	"github.com/tocsin-noc/tocsin/history/projection"
)

// bookkeeper is a history that a test writes.
type bookkeeper struct {
	status  projection.Status
	down    bool
	rebuilt int
	err     error
}

func (k *bookkeeper) Status() projection.Status { return k.status }

func (k *bookkeeper) Sizes(context.Context) ([]clickhouse.Size, error) {
	if k.down {
		return nil, history.ErrDown
	}
	return []clickhouse.Size{{Table: "transitions", Rows: 10, Bytes: 300}}, nil
}

func (k *bookkeeper) Rebuild(context.Context) error {
	k.rebuilt++
	return k.err
}

func TestTheHistorysStatusSaysHowFarItIsAndWhatIsMissing(t *testing.T) {
	began := time.Unix(100, 0)
	k := &bookkeeper{status: projection.Status{
		Up: true, Since: began, Cursor: 90, At: 5000, Head: 100, Lag: 3 * time.Second, Gaps: []projection.Gap{{From: 5, To: 7, Until: 2000}},
		Rebuild: &projection.Rebuild{Began: began, From: 10, Until: 110, Done: 60, Kept: 1000, Rate: 25, Left: 2 * time.Second},
	}}
	f := newFixture(t, func(o *Options) { o.Keeper = k })
	got := get[HistoryStatus](f, "admin", "/api/v1/history")
	require.True(t, got.Up)
	require.Equal(t, uint64(10), got.Entries)
	require.Equal(t, 3.0, got.LagSeconds)
	require.Equal(t, []HistoryTable{{Name: "transitions", Rows: 10, Bytes: 300}}, got.Tables)
	require.Len(t, got.Gaps, 1)
	require.Nil(t, got.Gaps[0].Since)
	require.Equal(t, int64(2), got.Gaps[0].Until.Unix())
	require.True(t, got.Rebuild.Running)
	require.Equal(t, []uint64{11, 50, 100}, []uint64{got.Rebuild.First, got.Rebuild.Done, got.Rebuild.Total})
	require.Equal(t, int64(1), got.Rebuild.KeptSince.Unix())

	k.down, k.status.Up, k.status.Fault = true, false, "history: the engine cannot be reached"
	got = get[HistoryStatus](f, "admin", "/api/v1/history")
	require.False(t, got.Up)
	require.Empty(t, got.Tables)
	require.Equal(t, k.status.Fault, got.Fault)
}

func TestTheHistoryIsRebuiltByAdminsOfTheFirstTenantOnly(t *testing.T) {
	k := &bookkeeper{}
	f := newFixture(t, func(o *Options) { o.Keeper = k })
	for who, status := range map[string]int{"viewer": 403, "manager": 403, "stranger": 403, "admin": 202} {
		require.Equal(t, status, f.call(who, "POST", "/api/v1/history/rebuild", "").StatusCode, who)
	}
	require.Equal(t, 1, k.rebuilt)
	require.Equal(t, 403, f.call("stranger", "GET", "/api/v1/history", "").StatusCode)
	k.err = projection.ErrBusy
	answer := f.call("admin", "POST", "/api/v1/history/rebuild", "")
	require.Equal(t, 409, answer.StatusCode)
	require.Contains(t, answer.text, "tocsin history status")
	k.err = history.ErrDown
	require.Equal(t, 503, f.call("admin", "POST", "/api/v1/history/rebuild", "").StatusCode)
}

func TestTheDaemonsStatusTellsAdminsHowTheHistoryDoes(t *testing.T) {
	k := &bookkeeper{status: projection.Status{Up: true, Cursor: 90, Head: 100, Lag: 3 * time.Second}}
	f := newFixture(t, func(o *Options) { o.Keeper = k })
	require.Equal(t, &HistoryBrief{Up: true, Entries: 10, LagSeconds: 3}, get[Status](f, "admin", "/api/v1/status").History)
	require.Nil(t, get[Status](f, "viewer", "/api/v1/status").History)
	k.status = projection.Status{Off: true, Fault: "history.url is none"}
	require.Equal(t, &HistoryBrief{Off: true, Fault: "history.url is none"}, get[Status](f, "admin", "/api/v1/status").History)
	require.True(t, get[HistoryStatus](f, "admin", "/api/v1/history").Off)
}

// offHistory is the history of a daemon that keeps none.
type offHistory struct{}

func (offHistory) Query(context.Context, string, map[string]string) (*history.Table, error) {
	return nil, fmt.Errorf("%w: %w", history.ErrDown, history.ErrOff)
}

func TestAHistoryThatIsOffIsNotCalledUnreachable(t *testing.T) {
	f := newFixture(t, func(o *Options) { o.History = offHistory{} }).storm()
	answer := f.call("viewer", "GET", "/api/v1/incidents/INC-1/similar", "")
	require.Equal(t, 503, answer.StatusCode)
	require.Contains(t, answer.text, `"history_off"`)
	require.Contains(t, answer.text, "the history is off")
}
