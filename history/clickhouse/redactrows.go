package clickhouse

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/tocsin-noc/tocsin/event"
)

// rewriting puts other words into one column of rows, which are named by their keys alone.
type rewriting struct {
	table  string
	set    string // what is set, up to the new words, as in "text = "
	close  string // what stands behind them
	where  string // the rows, besides their places
	params map[string]string
	place  string              // what tells the rows apart, a number
	places map[string][]uint64 // by the words that come in
}

func (w *rewriting) put(place uint64, words string) {
	if w.places == nil {
		w.places = map[string][]uint64{}
	}
	w.places[words] = append(w.places[words], place)
}

// placesAtOnce bounds the rows of one statement: their numbers travel in a URL.
const placesAtOnce = 5000

// rewrite carries a rewriting out.
func (db *DB) rewrite(ctx context.Context, w *rewriting) error {
	for _, words := range slices.Sorted(maps.Keys(w.places)) {
		places := w.places[words]
		slices.Sort(places)
		for chunk := range slices.Chunk(slices.Compact(places), placesAtOnce) {
			params := maps.Clone(w.params)
			params["words"], params["places"] = Text(words), Numbers(chunk)
			err := db.Exec(ctx, "ALTER TABLE "+w.table+" UPDATE "+w.set+"{words:String}"+w.close+" WHERE "+w.where+" AND "+w.place+
				" IN {places:Array(UInt64)} SETTINGS mutations_sync = 2", params)
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// placeOfRow is Place.number of a row.
const placeOfRow = "(seq * 1048576 + least(n, 1048575))"

// redactLog takes the comment of a silence, the reason of a window or a hand-over note out of all rows that repeat it.
func (db *DB) redactLog(ctx context.Context, r *Redaction) (found bool, err error) {
	w := &rewriting{table: "log", set: "text = ", place: placeOfRow, params: map[string]string{
		"shard": number(r.Shard), "tenant": Text(r.Tenant), "id": Text(r.Silence + r.Window), "seq": number(r.Handover.Seq), "n": number(r.Handover.N),
	}}
	switch {
	case r.Silence != "":
		w.where = "id = {id:String} AND startsWith(kind, 'silence_')"
	case r.Window != "":
		w.where = "id = {id:String} AND startsWith(kind, 'window_')"
	default:
		w.where = "seq = {seq:UInt64} AND n = {n:UInt32} AND kind = 'handover_noted'"
	}
	w.where += " AND shard = {shard:UInt32} AND tenant = {tenant:String}"
	return db.redactColumn(ctx, w, "text", func(string) string { return event.Redacted })
}

// redactOutage takes the cause of an outage out of all its versions.
func (db *DB) redactOutage(ctx context.Context, r *Redaction) (found bool, err error) {
	w := &rewriting{
		table: "outages", set: "cause = ", place: "version", where: "shard = {shard:UInt32} AND tenant = {tenant:String} AND outage = {outage:UInt32}",
		params: map[string]string{"shard": number(r.Shard), "tenant": Text(r.Tenant), "outage": number(r.Outage)},
	}
	return db.redactColumn(ctx, w, "cause", func(text string) string {
		if text == r.Cause {
			return text
		}
		return r.instead(text)
	})
}

// RedactAttribute puts marks in the place of an attribute in all rows of an item that are there. Unlike Redact it leaves the bytes to the
// engine's next merges: it is for who follows what was decided, and meets the same redaction again when it reads from the beginning.
func (db *DB) RedactAttribute(ctx context.Context, r *Redaction) error {
	_, err := db.redactAttribute(ctx, r)
	return err
}

// redactAttribute takes an attribute out of all versions of an item.
func (db *DB) redactAttribute(ctx context.Context, r *Redaction) (found bool, err error) {
	w := &rewriting{
		table: "cis", set: "attributes = mapApply((k, v) -> (k, if(k = {attribute:String}, ", close: ", v)), attributes)", place: placeOfRow,
		where:  "shard = {shard:UInt32} AND tenant = {tenant:String} AND id = {id:String} AND mapContains(attributes, {attribute:String})",
		params: map[string]string{"shard": number(r.Shard), "tenant": Text(r.Tenant), "id": Text(r.CI), "attribute": Text(r.Attribute)},
	}
	if r.Before != (Place{}) {
		w.where += " AND (seq, n) < ({seq:UInt64}, {n:UInt32})"
		w.params["seq"], w.params["n"] = number(r.Before.Seq), number(r.Before.N)
	}
	return db.redactColumn(ctx, w, "attributes[{attribute:String}]", r.instead)
}

// redactColumn puts what stands instead in the place of the texts of a column that are not taken away yet.
func (db *DB) redactColumn(ctx context.Context, w *rewriting, column string, instead func(string) string) (found bool, err error) {
	answer, err := db.Own(ctx, "SELECT DISTINCT toUInt64("+w.place+"), "+column+" FROM "+w.table+" WHERE "+w.where, w.params)
	if err != nil {
		return false, err
	}
	for _, row := range answer.Rows {
		text := row[1].(string)
		if text == "" || event.IsRedacted(text) {
			continue
		}
		if to := instead(text); to != text {
			w.put(row[0].(uint64), to)
			found = true
		}
	}
	return found, db.rewrite(ctx, w)
}

func (r *Redaction) instead(text string) string {
	if r.Instead == nil {
		return event.Redacted
	}
	return r.Instead(text)
}

// redactIncidents takes texts of an incident out of its rows, and of those that share its words.
func (db *DB) redactIncidents(ctx context.Context, r *Redaction) (found bool, err error) {
	family, err := db.family(ctx, r)
	if err != nil {
		return false, err
	}
	about, err := db.about(ctx, r)
	if err != nil {
		return false, err
	}
	for _, id := range family {
		took, err := db.redactIncident(ctx, r, id, about)
		found = found || took
		if err != nil {
			return found, err
		}
	}
	return found, nil
}

// family lists the incidents that may hold the text: those that are told, those that this one was merged with, and those of which the
// same input told.
func (db *DB) family(ctx context.Context, r *Redaction) (out []event.IncidentID, err error) {
	out = append([]event.IncidentID{r.Incident}, r.Family...)
	params := map[string]string{"shard": number(r.Shard), "tenant": Text(r.Tenant), "seq": number(r.Entry.Seq)}
	for known := 0; known < len(out); {
		list := make([]uint64, 0, len(out)-known)
		for _, id := range out[known:] {
			list = append(list, uint64(id))
		}
		known = len(out)
		params["incidents"] = Numbers(list)
		answer, err := db.Own(ctx, `SELECT DISTINCT if(incident IN {incidents:Array(UInt64)}, merged_into, incident) FROM incident_versions
			WHERE origin = '' AND shard = {shard:UInt32} AND tenant = {tenant:String} AND merged_into != 0 AND (incident IN {incidents:Array(UInt64)} OR merged_into IN {incidents:Array(UInt64)})
			UNION DISTINCT SELECT incident FROM incident_versions WHERE origin = '' AND shard = {shard:UInt32} AND tenant = {tenant:String} AND {seq:UInt64} != 0 AND seq = {seq:UInt64}`, params)
		if err != nil {
			return nil, err
		}
		for _, row := range answer.Rows {
			out = append(out, event.IncidentID(row[0].(uint64)))
		}
		kept := out[:known]
		for _, id := range out[known:] {
			if !slices.Contains(kept, id) {
				kept = append(kept, id)
			}
		}
		out = kept
	}
	slices.Sort(out[1:])
	return slices.Compact(out), nil
}

// redactIncident takes the text out of one incident's rows. What is still known of a row stands in it afterwards; of the others all goes
// that may hold the text: the whole entry.
func (db *DB) redactIncident(ctx context.Context, r *Redaction, id event.IncidentID, about []string) (found bool, err error) {
	key := "origin = '' AND shard = {shard:UInt32} AND tenant = {tenant:String} AND incident = {incident:UInt64}"
	params := map[string]string{"shard": number(r.Shard), "tenant": Text(r.Tenant), "incident": number(uint64(id))}
	kept := map[Place]Words{}
	if r.Kept != nil {
		if kept, err = r.Kept(ctx, id); err != nil {
			return false, err
		}
	}
	answer, err := db.Own(ctx, "SELECT DISTINCT seq, n, toString(kind), toString(actor), toString(opened_by), title, text, at FROM incident_versions WHERE "+key+" ORDER BY at, seq, n", params)
	if err != nil || len(answer.Rows) == 0 {
		return false, err
	}
	stays := titles(kept)
	if first := answer.Rows[0]; first[4] == "" {
		stays[first[5].(string)] = true // the machine gave it, which it does but once
	}
	title := &rewriting{table: "incident_versions", set: "title = ", where: key, params: params, place: placeOfRow}
	text := &rewriting{table: "incident_versions", set: "text = ", where: key, params: params, place: placeOfRow}
	for _, row := range answer.Rows {
		at := Place{row[0].(uint64), row[1].(uint32)}
		was := Words{row[5].(string), row[6].(string)}
		is, known := kept[at]
		if !known {
			is = was
			if r.Field == "title" && id == r.Incident && !stays[was.Title] {
				is.Title = event.Redacted
			}
			if row[3] != "" && (r.Entry.Seq != 0 && at.Seq == r.Entry.Seq || slices.Contains(about, row[2].(string))) {
				is.Text = event.Redacted
			}
		}
		if differs(was.Title, is.Title) {
			title.put(at.number(), is.Title)
		}
		if differs(was.Text, is.Text) {
			text.put(at.number(), is.Text)
		}
	}
	found = len(title.places)+len(text.places) > 0
	if err := db.rewrite(ctx, title); err != nil {
		return found, err
	}
	if err := db.rewrite(ctx, text); err != nil {
		return found, err
	}
	derived, err := db.redactDerived(ctx, key, params)
	return found || derived, err
}

// differs tells whether a text was taken away in the meantime.
func differs(was, is string) bool {
	return was != "" && was != is && strings.Contains(is, "[redacted")
}

func titles(kept map[Place]Words) map[string]bool {
	out := map[string]bool{}
	for _, w := range kept {
		out[w.Title] = true
	}
	return out
}

// redactDerived takes titles that no version has any more out of the row that was made of them, and out of those that it has replaced.
func (db *DB) redactDerived(ctx context.Context, key string, params map[string]string) (found bool, err error) {
	versions, err := db.Own(ctx, "SELECT title FROM incident_versions WHERE "+key+" GROUP BY title ORDER BY max((at, seq, n))", params)
	if err != nil {
		return false, err
	}
	stays, last := map[string]bool{}, event.Redacted
	for _, row := range versions.Rows {
		last = row[0].(string)
		stays[last] = true
	}
	answer, err := db.Own(ctx, "SELECT DISTINCT version, title FROM incidents WHERE "+key, params)
	if err != nil {
		return false, err
	}
	w := &rewriting{table: "incidents", set: "title = ", where: key, params: params, place: "version"}
	for _, row := range answer.Rows {
		if !stays[row[1].(string)] {
			w.put(row[0].(uint64), last)
			found = true
		}
	}
	return found, db.rewrite(ctx, w)
}

// about lists the changes whose texts repeat the field, or what was said in the entry besides it.
func (db *DB) about(ctx context.Context, r *Redaction) ([]string, error) {
	if r.Field != "" {
		field, _, _ := strings.Cut(r.Field, " ")
		return kindsOf(field), nil
	}
	answer, err := db.Own(ctx, `SELECT toString(kind) FROM incident_versions
		WHERE origin = '' AND shard = {shard:UInt32} AND tenant = {tenant:String} AND incident = {incident:UInt64} AND seq = {seq:UInt64} AND n = {n:UInt32}`,
		map[string]string{"shard": number(r.Shard), "tenant": Text(r.Tenant), "incident": number(uint64(r.Incident)), "seq": number(r.Entry.Seq), "n": number(r.Entry.N)})
	if err != nil || len(answer.Rows) == 0 || !slices.Contains(kindsOf("proposal"), answer.Rows[0][0].(string)) {
		return nil, err
	}
	return kindsOf("proposal"), nil
}

func kindsOf(field string) (out []string) {
	kinds := map[string][]event.ChangeKind{
		"title":    {event.IncidentEdited},
		"task":     {event.IncidentTasked},
		"report":   {event.IncidentReported},
		"ticket":   {event.IncidentTicket, event.IncidentChase, event.IncidentTasked},
		"review":   {event.IncidentReviewed},
		"rating":   {event.IncidentRated},
		"proposal": {event.IncidentProposed, event.IncidentMerged, event.IncidentAbsorbed, event.IncidentUnmerged},
	}
	for _, k := range kinds[field] {
		out = append(out, k.String())
	}
	return out
}
