package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/ingest/cmdb"
)

// ciFiles is package ingest/cmdb, as the daemon wires it.
type ciFiles struct{}

func (ciFiles) Read(in CIInput) CIBatch {
	var texts []cmdb.Text
	for _, t := range in.Texts {
		texts = append(texts, cmdb.Text(t))
	}
	res, err := cmdb.Parse(cmdb.Input{Texts: texts, Format: cmdb.Format(in.Format), Cluster: in.Cluster, Lenient: in.Lenient})
	out := CIBatch{Format: string(res.Format), CIs: res.CIs, Faults: res.Problems.Total, Refused: err != nil}
	for _, p := range res.Problems.First {
		out.Problems = append(out.Problems, p.String())
	}
	for _, s := range res.Skipped {
		out.Skipped = append(out.Skipped, Skipped(s))
	}
	return out
}

func (ciFiles) Write(w io.Writer, cis iter.Seq[event.CI]) error { return cmdb.Write(w, cis) }

func withFiles(o *Options) { o.CIFiles = ciFiles{} }

// shop is a service on two web hosts of which one is enough, which stand on a database.
const shop = `
services:
  - {id: shop, name: Web shop, owner: Ada, team: web, criticality: 1, depends_on: [web]}
cis:
  - {id: web, class: cluster}
  - {id: web-1, class: host, name: web-1.example.org, part_of: web, attributes: {rack: "7"}, depends_on: db}
  - {id: web-2, class: host, part_of: web}
  - {id: db, class: database, hosted_on: db-1}
  - {id: db-1, class: host}
`

func asYAML(r *http.Request) { r.Header.Set("Content-Type", "text/yaml") }

// load imports a text as the manager.
func (f *fixture) load(query, text string) Import {
	f.t.Helper()
	res := f.call("manager", "POST", "/api/v1/cmdb/import?"+query, text, asYAML)
	require.Equal(f.t, 200, res.StatusCode, res.text)
	var out Import
	require.NoError(f.t, json.Unmarshal([]byte(res.text), &out))
	return out
}

func stocked(t *testing.T) *fixture {
	f := newFixture(t, withFiles)
	f.load("source=files", shop)
	return f
}

func (f *fixture) fails(who, method, path, body string, status int, words ...string) {
	f.t.Helper()
	res := f.call(who, method, "/api/v1/"+path, body)
	require.Equal(f.t, status, res.StatusCode, "%s: %s", path, res.text)
	for _, w := range words {
		require.Contains(f.t, res.text, w, path)
	}
}

func idsOf(list CIList) string {
	var out []string
	for _, c := range list.CIs {
		out = append(out, c.ID)
	}
	return strings.Join(out, " ")
}

func TestAnImportSaysWhatChangesAndIsCarriedOutOnce(t *testing.T) {
	f := newFixture(t, withFiles)
	dry := f.load("source=files&dry_run=true&name=shop.yml", shop)
	require.Equal(t, []any{"files", "native", true, 6, 0, 0, 6, 6}, []any{dry.Source, dry.Format, dry.DryRun, dry.Read, dry.Changed, dry.Unchanged, dry.Would.New, len(dry.Would.Diffs)})
	require.Zero(t, f.engine.seq, "a dry run is no input")
	require.Contains(t, dry.Would.Diffs[4].Fields, CIField{"relations.part_of.web", "", "files"})

	out := f.load("source=files&diffs=2", shop)
	require.Equal(t, []any{6, 6, 2}, []any{out.Changed, out.Would.Total, len(out.Would.Diffs)})
	require.Equal(t, uint64(1), f.engine.seq, "one command")
	out = f.load("source=files&prune=true", shop)
	require.Equal(t, []any{0, 6, 0, true}, []any{out.Changed, out.Unchanged, out.Would.Total, out.Known == nil})
	require.Equal(t, uint64(1), f.engine.seq, "what says nothing new is not journaled")

	next := strings.NewReplacer("rack: \"7\"", "rack: \"8\"", "  - {id: web-2, class: host, part_of: web}\n", "").Replace(shop)
	require.Zero(t, f.load("source=other&prune=true&dry_run=true", "cis: [{id: web-2, class: host}]").Would.Retired, "another source's are not this one's to retire")
	out = f.load("source=files&prune=true", next)
	require.Equal(t, []any{2, 4, 1, 1}, []any{out.Changed, out.Unchanged, out.Would.Updated, out.Would.Retired})
	require.Equal(t, []string{"updated web-1", "retired web-2"}, []string{out.Would.Diffs[0].Change + " " + out.Would.Diffs[0].ID, out.Would.Diffs[1].Change + " " + out.Would.Diffs[1].ID})
	require.Equal(t, []CIField{{"attributes.rack", "7", "8"}}, out.Would.Diffs[0].Fields)
	require.Equal(t, "retired", get[CIDetail](f, "viewer", "/api/v1/cis/web-2").State)
	require.Equal(t, "attributes.rack", f.load("source=files", shop).Would.Diffs[0].Fields[0].Field)
	require.Equal(t, "live", get[CIDetail](f, "viewer", "/api/v1/cis/web-2").State, "what its own source names again is back")
}

func TestAnExportIsNoChange(t *testing.T) {
	f := stocked(t)
	f.engine.say("main", "prometheus", false, "alertname", "Down", "severity", "critical", "instance", "new-1:9100")
	require.Equal(t, "new-1", idsOf(get[CIList](f, "viewer", "/api/v1/cis?discovered=true")))
	require.Equal(t, 200, f.call("manager", "PUT", "/api/v1/cis/db-1", `{"attributes":{"owner":"bob \"b\": #1"},"relations":{"connects_to":["web-1"]}}`).StatusCode)
	res := f.call("viewer", "GET", "/api/v1/cmdb/export", "")
	require.Equal(t, []any{200, "text/yaml; charset=utf-8"}, []any{res.StatusCode, res.Header.Get("Content-Type")})
	require.NotContains(t, res.text, "new-1", "what was only seen in alerts is nobody's word")
	seq := f.engine.seq
	out := f.load("source=files&prune=true", res.text)
	require.Equal(t, []any{6, 6, 0}, []any{out.Read, out.Unchanged, out.Would.Total})
	require.Equal(t, seq, f.engine.seq)
	require.NotContains(t, f.call("viewer", "GET", "/api/v1/cmdb/export?source=files", "").text, "connects_to", "a person said so")
	require.Equal(t, 422, f.call("viewer", "GET", "/api/v1/cmdb/export?status=broken", "").StatusCode)
	require.Contains(t, f.call("viewer", "GET", "/api/v1/cmdb/export?class=none", "").text, "cis: []")
}

func TestAHalfBrokenImportChangesNothing(t *testing.T) {
	f := stocked(t)
	seq := f.engine.seq
	imported := func(query, text string) answer {
		return f.call("manager", "POST", "/api/v1/cmdb/import?"+query, text, asYAML)
	}
	for text, want := range map[string]string{
		"cis: [{id: a, class: host}, {id: b}]":                                                    "bad.yml:1:29: class",
		"cis: [{id: a, class: host, stat: live}]":                                                 "did you mean \\\"state\\\"?",
		"cis: [{id: a, class: host, part_of: webb}]":                                              "there is no such CI (did you mean web?)",
		"cis: [{id: a, class: host, part_of: b}, {id: b, class: host, part_of: a}]":               "goes in a circle",
		"cis: [{id: db, class: database, hosted_on: db-1}, {id: db-1, class: host, part_of: web}": "bad.yml",
		"cis: [{id: a, class: host}, {id: a, class: host}]":                                       "taken at",
		"services: [{id: shop, criticality: 9}]":                                                  "criticality",
		"\xff\xfe\x00":                                                                            "UTF-8",
		"cis: [{id: a, class: host, attributes: {b: \"" + strings.Repeat("x", 5000) + "\"}}]":     "4096",
		"&a [*a, *a]":                            "bad.yml",
		"cis: [{id: \"a\\u0007\", class: host}]": "control",
	} {
		res := imported("name=bad.yml", text)
		require.Equal(t, 422, res.StatusCode, "%s: %s", text, res.text)
		require.Contains(t, res.text, want, text)
	}
	var many strings.Builder
	many.WriteString("cis:\n")
	for i := range 300 {
		fmt.Fprintf(&many, "  - {id: x-%d, class: host, depends_on: nobody-%d}\n", i, i)
	}
	p := imported("", many.String()).problem(t)
	require.Equal(t, "300 problems in all, 280 not shown", p.Detail)
	require.Len(t, p.Errors, 20)
	p = imported("name=many.yml", "cis:\n"+strings.Repeat("  - {id: x}\n", 300)).problem(t)
	require.Contains(t, p.Detail, "300 problems, of which 100 are shown")
	require.Contains(t, p.Errors[1], "many.yml:3:")

	require.Equal(t, 422, imported("prune=true&source=files", "cis: []").StatusCode, "an empty file retires nothing")
	require.Equal(t, 422, imported("prune=true&lenient=true", shop).StatusCode)
	require.Contains(t, imported("prune=true", shop).text, "prune needs the name of the import")
	for _, source := range []string{"people", "alerts", "-x", "a%20b"} {
		require.Equal(t, 422, imported("source="+source, shop).StatusCode, source)
	}
	require.Equal(t, 422, imported("format=xml", shop).StatusCode)
	require.Equal(t, seq, f.engine.seq, "nothing of it was journaled")
	require.Equal(t, 6, get[CIList](f, "viewer", "/api/v1/cis").Total)

	out := f.load("lenient=true&name=l.yml", "cis: [{id: a, class: host}, {id: b}]")
	require.Equal(t, []any{1, 1, 1}, []any{out.Read, out.Changed, out.Faults})
	require.Contains(t, out.Problems[0], "l.yml:1:29")
}

func TestManifestsMayNameWhatIsNotInThem(t *testing.T) {
	f := newFixture(t, withFiles)
	out := f.load("format=kubernetes", "apiVersion: v1\nkind: Pod\nmetadata: {name: web-1, namespace: shop}\nspec: {nodeName: node-7}\n")
	require.Equal(t, 1, out.UnknownCount)
	require.Contains(t, out.Unknown[0], "node-7")
	require.Empty(t, f.load("format=kubernetes", "apiVersion: v1\nkind: Node\nmetadata: {name: node-7}\n").Unknown)
	f.engine.say("main", "prometheus", false, "alertname", "Down", "severity", "critical", "node", "node-7")
	require.Equal(t, "down", get[CIDetail](f, "viewer", "/api/v1/cis/shop%2Fpod%2Fweb-1").Status, "now it is known")
}

func TestAnImportOfSeveralFilesIsOne(t *testing.T) {
	f := newFixture(t, withFiles)
	send := func(names ...string) answer {
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		for i, name := range names {
			part, err := w.CreateFormFile("file", name)
			require.NoError(t, err)
			_, err = io.WriteString(part, []string{"id,class\na,host\nb,host\n", "from,kind,to\na,depends_on,b\n"}[i%2])
			require.NoError(t, err)
		}
		require.NoError(t, w.Close())
		return f.call("manager", "POST", "/api/v1/cmdb/import?source=csv", b.String(), func(r *http.Request) { r.Header.Set("Content-Type", w.FormDataContentType()) })
	}
	res := send("dir/cis.csv", "relations.csv")
	require.Equal(t, 200, res.StatusCode, res.text)
	require.Equal(t, "b", get[CIDetail](f, "viewer", "/api/v1/cis/a").Relations[0].ID)
	require.Equal(t, uint64(1), f.engine.seq)
	res = send("dir/cis.csv", "relations.csv", "dir/more.csv")
	require.Equal(t, 422, res.StatusCode)
	require.Contains(t, res.text, "dir/more.csv:2", "the name with its folder")
	require.Equal(t, 422, send().StatusCode)
	broken := f.call("manager", "POST", "/api/v1/cmdb/import", "--x\r\nnothing", func(r *http.Request) { r.Header.Set("Content-Type", "multipart/mixed; boundary=x") })
	require.Equal(t, 422, broken.StatusCode, broken.text)
	require.Equal(t, 415, f.call("manager", "POST", "/api/v1/cmdb/import", "x", func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }).StatusCode)
	require.Equal(t, 413, f.call("manager", "POST", "/api/v1/cmdb/import", strings.Repeat("#", maxImport+1), asYAML).StatusCode)
	require.Equal(t, 413, f.call("manager", "POST", "/api/v1/cmdb/import", strings.Repeat("#", maxMessage+1), asYAML).StatusCode)
}

func TestItemsAreListedAndShown(t *testing.T) {
	f := stocked(t)
	for query, want := range map[string]string{
		"": "db db-1 shop web web-1 web-2", "class=host": "db-1 web-1 web-2", "class=host,cluster": "db-1 web web-1 web-2", "q=EXAMPLE": "web-1", "q=7": "web-1",
		"owner=Ada": "shop", "team=web": "shop", "source=files&class=database": "db", "source=people": "", "discovered=true": "", "state=retired": "", "status=up": "db db-1 shop web web-1 web-2",
	} {
		require.Equal(t, want, idsOf(get[CIList](f, "viewer", "/api/v1/cis?"+query)), query)
	}
	first := get[CIList](f, "viewer", "/api/v1/cis?limit=4")
	require.Equal(t, []any{6, "db db-1 shop web"}, []any{first.Total, idsOf(first)})
	second := get[CIList](f, "viewer", "/api/v1/cis?limit=4&cursor="+first.NextCursor)
	require.Equal(t, []any{6, "web-1 web-2", ""}, []any{second.Total, idsOf(second), second.NextCursor})
	for _, bad := range []string{"cis?state=broken", "cis?status=none", "cis?cursor=x", "cis?limit=0", "cis?colour=red", "cis?discovered=maybe", "cis/web/deps?hops=0", "cis/web/impact?limit=0"} {
		require.Equal(t, 422, f.call("viewer", "GET", "/api/v1/"+bad, "").StatusCode, bad)
	}

	f.engine.say("main", "prometheus", false, "alertname", "Down", "severity", "critical", "instance", "db-1:9100")
	db := get[CIDetail](f, "viewer", "/api/v1/cis/db-1")
	require.Equal(t, []any{"down", int32(1), uint32(1)}, []any{db.Status, db.Failing, db.AlertCount})
	require.Equal(t, []CIRelation{{"hosted_on", "db", "database", "db", "down", ""}}, db.Incoming)
	require.Equal(t, []any{"Down", "label", "instance", "INC-1"}, []any{db.Alerts[0].Name, db.Alerts[0].Bound, db.Alerts[0].Label, db.Alerts[0].Incident})
	require.Equal(t, "INC-1", db.Incidents[0].ID)
	require.Equal(t, []HurtService{{"shop", "Web shop", "degraded", 1, 4}}, db.Services)
	require.Equal(t, "db db-1 web-1", idsOf(get[CIList](f, "viewer", "/api/v1/cis?status=down")))
	require.Equal(t, "shop web", idsOf(get[CIList](f, "viewer", "/api/v1/cis?status=degraded")))
	require.Equal(t, 404, f.call("viewer", "GET", "/api/v1/cis/nobody", "").StatusCode)
}

func TestIDsWithSlashesAreEscaped(t *testing.T) {
	f := newFixture(t, withFiles)
	for _, id := range []string{"shop/pod/web-1", "https://x.example.org/a?b=c#d", "a b", "ü", "50%", "a/../b"} {
		path := "/api/v1/cis/" + url.PathEscape(id)
		res := f.call("manager", "PUT", path, `{"class":"pod"}`)
		require.Equal(t, 200, res.StatusCode, "%s: %s", id, res.text)
		require.Equal(t, id, get[CIDetail](f, "viewer", path).ID)
		require.Equal(t, id, get[CIWalk](f, "viewer", path+"/deps").ID)
	}
	require.Contains(t, f.call("viewer", "GET", "/metrics", "").text, `tocsin_api_requests_total{code="2xx",route="GET /api/v1/cis/{id}/deps"} 6`)
}

func TestImpactAndDepsAreWalked(t *testing.T) {
	f := stocked(t)
	said := func(w CIWalk) string {
		var out []string
		for _, s := range w.Steps {
			out = append(out, fmt.Sprintf("%d %s %s %s %s", s.Hops, s.Via, s.Kind, s.ID, s.Status))
		}
		return strings.Join(out, ", ")
	}
	impact := get[CIWalk](f, "viewer", "/api/v1/cis/db-1/impact")
	require.Equal(t, "1 db-1 hosted_on db down, 2 db depends_on web-1 down, 3 web-1 part_of web degraded, 4 web depends_on shop degraded", said(impact))
	require.Equal(t, []HurtService{{"shop", "Web shop", "degraded", 1, 4}}, impact.Services)
	require.Equal(t, []any{true, 2}, []any{get[CIWalk](f, "viewer", "/api/v1/cis/db-1/impact?limit=2").More, len(get[CIWalk](f, "viewer", "/api/v1/cis/db-1/impact?limit=2").Steps)})
	deps := get[CIWalk](f, "viewer", "/api/v1/cis/shop/deps?hops=2")
	require.Contains(t, said(deps), "1 shop depends_on web up")
	require.Len(t, deps.Steps, 3)
	require.Empty(t, get[CIWalk](f, "viewer", "/api/v1/cis/db-1/deps").Steps)

	then := time.Now()
	time.Sleep(2 * time.Millisecond) // what is known then is not known now
	f.load("source=files", strings.Replace(shop, "hosted_on: db-1", "attributes: {cloud: \"yes\"}", 1))
	require.Empty(t, get[CIWalk](f, "viewer", "/api/v1/cis/db-1/impact").Steps)
	at := "known=" + url.QueryEscape(then.UTC().Format(time.RFC3339Nano))
	was := get[CIWalk](f, "viewer", "/api/v1/cis/db-1/impact?"+at)
	require.Equal(t, said(impact), said(was))
	require.Equal(t, then.UnixMilli(), was.Known.UnixMilli())
	require.Len(t, get[CIWalk](f, "viewer", "/api/v1/cis/shop/deps?"+at).Steps, 5)
	db := get[CIDetail](f, "viewer", "/api/v1/cis/db?"+at)
	require.Equal(t, []any{"db-1", "depends_on web-1", map[string]string{}}, []any{db.Relations[0].ID, db.Incoming[0].Kind + " " + db.Incoming[0].ID, db.Attributes})
	require.Equal(t, "yes", get[CIDetail](f, "viewer", "/api/v1/cis/db").Attributes["cloud"])

	f.fails("viewer", "GET", "cis/db?known=2000-01-01T00:00:00Z", "", 404, "leaves memory after 30 days")
	f.fails("viewer", "GET", "cis/db/impact?valid=2000-01-01T00:00:00Z", "", 404)
	f.fails("viewer", "GET", "cis/db?known=2999-01-01T00:00:00Z", "", 422, "nobody knows yet")
	f.fails("viewer", "GET", "cis/db?known=yesterday", "", 422)
	require.Equal(t, "db", get[CIDetail](f, "viewer", "/api/v1/cis/db?valid=2999-01-01T00:00:00Z").ID)
}

func TestAPersonsChangesArePinned(t *testing.T) {
	f := stocked(t)
	put := func(id, body string) CIDetail {
		res := f.call("manager", "PUT", "/api/v1/cis/"+id, body)
		require.Equal(t, 200, res.StatusCode, res.text)
		var out CIDetail
		require.NoError(t, json.Unmarshal([]byte(res.text), &out))
		return out
	}
	c := put("web-1", `{"attributes":{"rack":"","owner":"ann"},"relations":{"part_of":["web"]}}`)
	require.Equal(t, []any{map[string]string{"owner": "ann"}, []string{"attributes.owner", "attributes.rack", "relations"}, 1}, []any{c.Attributes, c.Pinned, len(c.Relations)})
	require.Zero(t, f.load("source=files", shop).Changed, "an import leaves it alone")
	seq := f.engine.seq
	put("web-1", `{"attributes":{"owner":"ann"}}`)
	require.Equal(t, seq, f.engine.seq, "nothing new")
	require.Equal(t, 200, f.call("manager", "POST", "/api/v1/cis/web-1/release", "").StatusCode)
	require.Equal(t, 1, f.load("source=files", shop).Changed, "now it does not")
	require.Equal(t, "7", get[CIDetail](f, "viewer", "/api/v1/cis/web-1").Attributes["rack"])
	require.Empty(t, put("web-1", `{"relations":{}}`).Relations)

	put("esx-1", `{"class":"host","state":"ordered","valid_from":"`+time.Now().AddDate(1, 0, 0).UTC().Format(time.RFC3339)+`"}`)
	versions := get[CIVersions](f, "viewer", "/api/v1/cis/esx-1/versions").Versions
	require.Equal(t, []any{1, true, false}, []any{len(versions), versions[0].Planned, versions[0].Holds})
	versions = get[CIVersions](f, "viewer", "/api/v1/cis/web-1/versions").Versions
	require.Len(t, versions, 5)
	require.Equal(t, []any{true, true}, []any{versions[4].Holds, len(versions[1].Changes) > 2})

	require.Equal(t, 200, f.call("manager", "POST", "/api/v1/cis/web-2/retire", "").StatusCode)
	require.Equal(t, []any{"retired", "none"}, []any{get[CIDetail](f, "viewer", "/api/v1/cis/web-2").State, get[CIDetail](f, "viewer", "/api/v1/cis/web-2").Status})
	require.Zero(t, f.load("source=files", shop).Changed, "the state of one is a person's now, and so are the relations of the other")

	f.fails("manager", "PUT", "cis/new", `{}`, 422, "needs a class")
	f.fails("manager", "PUT", "cis/new", `{"class":"host","relations":{"depends_on":["nobody"]}}`, 422, "no such CI")
	f.fails("manager", "PUT", "cis/web-1", `{"relations":{"part_of":["web-1"]}}`, 422, "itself")
	f.fails("manager", "PUT", "cis/web", `{"relations":{"part_of":["web-2"]}}`, 422, "circle")
	f.fails("manager", "PUT", "cis/web-1", `{"colour":"red"}`, 422)
	f.fails("manager", "PUT", "cis/web-1", `{"state":"discovered"}`, 422)
	f.fails("manager", "POST", "cis/nobody/retire", "", 404)
	f.fails("manager", "POST", "cis/nobody/release", "", 404)
	f.fails("responder", "PUT", "cis/web-1", `{"name":"x"}`, 403)
	require.Equal(t, 403, f.call("responder", "POST", "/api/v1/cmdb/import", shop, asYAML).StatusCode)
}

func TestUnboundAlertsAreListedWithWhatWasTried(t *testing.T) {
	f := stocked(t)
	f.load("source=twins", "cis: [{id: t-1, class: host, name: twin}, {id: t-2, class: host, name: twin}]")
	f.engine.say("main", "prometheus", false, "alertname", "Nameless", "severity", "critical", "service", "no-such-service", "job", "node")
	f.engine.say("main", "prometheus", false, "alertname", "Twin", "severity", "major", "instance", "twin:9100")
	f.engine.say("main", "prometheus", false, "alertname", "Bound", "severity", "major", "instance", "db-1:9100")
	list := get[UnboundList](f, "viewer", "/api/v1/cis/unbound")
	require.Equal(t, []any{1, 1, 2, 2}, []any{list.Unbound, list.Ambiguous, list.Total, len(list.Alerts)})
	require.Equal(t, []any{"Nameless", "unbound", "", []TryLabel{{"service", "no-such-service"}, {"job", "node"}}},
		[]any{list.Alerts[0].Name, list.Alerts[0].Why, list.Alerts[0].Label, list.Alerts[0].Tried})
	require.Equal(t, []any{"Twin", "ambiguous", "instance"}, []any{list.Alerts[1].Name, list.Alerts[1].Why, list.Alerts[1].Label})
	page := get[UnboundList](f, "viewer", "/api/v1/cis/unbound?limit=1")
	require.Equal(t, []any{2, 1, true}, []any{page.Total, len(page.Alerts), page.NextCursor != ""})
	require.Zero(t, get[UnboundList](f, "stranger", "/api/v1/cis/unbound").Total)
}
