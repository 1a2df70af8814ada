package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tocsin-noc/tocsin/api"
	"github.com/tocsin-noc/tocsin/engine/contrast"
	"github.com/tocsin-noc/tocsin/internal/terminal"
)

func newRulesShadowCommand() *cobra.Command {
	cmd := newParent("shadow", "Run other rules in the daemon beside those in force, for nobody to see but admins",
		"  tocsin rules shadow start rules/\n  tocsin rules shadow diff")
	cmd.Long = `Run other rules in the daemon beside those in force: on a copy of its state, with the same inputs from then on. Nobody is told anything of
what they decide, and nothing of it is kept: stop, a restart, or falling too far behind ends it. Takes an admin of the tenant main.`
	r := addRemote(cmd.PersistentFlags())
	cmd.AddCommand(shadowStart(r), shadowStatus(r), shadowDiff(r), shadowStop(r))
	return cmd
}

func shadowStart(r *remote) *cobra.Command {
	return &cobra.Command{
		Use:     "start FILE|FOLDER…",
		Short:   "Begin to run other rules beside those in force",
		Long:    "Begin to run other rules beside those in force. All files together, over the shipped rules, stand in place of all that are in force.",
		Example: "  tocsin rules shadow start rules/",
		RunE: r.run(func(ctx context.Context, t *tool, args []string) error {
			if len(args) == 0 {
				return usage("which rules?", "name rule files or a folder of them, as in `tocsin rules shadow start rules/`")
			}
			patterns := rulePatterns(args)
			if len(patterns) == 0 {
				return usage("no rule file in "+args[0], "rule files end in .yml or .yaml")
			}
			files, err := (&evaluateFlags{rules: patterns}).ruleFiles()
			if err != nil {
				return err
			}
			var payload struct {
				Files []api.RuleText `json:"files"`
			}
			for _, f := range files {
				payload.Files = append(payload.Files, api.RuleText{Name: filepath.ToSlash(f.Name), Text: string(f.Text)})
			}
			text, s, err := act[api.Shadow](ctx, t.api, payload, "admin", "shadow")
			if err != nil {
				return err
			}
			if t.json {
				return t.raw(text)
			}
			t.note("rules %s run beside those in force; `tocsin rules shadow diff` shows what differs", s.Rules)
			return nil
		}),
	}
}

func shadowStatus(r *remote) *cobra.Command {
	return &cobra.Command{
		Use:     "status",
		Short:   "Show how the shadow does, or how the last one ended",
		Long:    "Show how the shadow does, with both sides' figures since it began; or how the last one ended.",
		Example: "  tocsin rules shadow status",
		Args:    cobra.NoArgs,
		RunE: r.run(func(ctx context.Context, t *tool, _ []string) error {
			text, s, err := fetch[api.Shadow](ctx, t.api, nil, "admin", "shadow")
			if err != nil {
				return err
			}
			if t.json {
				return t.raw(text)
			}
			return showShadow(t, s)
		}),
	}
}

func shadowStop(r *remote) *cobra.Command {
	return &cobra.Command{
		Use:     "stop",
		Short:   "End the shadow",
		Long:    "End the shadow. Its figures are shown once more; what it decided is gone.",
		Example: "  tocsin rules shadow stop",
		Args:    cobra.NoArgs,
		RunE: r.run(func(ctx context.Context, t *tool, _ []string) error {
			text, err := t.api.do(ctx, http.MethodDelete, []string{"admin", "shadow"}, nil, nil)
			if err != nil {
				return err
			}
			if t.json {
				return t.raw(text)
			}
			s, err := decode[api.Shadow](text)
			if err != nil {
				return err
			}
			return showShadow(t, s)
		}),
	}
}

func shadowDiff(r *remote) *cobra.Command {
	limit := 0
	cmd := &cobra.Command{
		Use:     "diff",
		Short:   "Show what would be otherwise under the shadow's rules, the most different first",
		Long:    "Show what would be otherwise under the shadow's rules since it began, the most different first. IDs behind a + are the shadow's own.",
		Example: "  tocsin rules shadow diff\n  tocsin rules shadow diff --limit 200 --json | jq .counts",
		Args:    cobra.NoArgs,
	}
	cmd.Flags().IntVar(&limit, "limit", 20, "`N` differences at most, up to 1000")
	cmd.RunE = r.run(func(ctx context.Context, t *tool, _ []string) error {
		text, d, err := fetch[api.ShadowDiff](ctx, t.api, url.Values{"limit": {strconv.Itoa(limit)}}, "admin", "shadow", "diff")
		if err != nil {
			return err
		}
		if t.json {
			return t.raw(text)
		}
		return showShadowDiff(t, d)
	})
	return cmd
}

func showShadow(t *tool, s *api.Shadow) error {
	if s.Rules == "" && !s.Running {
		t.line("no shadow runs, and none is remembered")
		return nil
	}
	state, ended, behind := s.Ended, "", ""
	if s.Running {
		state, behind = "runs", plural(int(s.Behind), "record", "records")
	} else if s.EndedAt != nil && s.EndedAt.Before(t.now) { // one that was stopped just now need not say when
		ended = t.at(s.EndedAt)
	}
	if err := t.pairs("", "Shadow", state, "Rules", s.Rules, "Started", t.at(s.StartedAt)+" by "+s.StartedBy, "Ended", ended, "Behind", behind); err != nil {
		return err
	}
	if s.Live == nil || s.Shadow == nil {
		return nil
	}
	t.line("")
	if err := t.table(shadowTable(s), ""); err != nil {
		return err
	}
	if a := &s.Asked; a.Commands > 0 {
		t.line("")
		t.line("of %s by people %d could be carried out, for %d there was nothing left to do", plural(a.Commands, "act", "acts"), a.Applied, a.Already)
		for _, kind := range sortedKeys(a.Not) {
			t.line("  not applicable: %s, %s", kind, plural(a.Not[kind], "time", "times"))
		}
	}
	return nil
}

func shadowTable(s *api.Shadow) *terminal.Table {
	table := terminal.NewTable("SINCE IT BEGAN", "IN FORCE", "SHADOW")
	row := func(name string, of func(f *api.ShadowFigures) string) {
		table.Add(terminal.Text(name), terminal.Text(of(s.Live)), terminal.Text(of(s.Shadow)))
	}
	row("times that an alert began", func(f *api.ShadowFigures) string { return number(f.Alerts) })
	row("incidents opened", func(f *api.ShadowFigures) string { return number(f.Incidents) })
	row("reopened", func(f *api.ShadowFigures) string { return number(f.Reopened) })
	row("would ring (P1, P2)", func(f *api.ShadowFigures) string { return number(f.Pages) })
	row("alerts per incident", func(f *api.ShadowFigures) string { return fmt.Sprintf("%.1f", f.PerIncident) })
	row("need no look of their own", func(f *api.ShadowFigures) string { return shareText(f.Compression) })
	return table
}

func showShadowDiff(t *tool, d *api.ShadowDiff) error {
	var words []string
	for _, k := range contrast.Kinds() {
		if n := d.Counts[k.String()]; n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n, k))
		}
	}
	if len(words) == 0 {
		t.line("nothing differs")
		return nil
	}
	t.line("%s", strings.Join(words, ", "))
	for i := range d.Differences {
		x := &d.Differences[i]
		showDifference(t.printer, &difference{Kind: x.Kind, Alerts: x.Alerts, Moved: x.Moved, Before: differed(x.Live), After: differed(x.Shadow), Words: x.Words, More: x.More})
	}
	if len(d.Differences) < d.Total {
		t.note("%d of %d differences; --limit shows more", len(d.Differences), d.Total)
	}
	return nil
}

func differed(list []api.ShadowIncident) (out []differedIncident) {
	for _, i := range list {
		out = append(out, differedIncident{i.ID, i.Title, i.Priority, i.Team, i.Alerts})
	}
	return out
}
