package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tocsin-noc/tocsin/api"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/history/imports"
	"github.com/tocsin-noc/tocsin/internal/terminal"
)

// newImportCommand holds imports into the history.
func newImportCommand() *cobra.Command {
	cmd := newParent("import", "Import histories of other systems", "  tocsin import incidents export.csv --map servicenow --zone Europe/Berlin")
	cmd.Long = "Import histories of other systems, so that reports work on day one. Configuration items come in by `tocsin cmdb import`."
	cmd.AddCommand(newImportIncidentsCommand(addRemote(cmd.PersistentFlags())))
	return cmd
}

// incidentImport is how incidents are imported.
type incidentImport struct {
	mapping, name, zone, rejects, tenant string
	dates                                []string
	dry                                  bool
}

func newImportIncidentsCommand(r *remote) *cobra.Command {
	f := &incidentImport{}
	cmd := &cobra.Command{
		Use:   "incidents FILE",
		Short: "Import incidents of another system into the history",
		Long: `Import incidents of another system into the history, from its export: CSV or JSON, a row per incident or a row per event. The map
says what the columns mean: a file, or one that comes with Tocsin: ` + strings.Join(imports.ShippedNames(), ", ") + `.

The same file again changes nothing; a later one of the same name changes what it tells otherwise and leaves alone what it leaves out. Rows with mistakes
are left out; what is wrong with them is told once for each kind of mistake, with the first row. FILE may be - for standard input. Takes an admin of the tenant main.`,
		Example: `  tocsin import incidents incident.csv --map servicenow --zone Europe/Berlin --dry-run
  tocsin import incidents export.csv --map our-map.yml --name remedy-2025 --rejects rejected.csv
  tocsin import incidents log.csv --map servicenow-log --dates 'd/M/yyyy HH:mm'`,
		Args: cobra.ExactArgs(1),
		RunE: r.run(f.run),
	}
	fl := cmd.Flags()
	fl.StringVar(&f.mapping, "map", "", "`MAP`: a file, or "+strings.Join(imports.ShippedNames(), ", "))
	fl.StringVar(&f.name, "name", "", "`NAME` of the import, shown beside its incidents (default the file's)")
	fl.StringVar(&f.zone, "zone", "", "time `ZONE` of times without an offset, in place of the map's, as in Europe/Berlin")
	fl.StringArrayVar(&f.dates, "dates", nil, "`FORMAT` of times, in place of the map's, as in 'dd/MM/yyyy HH:mm'; may be repeated")
	fl.StringVar(&f.tenant, "tenant-of", "", "`TENANT` whose the incidents are where the map does not say (default "+event.DefaultTenant+")")
	fl.StringVar(&f.rejects, "rejects", "", "`FILE` to write all rejected rows to, as CSV")
	fl.BoolVar(&f.dry, "dry-run", false, "only say what would change")
	complete(cmd, "map", imports.ShippedNames()...)
	return cmd
}

func (f *incidentImport) run(ctx context.Context, t *tool, args []string) error {
	if f.mapping == "" {
		return usage("which map? --map is missing", "name a file, or one of "+strings.Join(imports.ShippedNames(), ", "))
	}
	in, size, name := io.Reader(t.in), int64(0), "stdin"
	if args[0] != "-" {
		file, err := os.Open(args[0])
		if err != nil {
			return usage(err.Error(), "name a file, or - for standard input")
		}
		defer file.Close()
		info, err := file.Stat()
		if err != nil || info.IsDir() {
			return usage(args[0]+" is no file", "an export is one file")
		}
		in, size, name = file, info.Size(), filepath.Base(args[0])
	}
	rejects, err := newRejects(f.rejects)
	if err != nil {
		return err
	}
	out, failed, err := f.send(ctx, t, in, name, size, rejects)
	if err := errors.Join(err, rejects.close()); err != nil {
		return err
	}
	if t.json {
		if err := t.value(out); err != nil {
			return err
		}
	} else if out != nil {
		t.incidentsImported(out, f.rejects)
	}
	switch {
	case failed != nil:
		return failed
	case out.Incidents == 0 && out.Rejected > 0:
		return &fault{code: exitFailed, message: "no row could be taken", hint: "the reasons above tell which line of the map does not fit"}
	}
	return nil
}

// send streams the export and reads what the daemon says meanwhile. failed comes beside what was taken before.
func (f *incidentImport) send(ctx context.Context, t *tool, in io.Reader, name string, size int64, rejects *rejects) (out *imports.Summary, failed error, err error) {
	query := url.Values{"follow": {"true"}, "dates": f.dates}
	setText(query, "name", f.name, "zone", f.zone, "tenant_of", f.tenant)
	if f.dry {
		query.Set("dry_run", "true")
	}
	var mapText []byte
	if _, _, shipped := imports.Shipped(f.mapping); shipped && !isFile(f.mapping) {
		query.Set("map", strings.TrimSuffix(f.mapping, ".yml"))
	} else if mapText, err = os.ReadFile(f.mapping); err != nil {
		return nil, nil, usage("--map: "+err.Error(), "name a file, or one of "+strings.Join(imports.ShippedNames(), ", "))
	}
	body, w := io.Pipe()
	form := multipart.NewWriter(w)
	go func() { w.CloseWithError(writeForm(form, f.mapping, mapText, name, in)) }()
	defer body.Close()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.api.url([]string{"history", "import", "incidents"}, query), body)
	if err != nil {
		return nil, nil, usage(err.Error(), "")
	}
	req.Header.Set("Content-Type", "multipart/mixed; boundary="+form.Boundary())
	resp, err := t.api.within(0).ask(req) // as long as the file is
	if err != nil {
		return nil, nil, err
	}
	if resp.StatusCode >= 300 {
		_, err := t.api.answer(ctx, resp)
		return nil, nil, err
	}
	defer resp.Body.Close()
	return follow(t, resp, size, rejects)
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && !info.IsDir()
}

// writeForm writes the map, unless the daemon has it, and the export.
func writeForm(form *multipart.Writer, mapName string, mapText []byte, name string, in io.Reader) error {
	if mapText != nil {
		part, err := form.CreateFormFile("map", filepath.ToSlash(mapName))
		if err != nil {
			return err
		}
		if _, err := part.Write(mapText); err != nil {
			return err
		}
	}
	part, err := form.CreateFormFile("file", name)
	if err != nil {
		return err
	}
	if _, err := io.Copy(part, in); err != nil {
		return err
	}
	return form.Close()
}

// follow reads the daemon's lines to the last.
func follow(t *tool, resp *http.Response, size int64, rejects *rejects) (*imports.Summary, error, error) {
	b := newBar(t.printer)
	defer b.clear()
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		line, err := decode[api.IncidentImportLine](lines.Bytes())
		if err != nil {
			return nil, nil, err
		}
		switch {
		case line.Failed != nil:
			failed := t.api.refused(&http.Response{StatusCode: line.Failed.Status, Status: strconv.Itoa(line.Failed.Status)}, bytes.TrimSpace(problemOf(line)))
			return line.Done, failed, nil
		case line.Done != nil:
			return line.Done, nil, nil
		case line.Reject != nil:
			if err := rejects.add(line.Reject); err != nil {
				return nil, nil, err
			}
		case line.Progress != nil && line.Progress.Step == "compute":
			b.show("computing", line.Progress.Done, line.Progress.Of)
		case line.Progress != nil:
			b.show(fmt.Sprintf("%s rows", number(line.Progress.Done)), int(line.Progress.Bytes), int(size))
		}
	}
	reason := "the daemon ended"
	if err := lines.Err(); err != nil {
		reason = err.Error()
	}
	return nil, nil, &fault{code: exitUnreachable, message: "the answer broke off: " + reason, hint: "what was sent is taken; the same import again goes on from there"}
}

// problemOf is a line's problem as an answer would hold it.
func problemOf(line *api.IncidentImportLine) []byte {
	text, err := json.Marshal(line.Failed)
	if err != nil {
		return nil // it is made of texts and numbers
	}
	return text
}

// rejects writes rejected rows to a file.
type rejects struct {
	file *os.File
	csv  *csv.Writer
}

func newRejects(name string) (*rejects, error) {
	if name == "" {
		return &rejects{}, nil
	}
	file, err := os.Create(name)
	if err != nil {
		return nil, usage("--rejects: "+err.Error(), "")
	}
	r := &rejects{file, csv.NewWriter(file)}
	return r, r.csv.Write([]string{"line", "column", "value", "reason"})
}

func (r *rejects) add(one *imports.Reject) error {
	if r.csv == nil {
		return nil
	}
	return r.csv.Write([]string{strconv.Itoa(one.Line), plainCell(one.Column), plainCell(one.Value), plainCell(one.Reason)})
}

// plainCell keeps spreadsheets from calculating what came from outside.
func plainCell(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

func (r *rejects) close() error {
	if r.csv == nil {
		return nil
	}
	r.csv.Flush()
	return errors.Join(r.csv.Error(), r.file.Close())
}

// rejectedFor says for what rows were rejected, and which was the first.
func rejectedFor(r *imports.RejectReason) string {
	example := "line " + strconv.Itoa(r.Line)
	if fact, _, _ := strings.Cut(r.Reason, ":"); r.Column != "" && r.Column != fact { // a column that is called as its fact is named once
		example += ", column " + r.Column
	}
	if len(r.Values) > 0 {
		example += " " + quote(r.Values[0])
	}
	if len(r.Values) > 1 {
		example += "; then also " + quoted(r.Values[1:])
	}
	if r.Count == 1 {
		return example + ": " + r.Reason
	}
	return fmt.Sprintf("%s rows: %s; the first is %s", number(r.Count), r.Reason, example)
}

// quoted lists values.
func quoted(values []string) string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = quote(v)
	}
	return strings.Join(out, ", ")
}

// incidentsImported shows what became of an import.
func (p *printer) incidentsImported(s *imports.Summary, file string) {
	for i := range s.Reasons {
		p.note("rejected: %s", rejectedFor(&s.Reasons[i]))
	}
	if s.Others > 0 {
		p.note("rejected: %s more for other reasons", number(s.Others))
	}
	switch {
	case s.Rejected > 0 && file != "":
		p.note("each rejected row is in %s", file)
	case s.Rejected > len(s.Reasons):
		p.note("--rejects FILE keeps each rejected row with its line")
	}
	for _, f := range s.Flags {
		p.note("%s × %s", number(f.Count), f.Rule)
	}
	if len(s.Unmapped) > 0 {
		p.note("columns that the map does not name: %s", strings.Join(s.Unmapped, ", "))
	}
	p.line("%s%s of %s: %s new, %s changed, %s unchanged; %s versions; %s rejected, %s said twice.", unless(!s.DryRun, "Would be: "),
		plural(s.Incidents, "incident", "incidents"), plural(s.Rows, "row", "rows"), number(s.New), number(s.Changed), number(s.Unchanged), number(s.Versions),
		number(s.Rejected), number(s.Duplicates))
	if s.From != nil {
		p.line("From %s to %s; import %s.", terminal.Clock(s.From.Local()), terminal.Clock(s.To.Local()), s.Origin)
	}
}
