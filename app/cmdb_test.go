package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/api"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/ingest/cmdb"
)

// estateWithin is generous: the goal is 5 s, on a machine of its own.
const estateWithin = 60 * time.Second

// estate is hosts in racks that rest on each other in rows of ten, in clusters that services rest on.
func estate() []event.CI {
	cis := make([]event.CI, 0, estateItems)
	to := func(kind event.RelationKind, id string, args ...any) event.Relation {
		return event.Relation{Kind: kind, To: fmt.Sprintf(id, args...)}
	}
	const services, clusters = 50, 450
	for i := range services {
		ci := event.CI{ID: fmt.Sprintf("service-%02d", i), Class: event.ServiceClass, Attributes: event.Labels{{Name: "criticality", Value: fmt.Sprint(1 + i%4)}}}
		for n := range 9 {
			ci.Relations = append(ci.Relations, to(event.DependsOn, "cluster-%03d", i*9+n))
		}
		cis = append(cis, ci)
	}
	for i := range clusters {
		cis = append(cis, event.CI{ID: fmt.Sprintf("cluster-%03d", i), Class: "cluster", Needs: 2})
	}
	hosts := estateItems - services - clusters
	for i := range hosts {
		id := fmt.Sprintf("host-%05d", i)
		ci := event.CI{ID: id, Class: "host", Name: id + ".example.org", Attributes: event.Labels{
			{Name: "location", Value: fmt.Sprintf("rack %d", i%100)}, {Name: "owner", Value: fmt.Sprintf("team-%d", i%20)},
		}}
		for n := 1; n <= 3; n++ {
			ci.Relations = append(ci.Relations, to(event.ConnectsTo, "host-%05d", (i+n)%hosts))
		}
		if i%10 != 0 {
			ci.Relations = append(ci.Relations, to(event.DependsOn, "host-%05d", i-1))
		} else {
			ci.Relations = append(ci.Relations, to(event.ConnectsTo, "host-%05d", (i+7)%hosts))
		}
		ci.Relations = append(ci.Relations, to(event.PartOf, "cluster-%03d", i%clusters))
		cis = append(cis, ci)
	}
	return cis
}

type file struct{ name, text string }

// estateFiles writes the estate in a format.
func estateFiles(tb testing.TB, format string) []file {
	tb.Helper()
	switch format {
	case "yaml":
		var b bytes.Buffer
		require.NoError(tb, cmdb.Write(&b, func(yield func(event.CI) bool) {
			for _, ci := range estate() {
				if !yield(ci) {
					return
				}
			}
		}))
		return []file{{"cmdb.yml", b.String()}}
	case "json":
		var items []map[string]any
		for _, ci := range estate() {
			it := map[string]any{"id": ci.ID, "class": ci.Class, "attributes": ci.Attributes.Map()}
			if ci.Needs > 0 {
				it["needs"] = ci.Needs
			}
			if ci.Name != "" {
				it["name"] = ci.Name
			}
			for _, r := range ci.Relations {
				list, _ := it[r.Kind.String()].([]string)
				it[r.Kind.String()] = append(list, r.To)
			}
			items = append(items, it)
		}
		text, err := json.Marshal(map[string]any{"cis": items})
		require.NoError(tb, err)
		return []file{{"cmdb.json", string(text)}}
	}
	var items, relations strings.Builder
	items.WriteString("id,class,name,needs,location,owner,criticality\n")
	relations.WriteString("from,kind,to\n")
	for _, ci := range estate() {
		needs := ""
		if ci.Needs > 0 {
			needs = fmt.Sprint(ci.Needs)
		}
		a := ci.Attributes
		fmt.Fprintf(&items, "%s,%s,%s,%s,%s,%s,%s\n", ci.ID, ci.Class, ci.Name, needs, a.Get("location"), a.Get("owner"), a.Get("criticality"))
		for _, r := range ci.Relations {
			fmt.Fprintf(&relations, "%s,%s,%s\n", ci.ID, r.Kind, r.To)
		}
	}
	return []file{{"cis.csv", items.String()}, {"relations.csv", relations.String()}}
}

// daemon is one over a data directory that outlives it.
type daemon struct {
	tb   testing.TB
	app  *App
	stop func()
}

func start(tb testing.TB, data string) *daemon {
	tb.Helper()
	config := filepath.Join(tb.TempDir(), "tocsin.yml")
	require.NoError(tb, os.WriteFile(config, nil, 0o600))
	a, err := New(Options{ConfigFile: config, Data: data, Listen: "127.0.0.1:0", Version: "test", Stdout: io.Discard, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(tb, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	return &daemon{tb, a, func() {
		cancel()
		require.NoError(tb, <-done)
	}}
}

// call sends a request and returns the answer's status and text.
func (d *daemon) call(method, path, contentType string, body []byte) (int, []byte) {
	d.tb.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, d.app.URL()+"/api/v1/"+path, bytes.NewReader(body))
	require.NoError(d.tb, err)
	req.Header.Set("Content-Type", contentType)
	res, err := http.DefaultClient.Do(req)
	require.NoError(d.tb, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(d.tb, err)
	return res.StatusCode, text
}

func read[T any](d *daemon, path string) (out T) {
	d.tb.Helper()
	status, text := d.call("GET", path, "", nil)
	require.Equal(d.tb, 200, status, string(text))
	require.NoError(d.tb, json.Unmarshal(text, &out))
	return out
}

// send imports files as a multipart.
func (d *daemon) send(query url.Values, files ...file) (int, api.Import, string) {
	d.tb.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, f := range files {
		part, err := w.CreateFormFile("file", f.name)
		require.NoError(d.tb, err)
		_, err = io.WriteString(part, f.text)
		require.NoError(d.tb, err)
	}
	require.NoError(d.tb, w.Close())
	status, text := d.call("POST", "cmdb/import?"+query.Encode(), "multipart/mixed; boundary="+w.Boundary(), b.Bytes())
	var out api.Import
	if status == 200 {
		require.NoError(d.tb, json.Unmarshal(text, &out))
	}
	return status, out, string(text)
}

func (d *daemon) head() string {
	return read[struct {
		Head string `json:"head"`
	}](d, "status").Head
}

// TestAnEstateIsImportedOnceAndKept imports 50,000 items through the daemon, again, and asks after a restart with and without a snapshot.
func TestAnEstateIsImportedOnceAndKept(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	data := t.TempDir()
	d := start(t, data)
	files := estateFiles(t, "yaml")
	began := time.Now()
	status, out, text := d.send(url.Values{"source": {"estate"}, "diffs": {"2"}}, files...)
	took := time.Since(began)
	require.Equal(t, 200, status, text)
	require.Equal(t, []any{estateItems, estateItems, 0, estateItems, 2}, []any{out.Read, out.Changed, out.Unchanged, out.Would.New, len(out.Would.Diffs)})
	require.Less(t, took, estateWithin)
	t.Logf("%d items imported in %v (%d bytes of YAML)", estateItems, took.Round(time.Millisecond), len(files[0].text))

	head := d.head()
	for _, format := range []string{"yaml", "json", "csv"} {
		began = time.Now()
		status, out, text = d.send(url.Values{"source": {"estate"}, "prune": {"true"}}, estateFiles(t, format)...)
		require.Equal(t, 200, status, text)
		require.Equal(t, []any{0, estateItems, 0}, []any{out.Changed, out.Unchanged, out.Would.Total}, "%s: %s", format, text)
		t.Logf("again as %s: %v", format, time.Since(began).Round(time.Millisecond))
	}
	require.Equal(t, head, d.head(), "what says nothing new is not journaled")

	known := time.Now().UTC().Add(-10 * time.Millisecond)
	status, text2 := d.call("PUT", "cis/host-00012", "application/json", []byte(`{"attributes":{"owner":"ann"},"relations":{"part_of":["cluster-001"]}}`))
	require.Equal(t, 200, status, string(text2))
	moment := "valid=" + url.QueryEscape(known.Format(time.RFC3339Nano)) + "&known=" + url.QueryEscape(time.Now().UTC().Format(time.RFC3339Nano))
	answers := func() map[string]string {
		out := map[string]string{}
		for _, path := range []string{
			"cis?q=host-0001&limit=20", "cis/host-00012", "cis/host-00012?" + moment, "cis/host-00012/versions", "cis/host-00010/impact", "cis/host-00010/impact?" + moment,
			"cis/service-00/deps?hops=2", "cis/cluster-001", "services/service-01/ready",
		} {
			status, text := d.call("GET", path, "", nil)
			require.Equal(t, 200, status, "%s: %s", path, text)
			out[path] = string(text)
		}
		return out
	}
	before := answers()
	require.Contains(t, before["cis/host-00012"], `"owner":"ann"`)
	require.NotContains(t, before["cis/host-00012?"+moment], "ann")
	impact := read[api.CIWalk](d, "cis/host-00010/impact")
	require.Len(t, impact.Steps, 4, "the next host, both their clusters and a service: host 12 stands on nothing any more")
	then := read[api.CIWalk](d, "cis/host-00010/impact?valid="+url.QueryEscape(known.Format(time.RFC3339Nano)))
	require.Len(t, then.Steps, 9+10+2, "then the whole row failed, and its clusters and their services were degraded")

	status, text2 = d.call("POST", "admin/snapshot", "", nil)
	require.Equal(t, 204, status, string(text2))
	d.stop()
	d = start(t, data)
	require.Equal(t, before, answers(), "from the snapshot")
	d.stop()
	for _, dir := range []string{"snapshots", "snapshot"} {
		_ = os.RemoveAll(filepath.Join(data, dir))
	}
	began = time.Now()
	d = start(t, data)
	t.Logf("replayed without a snapshot in %v", time.Since(began).Round(time.Millisecond))
	require.Equal(t, before, answers(), "from the journal")
	_, exported := d.call("GET", "cmdb/export", "", nil)
	status, out, text = d.send(url.Values{"source": {"estate"}, "dry_run": {"true"}}, file{"export.yml", string(exported)})
	require.Equal(t, 200, status, text)
	require.Equal(t, []any{estateItems, 0}, []any{out.Read, out.Would.Total}, text)
	d.stop()
}

// BenchmarkAnEstateOverHTTP is an import of 50,000 items with 250,000 relations into an empty daemon, from the first byte sent to the
// answer.
func BenchmarkAnEstateOverHTTP(b *testing.B) {
	for _, format := range []string{"yaml", "json", "csv"} {
		b.Run(format, func(b *testing.B) {
			files := estateFiles(b, format)
			for b.Loop() {
				b.StopTimer()
				d := start(b, b.TempDir())
				b.StartTimer()
				status, out, text := d.send(url.Values{"source": {"estate"}}, files...)
				b.StopTimer()
				require.Equal(b, 200, status, text)
				require.Equal(b, estateItems, out.Changed)
				d.stop()
				b.StartTimer()
			}
		})
	}
}
