package main

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tocsin-noc/tocsin/api"
	"github.com/tocsin-noc/tocsin/history/reports"
	"github.com/tocsin-noc/tocsin/history/reports/render"
	"github.com/tocsin-noc/tocsin/internal/terminal"
	"github.com/tocsin-noc/tocsin/internal/zoneinfo"
)

// newReportsCommand asks the history what longer times teach.
func newReportsCommand() *cobra.Command {
	return newParent("report", "Ask what longer times teach: noise, durations, what comes back",
		"  tocsin report list\n  tocsin report run mtta --from 'last month'\n  tocsin report pack monthly --from 'last month' -o report.html",
		newReportListCommand(), newReportShowCommand(), newReportRunCommand("run", "Run a report", false),
		newReportRunCommand("items", "List what is behind the numbers of a report", true), newReportPackCommand(),
	)
}

func newReportListCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "list", Short: "List the reports, those that wait for facts as well", Example: "  tocsin report list", Args: cobra.NoArgs,
	}
	cmd.RunE = addRemote(cmd.Flags()).run(func(ctx context.Context, t *tool, _ []string) error {
		text, list, err := fetch[api.ReportCatalogue](ctx, t.api, nil, "reports")
		if err != nil {
			return err
		}
		if t.json {
			return t.raw(text)
		}
		table := terminal.NewTable("ID", "NAME", "TITLE", "QUESTION")
		for i := range list.Reports {
			r := &list.Reports[i]
			question, style := r.Question, terminal.Plain
			if r.Waits != "" {
				question, style = "waits for "+r.Waits, terminal.Dim
			}
			table.Add(terminal.Cell{Text: r.ID, Style: style}, terminal.Cell{Text: r.Name, Style: style}, terminal.Cell{Text: r.Title, Style: style}, terminal.Cell{Text: question, Style: style})
		}
		return t.table(table, "")
	})
	return cmd
}

func newReportShowCommand() *cobra.Command {
	var sql bool
	cmd := &cobra.Command{
		Use: "show NAME", Short: "Show what a report counts, and how", Example: "  tocsin report show mtta\n  tocsin report show mtta --sql",
		Args: cobra.ExactArgs(1), ValidArgsFunction: reportNames,
	}
	cmd.Flags().BoolVar(&sql, "sql", false, "print the SQL alone, with parameters for the last 30 days in front")
	cmd.RunE = addRemote(cmd.Flags()).run(func(ctx context.Context, t *tool, args []string) error {
		if sql {
			text, answer, err := fetch[api.ReportSQL](ctx, t.api, nil, "reports", args[0], "sql")
			if err != nil {
				return err
			}
			if t.json {
				return t.raw(text)
			}
			t.text("", answer.Script)
			return nil
		}
		_, list, err := fetch[api.ReportCatalogue](ctx, t.api, nil, "reports")
		if err != nil {
			return err
		}
		i := slices.IndexFunc(list.Reports, func(r api.ReportInfo) bool { return r.Name == args[0] || strings.EqualFold(r.ID, args[0]) })
		if i < 0 {
			return &fault{code: exitNotFound, message: "there is no report " + quote(args[0]), hint: "`tocsin report list` lists them"}
		}
		if t.json {
			return t.value(list.Reports[i])
		}
		return showReport(t.printer, &list.Reports[i])
	})
	return cmd
}

func showReport(p *printer, r *api.ReportInfo) error {
	p.line("%s  %s", p.paint(terminal.Bold, r.Title), p.paint(terminal.Dim, r.ID+" "+r.Name))
	p.line("%s", r.Question)
	if r.Waits != "" {
		p.line("It cannot be run yet: it waits for %s", r.Waits)
	}
	for _, part := range [][2]string{{"Anchor", r.Anchor}, {"Population", r.Population}, {"Formula", r.Formula}, {"Time zone", r.Zone}} {
		if part[1] != "" {
			p.section(part[0])
			p.text("", part[1])
		}
	}
	for _, part := range []struct {
		title   string
		columns []api.ReportColumn
	}{{"Columns", r.Columns}, {"Columns of the list behind the numbers", r.Items}} {
		if len(part.columns) == 0 {
			continue
		}
		p.section(part.title)
		table := terminal.NewTable("", "", "")
		for _, c := range part.columns {
			table.Add(terminal.Text(c.Name), terminal.Cell{Text: c.Unit, Style: terminal.Dim}, terminal.Text(c.Meaning))
		}
		if err := p.table(table, ""); err != nil {
			return err
		}
	}
	return nil
}

// reportFlags are what a report is asked for.
type reportFlags struct {
	from, to, zone, service, team, bucket string
	priority                              uint8
	mine                                  bool
	output                                string
}

func addReportFlags(f *pflag.FlagSet) *reportFlags {
	r := &reportFlags{}
	f.StringVar(&r.from, "from", "", "begin of the period: `WHEN` is a date, -30d, last month, this week, or 2026-11-01T08:00:00Z (default 30 days before the end)")
	f.StringVar(&r.to, "to", "", "end of the period: `WHEN` as above; a date is the end of that day (default now, or where last month and its like end)")
	f.StringVar(&r.zone, "zone", "", "time `ZONE` of days, weeks and hours, as in Europe/Berlin (default this machine's)")
	f.StringVar(&r.service, "service", "", "only what is about this `SERVICE`")
	f.StringVar(&r.team, "team", "", "only what is about this `TEAM`")
	f.Uint8Var(&r.priority, "priority", 0, "only incidents of this `PRIORITY`, 1 to 5")
	f.StringVar(&r.bucket, "bucket", "", "cut the period into `PIECES`: day, week or month (default by its length)")
	f.StringVarP(&r.output, "output", "o", "", "write to this `FILE` instead of standard output")
	return r
}

// query is what the API is asked. The period is made definite here, so that all that is asked of it is about the same one.
func (r *reportFlags) query(now time.Time) (url.Values, string, error) {
	zone := cmp.Or(r.zone, machineZone())
	loc, _, err := zoneinfo.Load(zone)
	if err != nil {
		return nil, "", usage("--zone: "+quote(zone)+" is no time zone", "write it as in Europe/Berlin")
	}
	from, to, err := reports.ParsePeriod(r.from, r.to, now.In(loc))
	if err != nil {
		return nil, "", usage("--"+err.Error(), "")
	}
	q := url.Values{"from": {from.UTC().Format(time.RFC3339Nano)}, "to": {to.UTC().Format(time.RFC3339Nano)}, "zone": {zone}}
	setText(q, "service", r.service, "team", r.team, "bucket", r.bucket)
	if r.priority != 0 {
		q.Set("priority", strconv.Itoa(int(r.priority)))
	}
	if r.mine {
		q.Set("mine", "true")
	}
	const form = "2006-01-02 15:04"
	return q, from.In(loc).Format(form) + " to " + to.In(loc).Format(form) + ", " + zone, nil
}

// machineZone is the name of this machine's time zone; UTC where it has none.
func machineZone() string {
	candidates := []string{strings.TrimPrefix(os.Getenv("TZ"), ":")}
	if link, err := filepath.EvalSymlinks("/etc/localtime"); err == nil {
		if _, name, ok := strings.Cut(link, "zoneinfo/"); ok {
			candidates = append(candidates, name)
		}
	}
	for _, name := range candidates {
		if _, _, err := zoneinfo.Load(name); name != "" && err == nil {
			return name
		}
	}
	return "UTC"
}

func newReportRunCommand(verb, short string, items bool) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use: verb + " NAME", Short: short, Args: cobra.ExactArgs(1), ValidArgsFunction: reportNames,
		Long: short + `. On a terminal figures stand in their units with their 95 % interval, and trends as a line of blocks;
--format csv and json have plain numbers (seconds, shares of 1) and nothing left out.`,
		Example: "  tocsin report " + verb + " funnel\n  tocsin report " + verb + " mtta --from 'last month' --zone Europe/Berlin --team dba\n  tocsin report " + verb + " noise_pareto --from -7d --format csv -o noise.csv",
	}
	f := addReportFlags(cmd.Flags())
	cmd.Flags().BoolVar(&f.mine, "mine", false, "of reports about people: what is about you")
	cmd.Flags().StringVar(&format, "format", "table", "`FORMAT`: table, csv, json or html")
	complete(cmd, "format", "table", "csv", "json", "html")
	complete(cmd, "bucket", "day", "week", "month")
	cmd.RunE = addRemote(cmd.Flags()).run(func(ctx context.Context, t *tool, args []string) error {
		if t.json {
			format = "json"
		}
		if !slices.Contains([]string{"table", "csv", "json", "html"}, format) {
			return usage("--format: must be table, csv, json or html (got "+quote(format)+")", "")
		}
		q, period, err := f.query(t.now)
		if err != nil {
			return err
		}
		path := []string{"reports", args[0]}
		if items {
			path = append(path, "items")
		}
		q.Set("format", map[string]string{"table": "json"}[format])
		if format != "table" {
			q.Set("format", format)
		}
		var answer bytes.Buffer
		if err := t.api.download(ctx, &answer, q, path...); err != nil {
			return err
		}
		if format == "table" {
			if answer, err = asTable(t.printer, answer.Bytes(), period, f.output == ""); err != nil {
				return err
			}
		}
		return t.deliver(f.output, format == "json", answer.Bytes())
	})
	return cmd
}

// asTable shows a result to people.
func asTable(p *printer, text []byte, period string, screen bool) (out bytes.Buffer, err error) {
	r, err := render.ReadJSON(text)
	if err != nil {
		return out, &fault{code: exitFailed, message: "the answer cannot be read: " + err.Error(), hint: "is --url a Tocsin of this version?"}
	}
	p.note("%s: %s", r.Report.Title, period)
	o := render.TableOptions{}
	if screen {
		o = render.TableOptions{Width: p.columns, Colour: p.colour}
	}
	if len(r.Table.Rows) == 0 {
		p.note("nothing in this period")
		return out, nil
	}
	return out, render.Table(&out, r, o)
}

// deliver writes an answer to a file, or to standard output.
func (t *tool) deliver(file string, json bool, text []byte) error {
	if file == "" || file == "-" {
		if json {
			return t.raw(text)
		}
		_, err := io.Copy(t.out, bytes.NewReader(text))
		return err
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return &fault{code: exitFailed, message: err.Error(), hint: "name a file in a folder that you may write to"}
	}
	t.note("%s: %s", file, terminal.Bytes(int64(len(text))))
	return nil
}

func newReportPackCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "pack NAME", Short: "Make the page of a pack of reports: one HTML file with everything in it",
		Example: "  tocsin report pack monthly --from 'last month' -o report.html", Args: cobra.ExactArgs(1),
		ValidArgsFunction: cobra.FixedCompletions([]string{"monthly"}, cobra.ShellCompDirectiveNoFileComp),
	}
	f := addReportFlags(cmd.Flags())
	complete(cmd, "bucket", "day", "week", "month")
	cmd.RunE = addDaemon(cmd.Flags()).run(func(ctx context.Context, t *tool, args []string) error {
		q, period, err := f.query(t.now)
		if err != nil {
			return err
		}
		if f.output == "" && t.columns > 0 {
			return usage("the page would go to the terminal", "write it to a file with -o report.html")
		}
		var answer bytes.Buffer
		if err := t.api.download(ctx, &answer, q, "report-packs", args[0]); err != nil {
			return err
		}
		t.note("%s: %s", args[0], period)
		return t.deliver(f.output, false, answer.Bytes())
	})
	return cmd
}

// reportNames completes the names of reports; the catalogue of this binary will do.
func reportNames(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	c, err := reports.Open()
	if err != nil || len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, r := range c.List() {
		names = append(names, r.Name+"\t"+r.Title)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
