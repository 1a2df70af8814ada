package ingest

import (
	"crypto/sha256"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/auth"
)

func TestABodyIsReadWholeWhateverItsLengthIsSaidToBe(t *testing.T) {
	d := newDoor(t, Limits{BodyBytes: 1 << 20})
	for _, size := range []int{0, 1, firstRead - 1, firstRead, firstRead + 1, 300_000, 1 << 20} {
		body := strings.Repeat("x", size)
		for _, length := range []int64{int64(size), -1} {
			r := request(t.Context(), "")
			r.Body, r.ContentLength = io.NopCloser(iotest.HalfReader(strings.NewReader(body))), length
			b, p := d.Begin(r)
			require.Nil(t, p)
			require.Equal(t, body, string(b.Body))
		}
	}
}

func TestABodyOverTheLimitNamesTheLimitAndGivesTheBatchBack(t *testing.T) {
	for _, length := range []int64{11, -1, 4} { // said, not said, and a lie
		d := newDoor(t, Limits{BodyBytes: 10})
		r := request(t.Context(), "01234567890")
		r.ContentLength = length
		b, p := d.Begin(r)
		require.Nil(t, b)
		require.Equal(t, http.StatusRequestEntityTooLarge, p.Status)
		require.Contains(t, p.Detail, "larger than 10 bytes (limits.body_bytes)")
		require.Equal(t, 1, d.sink.recycled)
	}
}

func TestABodyCutShortIsRefused(t *testing.T) {
	d := newDoor(t, Limits{})
	r := request(t.Context(), "")
	r.Body, r.ContentLength = io.NopCloser(iotest.ErrReader(io.ErrUnexpectedEOF)), 100
	_, p := d.Begin(r)
	require.Equal(t, http.StatusBadRequest, p.Status)
	require.Equal(t, 1, d.sink.recycled)
}

func TestBodyMemoryIsReused(t *testing.T) {
	b := &event.Batch{Body: make([]byte, 0, 4096)}
	r := request(t.Context(), "[]")
	require.Nil(t, readBody(b, r, 100))
	require.Equal(t, 4096, cap(b.Body))
}

func TestASourceAtItsCapKeepsWhatIsKnownAndRefusesWhatIsNew(t *testing.T) {
	d := newDoor(t, Limits{AlertsPerSource: 3})
	taken, refused := d.submit(1, 2)
	require.Equal(t, []int{2, 0}, []int{taken, refused})
	d.at = d.at.Add(2 * time.Second)
	taken, refused = d.submit(1, 2, 3, 4, 5)
	require.Equal(t, []int{3, 2}, []int{taken, refused}, "room for one new alert")
	d.at = d.at.Add(2 * time.Second)
	taken, refused = d.submit(6)
	require.Equal(t, []int{0, 1}, []int{taken, refused})
	taken, refused = d.submit(1, 2, 3)
	require.Equal(t, []int{3, 0}, []int{taken, refused}, "repeats need no room")
	require.EqualValues(t, 3, d.sink.state.Firing(), "the report of the cap went to the engine, not into the core")
}

func TestACapHoldsAlsoBetweenTwoLooksAtTheState(t *testing.T) {
	d := newDoor(t, Limits{AlertsPerSource: 10})
	sum := 0
	for i := range 30 {
		taken, _ := d.submit(i)
		sum += taken
	}
	require.Equal(t, 10, sum)
}

func TestFarFromTheCapTheStateIsLookedAtOnceASecond(t *testing.T) {
	d := newDoor(t, Limits{AlertsPerSource: 1000})
	for i := range 100 {
		d.submit(i)
		d.at = d.at.Add(20 * time.Millisecond)
	}
	require.Equal(t, 2, d.sink.views)
}

func TestTheCapIsReportedOnceAMinuteWithTheSum(t *testing.T) {
	d := newDoor(t, Limits{AlertsPerSource: 1})
	d.submit(0)
	for i := range 90 {
		d.at = d.at.Add(time.Second)
		d.submit(100 + i)
	}
	require.Equal(t, []uint64{1, 60}, d.sink.reports)
	stats := d.prometheus().Stats(d.at)
	require.EqualValues(t, 90, stats.OverCap)
	require.Equal(t, map[string]uint64{"over_cap": 90}, stats.Errors)
	require.Contains(t, stats.LastError, "at its limit of 1 active alerts (limits.alerts_per_source)")
}

func TestWhatTheEngineCannotTakeIsToComeAgainLater(t *testing.T) {
	d := newDoor(t, Limits{})
	d.sink.refuses = errDisk
	_, p := d.Submit(t.Context(), d.prometheus(), d.batch(1), http.StatusServiceUnavailable)
	require.Equal(t, http.StatusServiceUnavailable, p.Status)
	require.Equal(t, 5*time.Second, p.RetryAfter)
	require.Equal(t, errDisk.Error(), d.prometheus().Stats(d.at).LastError)
	require.Zero(t, d.prometheus().Stats(d.at).Events)
}

func TestNothingToTakeTroublesNobody(t *testing.T) {
	d := newDoor(t, Limits{})
	d.sink.refuses = errDisk
	out, p := d.Submit(t.Context(), d.prometheus(), d.batch(), http.StatusServiceUnavailable)
	require.Nil(t, p)
	require.Zero(t, out.Taken)
	require.Equal(t, 1, d.sink.recycled)
}

func TestASenderIsItsKeysSourceElseTheFormats(t *testing.T) {
	d := newDoor(t, Limits{})
	key := auth.Source{Source: event.Source{Name: "eu", Tenant: "acme"}}
	s, p := d.Sender(request(auth.NewSourceContext(t.Context(), key), ""), "api-v2", event.Resender)
	require.Nil(t, p)
	require.Equal(t, event.Source{Name: "eu", Tenant: "acme", Kind: event.Resender}, s.Source)
	key.Kind = event.SendOnce
	s, p = d.Sender(request(auth.NewSourceContext(t.Context(), key), ""), "api-v2", event.Resender)
	require.Nil(t, p)
	require.Equal(t, event.SendOnce, s.Kind, "the configured kind counts")
	s, p = d.Sender(request(asAdmin(t.Context()), ""), "api-v2", event.Resender)
	require.Nil(t, p)
	require.Equal(t, event.Source{Name: "api-v2", Tenant: event.DefaultTenant, Kind: event.Resender}, s.Source)
}

func TestWhoMayNotSendIsRefused(t *testing.T) {
	d := newDoor(t, Limits{})
	for status, who := range map[int]auth.Principal{
		http.StatusUnauthorized: {},
		http.StatusForbidden:    {ID: "vera", Role: auth.Viewer, Tenant: "main"},
	} {
		_, p := d.Sender(request(auth.NewContext(t.Context(), who), ""), "api-v2", event.Resender)
		require.Equal(t, status, p.Status)
	}
	require.Empty(t, d.sources.Stats("main", d.at))
}

func TestAKeysRateIsHeld(t *testing.T) {
	guard, err := auth.NewGuard(auth.Options{}, auth.Credentials{Keys: []auth.Key{{
		Source: auth.Source{Source: event.Source{Name: "eu", Tenant: "main"}, RatePerSecond: 1, Burst: 2}, Digest: sha256.Sum256([]byte("secret")),
	}}})
	require.NoError(t, err)
	d := newDoor(t, Limits{})
	var statuses []int
	h := guard.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		s, p := d.Sender(r, "api-v2", event.Resender)
		require.Nil(t, p)
		status := http.StatusOK
		if _, p := d.Submit(r.Context(), s, d.batch(1, 2), http.StatusServiceUnavailable); p != nil {
			status = p.Status
		}
		statuses = append(statuses, status)
	}))
	for range 2 {
		r := request(t.Context(), "")
		r.Host = "localhost"
		r.SetBasicAuth("eu", "secret")
		r.Header.Set("Content-Type", "application/json")
		h.ServeHTTP(nil, r)
	}
	require.Equal(t, []int{http.StatusOK, http.StatusServiceUnavailable}, statuses)
}
