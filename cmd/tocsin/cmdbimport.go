package main

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tocsin-noc/tocsin/api"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/terminal"
)

// importFlags say how files are imported.
type importFlags struct {
	source, format, cluster string
	prune, lenient          bool
	show                    int
}

func (f *importFlags) add(cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.StringVar(&f.source, "source", "", "`NAME` of the import: it replaces the relations that it told of itself; needed to --prune (default the name of the first file)")
	fl.StringVar(&f.format, "format", "", "`FORMAT`: native, csv, file_sd, kubernetes or backstage (default found out)")
	fl.StringVar(&f.cluster, "cluster", "", "`NAME` of the cluster of Kubernetes manifests, which do not tell it")
	fl.BoolVar(&f.prune, "prune", false, "retire what this source told of first and no longer names")
	fl.BoolVar(&f.lenient, "lenient", false, "leave out items with problems, and list these")
	fl.IntVar(&f.show, "show", 100, "`N` changes to show; 0 for all")
	complete(cmd, "format", "native", "csv", "file_sd", "kubernetes", "backstage")
	cmd.MarkFlagsMutuallyExclusive("prune", "lenient")
}

func newCMDBImportCommand(r *remote) *cobra.Command {
	f := &importFlags{}
	var dry bool
	cmd := &cobra.Command{
		Use:   "import FILE…",
		Short: "Import configuration items and services from files",
		Long: `Import configuration items and services from files, all of it or nothing. Files, folders and - for standard input are one import. What
the files say already changes nothing. It replaces the relations that the import of this --source told of before, and leaves alone what people
have set. With --prune it retires what this source told of first and no longer names.

  +  is new      ~  changes      -  is retired`,
		Example: `  tocsin cmdb import hosts.yml services.yml
  tocsin cmdb import --source k8s-prod --cluster prod --prune manifests/
  tocsin cmdb list -o yaml | tocsin cmdb import --dry-run -`,
		Args: cobra.MinimumNArgs(1),
		RunE: r.run(func(ctx context.Context, t *tool, args []string) error { return f.run(ctx, t, args, dry) }),
	}
	f.add(cmd)
	cmd.Flags().BoolVar(&dry, "dry-run", false, "only show what would change")
	return cmd
}

func newCMDBDiffCommand(r *remote) *cobra.Command {
	f := &importFlags{}
	cmd := &cobra.Command{
		Use:     "diff FILE…",
		Short:   "Show what an import would change",
		Example: "  tocsin cmdb diff hosts.yml\n  tocsin cmdb diff --source k8s-prod --prune manifests/",
		Args:    cobra.MinimumNArgs(1),
		RunE:    r.run(func(ctx context.Context, t *tool, args []string) error { return f.run(ctx, t, args, true) }),
	}
	f.add(cmd)
	return cmd
}

// sourceOf names an import after its first file or folder.
func sourceOf(file string) string {
	if file == "-" {
		return "stdin"
	}
	path, err := filepath.Abs(file)
	if err != nil {
		path = file
	}
	name := strings.Trim(regexp.MustCompile(`[^A-Za-z0-9._-]+`).ReplaceAllString(filepath.Base(path), "-"), "-._")
	if name == "" || name == event.PeopleSource || name == event.AlertSource {
		return "import"
	}
	return name[:min(len(name), 64)]
}

func (f *importFlags) run(ctx context.Context, t *tool, names []string, dry bool) error {
	files, size, err := readFiles(t.in, names)
	if err != nil {
		return err
	}
	show := f.show
	if show <= 0 {
		show = 100_000
	}
	source := f.source
	if source == "" && !f.prune { // what one file said another does not take back
		source = sourceOf(names[0])
	}
	query := url.Values{"diffs": {strconv.Itoa(show)}}
	setText(query, "source", source, "format", f.format, "cluster", f.cluster)
	for name, given := range map[string]bool{"dry_run": dry, "prune": f.prune, "lenient": f.lenient} {
		if given {
			query.Set(name, "true")
		}
	}
	text, err := t.upload(ctx, query, files, size)
	if err != nil {
		return err
	}
	if t.json {
		return t.raw(text)
	}
	out, err := decode[api.Import](text)
	if err != nil {
		return err
	}
	t.imported(out)
	return nil
}

// imported shows what an import changed, or would change.
func (p *printer) imported(i *api.Import) {
	for n := range i.Would.Diffs {
		p.diff(&i.Would.Diffs[n])
	}
	if shown := len(i.Would.Diffs); shown > 0 {
		if shown < i.Would.Total {
			p.note("%d of %d changes; --show 0 shows all", shown, i.Would.Total)
		}
		fmt.Fprintln(p.out)
	}
	for _, problem := range i.Problems {
		p.note("left out: %s", problem)
	}
	if more := i.Faults - len(i.Problems); more > 0 {
		p.note("and %d more problems", more)
	}
	for _, s := range i.Skipped {
		p.note("skipped: %d × %s", s.Count, s.What)
	}
	if i.UnknownCount > 0 {
		p.note("%s and nobody has told of: %s", plural(i.UnknownCount, "item that relations name", "items that relations name"), strings.Join(i.Unknown, ", "))
	}
	if i.Would.Total == 0 {
		p.line("No change: %s of %s %s what is known.", plural(i.Read, "item", "items"), i.Source, map[bool]string{true: "says", false: "say"}[i.Read == 1])
		return
	}
	p.line("%s%s new, %s changed, %s retired, %s unchanged; source %s, format %s.", unless(!i.DryRun, "Would be: "), number(i.Would.New), number(i.Would.Updated),
		number(i.Would.Retired), number(i.Unchanged), i.Source, i.Format)
}

// number groups the digits of what is counted.
func number(n int) string {
	text := strconv.Itoa(n)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}

// diff shows one item that changes.
func (p *printer) diff(d *api.CIDiff) {
	mark := map[string]struct {
		sign  string
		style terminal.Style
	}{"new": {"+", terminal.Green}, "updated": {"~", terminal.Yellow}, "retired": {"-", terminal.Red}}[d.Change]
	head := d.Class + " " + d.ID
	if d.Name != d.ID {
		head += " (" + d.Name + ")"
	}
	if d.From != nil {
		head += " from " + terminal.Clock(d.From.Local()) + " on"
	}
	p.line("%s %s", p.paint(mark.style, mark.sign), p.paint(terminal.Bold, head))
	for _, f := range d.Fields {
		if line := diffLine(d, f); line != "" {
			p.line("    %s", line)
		}
	}
}

// diffLine shows one field, "" where the item's own line tells it.
func diffLine(d *api.CIDiff, f api.CIField) string {
	kind, target, arrow := strings.Cut(strings.TrimPrefix(f.Field, "relations."), ".")
	switch {
	case strings.HasPrefix(f.Field, "relations.") && arrow:
		sign := "+ "
		if f.To == "" {
			sign = "- "
		}
		return sign + kind + " " + target
	case d.Change == "new" && (f.Field == "class" || f.Field == "name" || f.Field == "source" || f.Field == "confidence" || f.Field == "state" && f.To == "live"),
		d.Change == "retired" && f.Field == "state", f.Field == "confidence":
		return ""
	case strings.HasPrefix(f.Field, "pinned."):
		return unless(f.To == "", "set by hand: "+strings.TrimPrefix(f.Field, "pinned.")) + unless(f.To != "", "handed back: "+strings.TrimPrefix(f.Field, "pinned."))
	}
	name := strings.TrimPrefix(f.Field, "attributes.")
	switch {
	case f.From == "":
		return "+ " + name + ": " + f.To
	case f.To == "":
		return "- " + name + ": " + f.From
	}
	return "~ " + name + ": " + f.From + " → " + f.To
}
