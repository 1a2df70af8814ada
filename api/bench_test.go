package api

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/internal/auth"
)

// discard is a response writer that costs nothing.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(int)             {}

// BenchmarkWhatAMountedHandlerPaysForTheWayToIt: recovery, metrics, guard, deadlines and mux around a sender's request.
func BenchmarkWhatAMountedHandlerPaysForTheWayToIt(b *testing.B) {
	guard, err := auth.NewGuard(auth.Options{Listen: "127.0.0.1:9595"}, auth.Credentials{})
	require.NoError(b, err)
	ok := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	h, err := New(Options{
		Engine: &testEngine{}, Guard: guard, Registerer: prometheus.NewRegistry(),
		Mounts: []Mount{{"/api/v2/", ok, Checked}},
	})
	require.NoError(b, err)
	r := httptest.NewRequest(http.MethodPost, "http://localhost:9595/api/v2/alerts", nil)
	r.RemoteAddr = "127.0.0.1:40000"
	w := discard{http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		h.ServeHTTP(w, r)
	}
}
