package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"mime"
	"mime/multipart"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/auth"
	"github.com/tocsin-noc/tocsin/itsm"
)

// CIFiles reads and writes configuration items in the formats that people keep them in.
type CIFiles interface {
	// Read reads texts of one format. What is wrong with them is in the answer; it never fails otherwise.
	Read(in CIInput) CIBatch
	// Write writes items in Tocsin's own format.
	Write(w io.Writer, cis iter.Seq[event.CI]) error
}

// CIInput is what one import reads.
type CIInput struct {
	Texts   []CIText
	Format  string // "" to find out
	Cluster string // of Kubernetes manifests
	Lenient bool   // leave out what has problems
}

// CIText is a file of an import.
type CIText struct {
	Name string // how problems call it
	Data []byte
}

// CIBatch is what was read.
type CIBatch struct {
	Format   string
	CIs      []event.CI // sorted by ID
	Problems []string   // the first of them, each with its place
	Faults   int        // how many problems there are
	Refused  bool       // nothing can be taken of it
	Skipped  []Skipped
}

// Skipped counts what an import holds and Tocsin has no use for.
type Skipped struct {
	What  string `json:"what" example:"v1 ConfigMap"`
	Count int    `json:"count"`
}

// ImportQuery is how an import is asked for.
type ImportQuery struct {
	Source  string `query:"source" maxLength:"64" doc:"name of the import: it replaces the relations that it told of itself, and may prune what it told of first; without it: import"`
	Format  string `query:"format" enum:"native,csv,file_sd,kubernetes,backstage" doc:"without it: found out"`
	Cluster string `query:"cluster" maxLength:"200" doc:"of Kubernetes manifests, which do not name it: begins their IDs"`
	DryRun  bool   `query:"dry_run" doc:"only say what would change"`
	Prune   bool   `query:"prune" doc:"retire what this source told of first and no longer names"`
	Lenient bool   `query:"lenient" doc:"leave out items with problems, and list these, in place of refusing everything; not with prune"`
	Name    string `query:"name" maxLength:"500" default:"import" doc:"how problems call a body that is no multipart"`
	Diffs   int    `query:"diffs" default:"100" minimum:"0" maximum:"100000" doc:"how many changes to show"`
}

// Import is what an import changed, or would change.
type Import struct {
	Source    string    `json:"source"`
	Format    string    `json:"format"`
	DryRun    bool      `json:"dry_run"`
	Read      int       `json:"read" doc:"items in the files"`
	Changed   int       `json:"changed" doc:"items that were changed; 0 of a dry run"`
	Unchanged int       `json:"unchanged" doc:"items in the files that say what is known"`
	Would     CIDiffs   `json:"would_change" doc:"what changes; of a real run: what was changed"`
	Problems  []string  `json:"problems" doc:"why items were left out, the first 100"`
	Faults    int       `json:"problem_count"`
	Skipped   []Skipped `json:"skipped" doc:"what the files hold and Tocsin has no use for"`
	Unknown   []string  `json:"unknown" doc:"items that relations name and nobody has told of yet, the first 20; a fault in native files and CSV"`

	UnknownCount int        `json:"unknown_count"`
	Known        *time.Time `json:"known" doc:"when it became known; null: nothing was changed"`
}

// CIDiffs is what an edit changes.
type CIDiffs struct {
	Total   int      `json:"total"`
	New     int      `json:"new"`
	Updated int      `json:"updated"`
	Retired int      `json:"retired"`
	Diffs   []CIDiff `json:"diffs" doc:"the first of them"`
}

// CIDiff is what changes of one item.
type CIDiff struct {
	Change string     `json:"change" enum:"new,updated,retired"`
	ID     string     `json:"id"`
	Class  string     `json:"class"`
	Name   string     `json:"name"`
	From   *time.Time `json:"valid_from" doc:"since when, or from when on, it holds; null: from now"`
	Fields []CIField  `json:"fields"`
}

const (
	importPath  = root + "/cmdb/import"
	exportPath  = root + "/cmdb/export"
	maxImport   = 64 << 20 // bytes of files; a multipart may be a little larger
	maxMessage  = maxImport + 1<<20
	maxTexts    = 1000 // files of one import
	importsAtA  = 1    // time: each holds its body and what was read of it
	walksAtA    = 2    // time
	importRead  = 2 * time.Minute
	importAfter = 3 * time.Minute // until it is answered
)

// importer takes imports one after the other.
type importer struct {
	desk  *Desk
	files CIFiles
	turn  chan struct{}
}

// wait takes the importer's turn; a second import waits only as long as its request does.
func (x *importer) wait(ctx context.Context) (done func(), err error) {
	select {
	case x.turn <- struct{}{}:
		return func() { <-x.turn }, nil
	case <-ctx.Done():
		return nil, &auth.Problem{Status: http.StatusServiceUnavailable, Code: "busy", Detail: "another import is under way", Hint: "try again in a moment", RetryAfter: 5 * time.Second}
	}
}

// run carries out an import of a body.
func (x *importer) run(ctx context.Context, q *ImportQuery, contentType string, body []byte) (*Import, error) {
	if err := wholeTenant(ctx); err != nil {
		return nil, err
	}
	if err := q.check(); err != nil {
		return nil, err
	}
	texts, err := textsOf(contentType, q.Name, body)
	if err != nil {
		return nil, err
	}
	done, err := x.wait(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	read := x.files.Read(CIInput{Texts: texts, Format: q.Format, Cluster: q.Cluster, Lenient: q.Lenient})
	if read.Refused {
		return nil, unreadable(&read)
	}
	out := &Import{
		Source: q.Source, Format: read.Format, DryRun: q.DryRun, Read: len(read.CIs), Problems: append([]string{}, read.Problems...), Faults: read.Faults,
		Skipped: append([]Skipped{}, read.Skipped...),
	}
	return out, x.apply(ctx, q, &read, out)
}

func (q *ImportQuery) check() error {
	named := q.Source != ""
	if !named {
		q.Source = "import"
	}
	if !regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:/@-]*$`).MatchString(q.Source) || q.Source == event.PeopleSource || q.Source == event.AlertSource {
		return invalid("source: "+q.Source+" cannot be the name of an import", "letters, digits and ._:/@- as in k8s-prod; people and alerts are sources of their own")
	}
	if q.Prune && !named {
		return invalid("prune needs the name of the import", "without a source of its own it would retire what other files told of")
	}
	if q.Prune && q.Lenient {
		return invalid("prune and lenient exclude each other", "what is left out because of a problem would be retired")
	}
	return nil
}

// unreadable says why nothing was imported.
func unreadable(read *CIBatch) error {
	p := &auth.Problem{Status: http.StatusUnprocessableEntity, Code: "invalid", Detail: "nothing was imported", Errors: read.Problems}
	switch more := read.Faults - len(read.Problems); {
	case len(read.Problems) == 1 && more <= 0:
		p.Detail, p.Errors = read.Problems[0], nil
	case more > 0:
		p.Detail = fmt.Sprintf("%d problems, of which %d are shown; nothing was imported", read.Faults, len(read.Problems))
	case read.Faults > 0:
		p.Detail = fmt.Sprintf("%d problems; nothing was imported", read.Faults)
	}
	return p
}

// textsOf takes a body apart: a multipart has several files, anything else is one.
func textsOf(contentType, name string, body []byte) ([]CIText, error) {
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil || kind != "multipart/form-data" && kind != "multipart/mixed" {
		if len(body) > maxImport {
			return nil, tooLarge()
		}
		return []CIText{{name, body}}, nil
	}
	var out []CIText
	parts, size := multipart.NewReader(bytes.NewReader(body), params["boundary"]), 0
	for {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil || len(out) == maxTexts {
			return nil, invalid(fmt.Sprintf("the multipart cannot be read, or holds more than %d files", maxTexts), "send each file as a part with a filename")
		}
		data, err := io.ReadAll(part)
		if err != nil {
			return nil, invalid("the multipart cannot be read: "+err.Error(), "send each file as a part with a filename")
		}
		if size += len(data); size > maxImport {
			return nil, tooLarge()
		}
		out = append(out, CIText{partName(part, len(out)), data})
	}
	if len(out) == 0 {
		return nil, invalid("there is no file in the multipart", "send each file as a part with a filename")
	}
	return out, nil
}

// partName is what problems call a part: its file name with its folders, which the standard library would cut.
func partName(part *multipart.Part, n int) string {
	if _, params, err := mime.ParseMediaType(part.Header.Get("Content-Disposition")); err == nil && params["filename"] != "" {
		return params["filename"]
	}
	return fmt.Sprintf("part %d", n+1)
}

func tooLarge() error {
	return &auth.Problem{Status: http.StatusRequestEntityTooLarge, Code: "too_large", Detail: fmt.Sprintf("an import is at most %d MiB", maxImport>>20), Hint: "import it in several parts, each under a source of its own"}
}

// apply decides what was read against the CMDB, and carries it out unless it is a dry run. Only what changes is journaled.
func (x *importer) apply(ctx context.Context, q *ImportQuery, read *CIBatch, out *Import) error {
	c, err := x.desk.configuration(ctx)
	if err != nil {
		return err
	}
	e := &event.CIEdit{Source: q.Source, Set: read.CIs, Loose: partial(read.Format)}
	out.Unknown, out.UnknownCount = c.unknown(read.CIs, e.Loose)
	if q.Prune {
		if len(read.CIs) == 0 {
			return invalid("the files name no item: pruning would retire all that "+q.Source+" ever told of", "leave prune out, or retire them by hand")
		}
		e.Retire = c.pruned(q.Source, read.CIs)
	}
	at := max(x.desk.now(), c.v.At)
	changes, refused := c.Check(c.tenant, e, at)
	if refused != nil {
		return ciRefusal(refused)
	}
	touched := c.diff(changes, at, q.Diffs, &out.Would)
	out.Unchanged = len(read.CIs) - keepOnly(e, touched)
	if q.DryRun || len(changes) == 0 {
		return nil
	}
	res, err := x.desk.engine.Do(ctx, event.Command{Kind: event.EditCIs, Actor: auth.FromContext(ctx).ID, Tenant: c.tenant, Text: "import " + q.Source, CIs: e})
	if err != nil {
		return failure(err)
	}
	if res.Err != nil {
		return ciRefusal(res.Err)
	}
	out.Changed, out.Known = out.Would.Total, stamp(x.desk.now())
	return nil
}

// partial tells whether files of a format hold a part of what there is, so that their relations may name what nobody has told of yet.
func partial(format string) bool { return format != "native" && format != "csv" }

// unknown lists, where that is no fault, the first of the items that relations name and nobody has told of, and how many there are.
func (c configuration) unknown(cis []event.CI, loose bool) (first []string, count int) {
	first = []string{}
	if !loose {
		return first, 0
	}
	told := make(map[string]bool, len(cis))
	for i := range cis {
		told[cis[i].ID] = true
	}
	for i := range cis {
		for _, r := range cis[i].Relations {
			if told[r.To] || c.Find(c.tenant, r.To) != 0 {
				continue
			}
			told[r.To] = true
			if count++; count <= 20 {
				first = append(first, r.To)
			}
		}
	}
	return first, count
}

// pruned lists what a source told of first, and a sorted list does not name.
func (c configuration) pruned(source string, named []event.CI) (out []string) {
	names := make(map[string]bool, len(named))
	for i := range named {
		names[named[i].ID] = true
	}
	for ci := range c.All(c.tenant) {
		if ci.Source == source && ci.State != event.CIRetired && !names[ci.ID] {
			out = append(out, ci.ID)
		}
	}
	return out
}

// keepOnly leaves in an edit what is among the touched, and returns how many items it still sets.
func keepOnly(e *event.CIEdit, touched map[string]bool) int {
	set, retire := make([]event.CI, 0, len(touched)), make([]string, 0, len(e.Retire))
	for i := range e.Set {
		if touched[e.Set[i].ID] {
			set = append(set, e.Set[i])
		}
	}
	for _, id := range e.Retire {
		if touched[id] {
			retire = append(retire, id)
		}
	}
	e.Set, e.Retire = set, retire
	return len(set)
}

// diff counts the items that changes make otherwise, and shows the first most of them; it returns which items they are.
func (c configuration) diff(changes []event.CI, at event.Time, most int, out *CIDiffs) map[string]bool {
	touched := make(map[string]bool, len(changes))
	out.Diffs = []CIDiff{}
	for i := range changes {
		ci := &changes[i]
		base, kind := event.CI{}, "new"
		if c.Find(c.tenant, ci.ID) != 0 {
			base, kind = c.base(ci, at), "updated"
			if ci.State == event.CIRetired && base.State != event.CIRetired {
				kind = "retired"
			}
		}
		if !touched[ci.ID] {
			touched[ci.ID] = true
			out.count(kind)
		}
		if len(out.Diffs) < most {
			d := CIDiff{Change: kind, ID: ci.ID, Class: ci.Class, Name: ci.Name, Fields: ciFields(itsm.Diff(&base, ci))}
			if ci.ValidFrom != at {
				d.From = stamp(ci.ValidFrom)
			}
			out.Diffs = append(out.Diffs, d)
		}
	}
	return touched
}

// base is what held, or would hold, at the time that a change is about.
func (c configuration) base(ci *event.CI, at event.Time) event.CI {
	if was, ok := c.AsOf(c.tenant, ci.ID, ci.ValidFrom, at); ok {
		return was
	}
	return c.State(c.Find(c.tenant, ci.ID))
}

func (d *CIDiffs) count(kind string) {
	d.Total++
	switch kind {
	case "new":
		d.New++
	case "retired":
		d.Retired++
	default:
		d.Updated++
	}
}

// export writes the items that match by ID, as an import can read them: without those that are only seen in alerts, unless asked for.
// Since when one holds is left out unless that is still to come: who edits an export says what holds from then on.
func (x *importer) export(ctx context.Context, t *CITest, w io.Writer) error {
	c, err := x.desk.configuration(ctx)
	if err != nil {
		return err
	}
	var slots []uint32
	for slot, ci := range c.ours {
		if t.match(c, slot, &ci) && (ci.State != event.CIDiscovered || t.Discovered == "true" || len(t.State) > 0) {
			slots = append(slots, slot)
		}
	}
	slices.SortFunc(slots, func(a, b uint32) int { return strings.Compare(c.ID(a), c.ID(b)) })
	return x.files.Write(w, func(yield func(event.CI) bool) {
		for _, slot := range slots {
			ci := c.State(slot)
			if ci.ValidFrom <= c.v.At {
				ci.ValidFrom = 0
			}
			if t.Source != "" {
				ci.Relations = saidBy(ci.Relations, t.Source)
			}
			if !yield(onlyOnce(ci)) {
				return
			}
		}
	})
}

// saidBy keeps the relations that a source told of.
func saidBy(all []event.Relation, source string) (out []event.Relation) {
	for _, r := range all {
		if r.Source == source {
			out = append(out, r)
		}
	}
	return out
}

// onlyOnce is a CI whose relations stand in it once, whoever says so; they are sorted by kind and target.
func onlyOnce(ci event.CI) event.CI {
	var out []event.Relation
	for _, r := range ci.Relations {
		if n := len(out); n == 0 || out[n-1].Kind != r.Kind || out[n-1].To != r.To {
			out = append(out, r)
		}
	}
	ci.Relations = out
	return ci
}
