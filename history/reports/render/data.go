package render

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/tocsin-noc/tocsin/history"
	"github.com/tocsin-noc/tocsin/history/reports"
)

// CSV writes a result for machines and spreadsheets (RFC 4180): numbers as they are, durations in seconds, instants in UTC, NULL as
// nothing. Text that a spreadsheet would take for a formula gets an apostrophe in front.
func CSV(w io.Writer, r *reports.Result) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	record := make([]string, len(r.Columns))
	for i, c := range r.Columns {
		record[i] = c.Name
	}
	if err := out.Write(record); err != nil {
		return err
	}
	for _, row := range r.Table.Rows {
		for i := range record {
			record[i] = plain(row[i], r.Columns[i])
		}
		if err := out.Write(record); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// plain returns a value for machines.
func plain(value any, c reports.Column) string {
	switch v := value.(type) {
	case nil:
		return ""
	case time.Time:
		if c.Unit == reports.Bucket {
			return v.Format(time.DateOnly)
		}
		return v.UTC().Format("2006-01-02T15:04:05.000Z")
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	if _, ok := number(value); ok {
		return fmt.Sprint(value)
	}
	text := fmt.Sprint(value)
	if text != "" && strings.ContainsRune("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20", []rune(text)[0]) {
		return "'" + text
	}
	return text
}

// Answer is a result as JSON.
type Answer struct {
	Report  string          `json:"report"`
	ID      string          `json:"id"`
	Title   string          `json:"title"`
	From    time.Time       `json:"from"`
	To      time.Time       `json:"to"`
	Zone    string          `json:"zone"`
	Bucket  string          `json:"bucket"`
	Filters json.RawMessage `json:"filters"`
	Columns []AnswerColumn  `json:"columns"`
	Charts  []reports.Chart `json:"charts,omitempty"`
	Rows    [][]any         `json:"rows"`
	Total   *uint64         `json:"total,omitempty"`
	TookMS  float64         `json:"took_ms"`
}

// AnswerColumn is one column of an Answer.
type AnswerColumn struct {
	Name    string `json:"name"`
	Unit    string `json:"unit"`
	Meaning string `json:"meaning"`
}

// JSON writes a result for machines: rows in the order of the columns, durations in seconds, instants in UTC, buckets as dates.
func JSON(w io.Writer, r *reports.Result) error {
	filters, err := json.Marshal(map[string]any{
		"tenant": r.Params.Tenant, "service": r.Params.Service, "team": r.Params.Team, "priority": r.Params.Priority,
	})
	if err != nil {
		return err
	}
	a := Answer{
		Report: r.Report.Name, ID: r.Report.ID, Title: r.Report.Title, From: r.Params.From.UTC(), To: r.Params.To.UTC(), Zone: r.Params.Zone,
		Bucket: r.Params.Bucket, Filters: filters, Rows: [][]any{}, TookMS: float64(r.Took.Microseconds()) / 1000,
	}
	if r.List {
		a.Total = &r.Total
	} else {
		a.Charts = r.Report.Charts
	}
	for _, c := range r.Columns {
		a.Columns = append(a.Columns, AnswerColumn{c.Name, string(c.Unit), c.Meaning})
	}
	for _, row := range r.Table.Rows {
		out := make([]any, len(row))
		for i, value := range row {
			out[i] = value
			if t, ok := value.(time.Time); ok {
				out[i] = plain(t, r.Columns[i])
			}
		}
		a.Rows = append(a.Rows, out)
	}
	return json.NewEncoder(w).Encode(a)
}

// ReadJSON reads what JSON wrote, for who shows it to people.
func ReadJSON(text []byte) (*reports.Result, error) {
	var a Answer
	if err := json.Unmarshal(text, &a); err != nil {
		return nil, fmt.Errorf("render: %w", err)
	}
	r := &reports.Result{
		Report: &reports.Report{ID: a.ID, Name: a.Report, Title: a.Title, Charts: a.Charts},
		Params: reports.Params{From: a.From, To: a.To, Zone: a.Zone, Bucket: a.Bucket},
		Table:  &history.Table{}, List: a.Total != nil, Took: time.Duration(a.TookMS * float64(time.Millisecond)),
	}
	if a.Total != nil {
		r.Total = *a.Total
	}
	for _, c := range a.Columns {
		r.Columns = append(r.Columns, reports.Column{Name: c.Name, Unit: reports.Unit(c.Unit), Meaning: c.Meaning})
		r.Table.Columns = append(r.Table.Columns, history.Column{Name: c.Name})
	}
	for _, row := range a.Rows {
		if len(row) != len(r.Columns) {
			return nil, fmt.Errorf("render: a row has %d values for %d columns", len(row), len(r.Columns))
		}
		for i, value := range row {
			row[i] = instant(value, r.Columns[i].Unit)
		}
		r.Table.Rows = append(r.Table.Rows, row)
	}
	return r, nil
}

// instant makes times of their text.
func instant(value any, unit reports.Unit) any {
	text, ok := value.(string)
	if !ok || unit != reports.Bucket && unit != reports.Time {
		return value
	}
	form := time.RFC3339Nano
	if unit == reports.Bucket {
		form = time.DateOnly
	}
	if t, err := time.Parse(form, text); err == nil {
		return t
	}
	return value
}
