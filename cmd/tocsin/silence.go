package main

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/prometheus/alertmanager/matcher/parse"
	"github.com/spf13/cobra"

	"github.com/tocsin-noc/tocsin/api"
	"github.com/tocsin-noc/tocsin/internal/terminal"
)

func newSilenceCommand() *cobra.Command {
	cmd := newParent("silence", "Quiet alerts for a while", "  tocsin silence add INC-42 --duration 2h --comment 'disk is on its way'\n  tocsin silence list")
	r := addRemote(cmd.PersistentFlags())
	cmd.AddCommand(newSilenceAddCommand(r), newSilenceListCommand(r), newSilenceExpireCommand(r))
	return cmd
}

// silenceFlags describe a silence to be made.
type silenceFlags struct{ duration, start, until, comment, createdBy string }

func newSilenceAddCommand(r *remote) *cobra.Command {
	f := &silenceFlags{}
	cmd := &cobra.Command{
		Use:   "add MATCHER…|INC-1",
		Short: "Quiet what all matchers match, or what is in an incident; prints the ids",
		Long: `Quiet the alerts that all matchers match, or those of an incident by the labels they share. Every silence has an end. It quiets and
never resolves; what it quiets can still be seen.`,
		Example: `  tocsin silence add 'alertname="DiskFull"' 'instance=~"db-.*"' --duration 2h --comment 'cleaning up'
  tocsin silence add INC-42 --duration 30m`,
		Args: cobra.MinimumNArgs(1),
		RunE: r.run(f.run),
	}
	fl := cmd.Flags()
	fl.StringVar(&f.duration, "duration", "", "`SPAN` it lasts, as in 90s, 2h or 1d")
	fl.StringVar(&f.until, "until", "", "`TIME` it ends, as in 2026-11-21T06:00:00Z")
	fl.StringVar(&f.start, "start", "", "`TIME` it starts (default now)")
	fl.StringVar(&f.comment, "comment", "", "`TEXT` that says why")
	fl.StringVar(&f.createdBy, "created-by", "", "`NAME` of who made it (default $USER, else the token's name)")
	cmd.MarkFlagsOneRequired("duration", "until")
	cmd.MarkFlagsMutuallyExclusive("duration", "until")
	return cmd
}

func (f *silenceFlags) run(ctx context.Context, t *tool, args []string) error {
	if len(args) == 1 && isIncident(args[0]) {
		return f.incident(ctx, t, args[0])
	}
	draft, err := f.draft(args)
	if err != nil {
		return err
	}
	text, made, err := act[struct{ ID string }](ctx, t.api, draft, "silences")
	if err != nil {
		return err
	}
	if t.json {
		return t.raw(text)
	}
	t.line("%s", made.ID)
	return nil
}

func (f *silenceFlags) incident(ctx context.Context, t *tool, id string) error {
	if f.until != "" || f.start != "" {
		return usage("a silence for an incident starts now and takes a --duration", "")
	}
	payload := map[string]string{"duration": f.duration, "comment": f.comment, "created_by": f.author()}
	text, made, err := act[struct {
		IDs []string `json:"silence_ids"`
	}](ctx, t.api, payload, "incidents", id, "silence")
	if err != nil {
		return err
	}
	if t.json {
		return t.raw(text)
	}
	for _, id := range made.IDs {
		t.line("%s", id)
	}
	return nil
}

func (f *silenceFlags) author() string { return cmp.Or(f.createdBy, os.Getenv("USER")) }

func (f *silenceFlags) draft(matchers []string) (*api.SilenceDraft, error) {
	d := &api.SilenceDraft{Duration: f.duration, Comment: f.comment, CreatedBy: f.author()}
	var err error
	if d.Matchers, err = parseMatchers(matchers); err != nil {
		return nil, err
	}
	if d.StartsAt, err = parseInstant("--start", f.start); err != nil {
		return nil, err
	}
	d.EndsAt, err = parseInstant("--until", f.until)
	return d, err
}

// parseMatchers reads matchers as Alertmanager writes them.
func parseMatchers(texts []string) ([]api.Matcher, error) {
	var out []api.Matcher
	for _, text := range texts {
		m, err := parse.Matcher(text)
		if err != nil {
			return nil, usage(quote(text)+" is no matcher: "+err.Error(), `write one per argument and quote it for the shell, as in 'instance=~"db-.*"'`)
		}
		out = append(out, api.Matcher{Name: m.Name, Op: m.Type.String(), Value: m.Value})
	}
	return out, nil
}

// parseInstant reads a flag's time, zero when it was not given.
func parseInstant(flag, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02"} {
		if at, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return at, nil
		}
	}
	return time.Time{}, usage(flag+": "+quote(text)+" is no time", "write 2026-11-21T06:00:00Z, or '2026-11-21 06:00' in the local zone")
}

func newSilenceListCommand(r *remote) *cobra.Command {
	var states []string
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List silences, those that end first on top",
		Example: "  tocsin silence list\n  tocsin silence list --state expired",
		Args:    cobra.NoArgs,
		RunE: r.run(func(ctx context.Context, t *tool, _ []string) error {
			items, _, err := t.api.page(ctx, "silences", url.Values{"state": states}, "silences")
			if err != nil {
				return err
			}
			if t.json {
				return t.rawList(items)
			}
			return showSilences(t.printer, items)
		}),
	}
	cmd.Flags().StringSliceVar(&states, "state", []string{"active", "pending"}, "`STATE`: active, pending or expired")
	complete(cmd, "state", "active", "pending", "expired")
	return cmd
}

func showSilences(p *printer, items []json.RawMessage) error {
	silences, err := decodeAll[api.Silence](items)
	if err != nil {
		return err
	}
	if len(silences) == 0 {
		p.note("no silence matches")
		return nil
	}
	table := p.grid("ID", "STATE", "STARTS", "ENDS", "BY", "MATCHERS", "COMMENT")
	for i := range silences {
		s := &silences[i]
		table.add(s.Tenant,
			terminal.Text(s.ID), terminal.Text(s.State), terminal.Text(p.time(s.StartsAt)), terminal.Text(p.time(s.EndsAt)),
			terminal.Text(s.CreatedBy), terminal.Text(matcherText(s.Matchers)), terminal.Text(s.Comment),
		)
	}
	return p.table(table, "")
}

func newSilenceExpireCommand(r *remote) *cobra.Command {
	return &cobra.Command{
		Use:     "expire ID…",
		Short:   "End silences now",
		Example: "  tocsin silence expire 1d3c5ea0-4d0e-8f37-9a5b-2f6a0c8e7b11",
		Args:    cobra.MinimumNArgs(1),
		RunE: r.run(func(ctx context.Context, t *tool, args []string) error {
			return each(t.err, args, func(id string) error {
				if _, err := t.api.do(ctx, http.MethodDelete, []string{"silences", id}, nil, nil); err != nil {
					return err
				}
				if !t.json {
					t.line("%s expired", id)
				}
				return nil
			})
		}),
	}
}
