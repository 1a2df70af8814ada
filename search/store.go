package search

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/blevesearch/bleve/v2/analysis"
	"github.com/blevesearch/bleve/v2/document"
	"github.com/blevesearch/bleve/v2/index/scorch"
	"github.com/blevesearch/bleve/v2/util"
	index "github.com/blevesearch/bleve_index_api"
	"go.etcd.io/bbolt"

	"github.com/tocsin-noc/tocsin/event"
)

// A document's fields. Each term is tenant, 0, word.
//
//	a        every text                     title, note …   those of one field
//	a2       pairs of neighbours            title2, note2 … of one field, l2 of the labels
//	l        name=word of the labels        f               status=open, team=dba …
//	tenant   the tenant                     u               when it changed last, in seconds
//	_rec     the record as JSON, stored
const (
	fieldAny     = "a"
	fieldLabels  = "l"
	fieldFilter  = "f"
	fieldTenant  = "tenant"
	fieldUpdated = "u"
	fieldRecord  = "_rec"
)

// pairs is what the name of a field of pairs ends in: a phrase of two words is one term of it. Places are not kept: to compare those
// of words that are in every text takes ten times as long, and a third of the files. Longer phrases are looked up in the records.
const pairs = "2"

// Keys beside the documents, in the same commit.
const (
	keyCursor = "cursor" // up to which changes are in
	keySeeded = "seeded" // set once the view of incidents is in, where the log alone does not do
	keyPurge  = "purge"  // set while the files hold a text that was taken away
)

// store is one bleve index. One goroutine at a time writes.
type store struct {
	dir   string
	index index.Index
	queue *index.AnalysisQueue
}

// backoff slows bleve's retries: on a disk that is full it would try again at once, for ever.
var backoff = sync.OnceFunc(func() {
	scorch.RegistryAsyncErrorCallbacks["tocsin"] = func(error, string) { time.Sleep(250 * time.Millisecond) }
})

func openStore(dir string) (s *store, err error) {
	defer rescue(&err) // bleve trusts its files
	backoff()
	if err := sound(dir); err != nil {
		return nil, err
	}
	s = &store{dir: dir, queue: index.NewAnalysisQueue(1)}
	s.index, err = scorch.NewScorch(scorch.Name, map[string]any{"path": dir, "bolt_timeout": "1s", "asyncErrorCallbackName": "tocsin"}, s.queue)
	if err == nil {
		err = s.index.Open()
	}
	if err != nil {
		s.queue.Close()
		return nil, err
	}
	return s, nil
}

func (s *store) close() error {
	defer s.queue.Close()
	return s.index.Close()
}

// sound compares every segment in use with the checksum at its end, which bleve leaves to others. What a process that died was about
// to write is not in use, and bleve removes it.
func sound(dir string) error {
	root := filepath.Join(dir, "root.bolt")
	if _, err := os.Stat(root); errors.Is(err, os.ErrNotExist) {
		return nil // a new one
	}
	db, err := bbolt.Open(root, 0o600, &bbolt.Options{ReadOnly: true, Timeout: time.Second})
	if err != nil {
		return err
	}
	defer db.Close()
	return db.View(func(t *bbolt.Tx) error {
		snapshots := t.Bucket(util.BoltSnapshotsBucket)
		if snapshots == nil {
			return nil
		}
		return snapshots.ForEachBucket(func(epoch []byte) error {
			segments := snapshots.Bucket(epoch)
			return segments.ForEachBucket(func(id []byte) error {
				if name := segments.Bucket(id).Get(util.BoltPathKey); name != nil {
					return soundFile(filepath.Join(dir, filepath.Base(string(name))))
				}
				return nil
			})
		})
	})
}

func soundFile(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	sum := crc32.NewIEEE()
	var want [4]byte
	if info.Size() < 4 {
		return fmt.Errorf("%s: cut short", name)
	}
	if _, err := io.CopyBuffer(sum, io.LimitReader(f, info.Size()-4), make([]byte, 1<<20)); err != nil {
		return err
	}
	if _, err := io.ReadFull(f, want[:]); err != nil {
		return err
	}
	if got := sum.Sum32(); got != uint32(want[0])<<24|uint32(want[1])<<16|uint32(want[2])<<8|uint32(want[3]) {
		return fmt.Errorf("%s: damaged", name)
	}
	return nil
}

// rescue makes an error of a panic.
func rescue(err *error) {
	if p := recover(); p != nil {
		*err = errors.Join(*err, fmt.Errorf("%w: %v", errDamaged, p))
	}
}

var errDamaged = errors.New("search: the index is damaged")

var errClosed = errors.New("search: closed")

// reader returns what the store holds now. It must be closed.
func (s *store) reader() (index.IndexReader, error) {
	r, err := s.index.Reader()
	if err != nil {
		return nil, err
	}
	if snapshot, ok := r.(*scorch.IndexSnapshot); ok && snapshot == nil {
		return nil, errClosed
	}
	return r, nil
}

// value returns what stands beside the documents, "" when nothing.
func (s *store) value(key string) (string, error) {
	r, err := s.reader()
	if err != nil {
		return "", err
	}
	defer r.Close()
	v, err := r.GetInternal([]byte(key))
	return string(v), err
}

// write makes a batch durable.
func (s *store) write(records map[event.IncidentID]*record, values map[string]string) (err error) {
	defer rescue(&err)
	b := index.NewBatch()
	for _, r := range records {
		doc, err := newDocument(r)
		if err != nil {
			return err
		}
		b.Update(doc)
	}
	for k, v := range values {
		b.SetInternal([]byte(k), []byte(v))
	}
	return s.index.Batch(b)
}

// load returns an incident's record, nil when there is none.
func load(r index.IndexReader, id event.IncidentID) (*record, error) {
	doc, err := r.Document(docID(id))
	if err != nil || doc == nil {
		return nil, err
	}
	return recordOf(doc)
}

func recordOf(doc index.Document) (*record, error) {
	var blob []byte
	doc.VisitFields(func(f index.Field) {
		if f.Name() == fieldRecord {
			blob = f.Value()
		}
	})
	if blob == nil {
		return nil, fmt.Errorf("%w: no record in a document", errDamaged)
	}
	r := &record{}
	if err := json.Unmarshal(blob, r); err != nil {
		return nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	return r, nil
}

// each yields every record that a reader sees.
func each(ctx context.Context, r index.IndexReader, fn func(*record) error) error {
	ids, err := r.DocIDReaderAll()
	if err != nil {
		return err
	}
	defer ids.Close()
	for ctx.Err() == nil {
		internal, err := ids.Next()
		if err != nil || internal == nil {
			return err
		}
		rec, err := at(r, internal)
		if err != nil {
			return err
		}
		if err := fn(rec); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// tenants lists those that have incidents.
func (s *store) tenants() (out []string, err error) {
	defer rescue(&err)
	r, err := s.reader()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	d, err := r.FieldDict(fieldTenant)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	for {
		e, err := d.Next()
		if err != nil || e == nil {
			return out, err
		}
		out = append(out, strings.TrimSuffix(e.Term, "\x00"))
	}
}

// documents counts those of a filter's value over all tenants, or all when value is "".
func (s *store) documents(tenants []string, value string) (n uint64) {
	r, err := s.reader()
	if err != nil {
		return 0
	}
	defer r.Close()
	if value == "" {
		n, _ = r.DocCount()
		return n
	}
	for _, tenant := range tenants {
		if t, err := r.TermFieldReader(context.Background(), []byte(term(tenant, value)), fieldFilter, false, false, false); err == nil {
			n += t.Count()
			_ = t.Close()
		}
	}
	return n
}

// bytes is what the files take.
func (s *store) bytes() (n int64) {
	entries, _ := os.ReadDir(s.dir)
	for _, e := range entries {
		if info, err := e.Info(); err == nil {
			n += info.Size()
		}
	}
	return n
}

func docID(id event.IncidentID) string { return strconv.FormatUint(uint64(id), 10) }

// term puts the tenant in front. No tenant's name holds a zero byte; what stands behind one is compared no further.
func term(tenant, word string) string {
	return strings.ReplaceAll(tenant, "\x00", "") + "\x00" + word
}

// stream is an analyzer that has done its work already.
type stream analysis.TokenStream

func (s stream) Analyze([]byte) analysis.TokenStream { return analysis.TokenStream(s) }

func newStream(tenant, before, text string) stream {
	list := tokens(text)
	out := make(stream, len(list))
	all := make([]analysis.Token, len(list))
	for i, t := range list {
		all[i] = analysis.Token{Start: t.start, End: t.end, Position: t.position, Term: []byte(term(tenant, before+t.word))}
		out[i] = &all[i]
	}
	return out
}

// newPairs makes a term of each two words that follow each other.
func newPairs(tenant, before, text string) stream {
	list := whole(tokens(text))
	var out stream
	for i := 1; i < len(list); i++ {
		out = append(out, &analysis.Token{Position: i, Term: []byte(term(tenant, before+pair(list[i-1], list[i])))})
	}
	return out
}

func pair(a, b token) string { return a.word + " " + b.word }

// newDocument makes an incident's document.
func newDocument(r *record) (*document.Document, error) {
	blob, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	d := document.NewDocument(docID(r.ID))
	put := func(field string, s stream) {
		if len(s) > 0 {
			d.AddField(document.NewTextFieldCustom(field, nil, nil, index.IndexField, s))
		}
	}
	both := func(field, text string) {
		s := newStream(r.Tenant, "", text)
		put(field, s)
		put(fieldAny, s)
		s = newPairs(r.Tenant, "", text)
		put(field+pairs, s)
		put(fieldAny+pairs, s)
	}
	both(FieldTitle, r.Title)
	for _, l := range r.Labels {
		put(fieldLabels, newStream(r.Tenant, l.Name+"=", l.Value))
		put(fieldLabels+pairs, newPairs(r.Tenant, l.Name+"=", l.Value))
		put(fieldAny, newStream(r.Tenant, "", l.Value))
		put(fieldAny+pairs, newPairs(r.Tenant, "", l.Value))
	}
	for _, list := range [][]text{r.Texts, r.Dossier} {
		for i := range list {
			both(list[i].Field, list[i].Text)
		}
	}
	for _, value := range filterValues(r) {
		d.AddField(document.NewTextFieldCustom(fieldFilter, nil, []byte(term(r.Tenant, value)), index.IndexField, nil))
	}
	d.AddField(document.NewTextFieldCustom(fieldTenant, nil, []byte(term(r.Tenant, "")), index.IndexField, nil))
	d.AddField(document.NewTextFieldCustom(fieldUpdated, nil, []byte(seconds(r.Updated.Time())), index.IndexField|index.DocValues, nil))
	d.AddField(document.NewTextFieldCustom(fieldRecord, nil, blob, index.StoreField, nil))
	return d, nil
}

// seconds writes a time so that it sorts. Bleve ends a value at byte 255, so it is digits.
func seconds(t time.Time) string { return fmt.Sprintf("%011d", max(0, t.Unix())) }

// filterValues returns what an incident can be filtered by.
func filterValues(r *record) (out []string) {
	put := func(name, value string) {
		if value != "" {
			out = append(out, name+"="+foldValue(value))
		}
	}
	for _, s := range r.Status {
		put("status", s)
	}
	put("id", docID(r.ID))
	put("severity", r.Severity)
	put("priority", strconv.Itoa(int(r.Priority)))
	put("team", r.Team)
	put("rule", r.Rule)
	put("assignee", r.Assignee)
	put("ci", r.CI)
	if r.incomplete() {
		put("incomplete", "yes")
	}
	return out
}
