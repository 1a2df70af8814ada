package main

import (
	"context"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tocsin-noc/tocsin/api"
	"github.com/tocsin-noc/tocsin/internal/terminal"
)

func newNotifyCommand() *cobra.Command {
	cmd := newParent("notify", "Who was told what, and whether receivers work", "  tocsin notify receivers\n  tocsin notify preview INC-1 --receiver ops-slack\n  tocsin notify test ops-slack")
	r := addRemote(cmd.PersistentFlags())
	cmd.AddCommand(newReceiversCommand(r), newMessagesCommand(r), newPreviewCommand(r), newNotifyTestCommand(r))
	return cmd
}

func newReceiversCommand(r *remote) *cobra.Command {
	return &cobra.Command{
		Use: "receivers", Short: "Show how receivers do: what waits, and why", Example: "  tocsin notify receivers", Args: cobra.NoArgs,
		RunE: r.run(func(ctx context.Context, t *tool, _ []string) error {
			text, got, err := fetch[api.Receivers](ctx, t.api, nil, "notify", "receivers")
			if err != nil {
				return err
			}
			if t.json {
				return t.raw(text)
			}
			if got.Stalled != "" {
				t.note("the outbox cannot be written, messages wait: %s", got.Stalled)
			}
			if len(got.Receivers) == 0 {
				t.note("there are no receivers: nobody is told of incidents. The configuration's notify_file names them")
				return nil
			}
			table := terminal.NewTable("RECEIVER", "KIND", "STATE", "WAITING", "SINCE", "LAST SENT", "NEXT TRY", "LAST ERROR")
			for i := range got.Receivers {
				v := &got.Receivers[i]
				state, style := "ok", terminal.Green
				if v.Failures > 0 {
					state, style = "failing "+strconv.Itoa(v.Failures)+"×", terminal.BoldRed
				}
				if v.Failures == 0 && v.Aside > 0 {
					state, style = strconv.Itoa(v.Aside)+" set aside", terminal.BoldRed
				}
				table.Add(terminal.Text(v.Name), terminal.Text(v.Kind), terminal.Cell{Text: state, Style: style}, terminal.Text(strconv.Itoa(v.Pending)),
					terminal.Text(t.at(v.Oldest)), terminal.Text(t.at(v.LastSuccess)), terminal.Text(t.at(v.RetryAt)), terminal.Text(v.LastError))
			}
			return t.table(table, "")
		}),
	}
}

func newMessagesCommand(r *remote) *cobra.Command {
	limit := 50
	cmd := &cobra.Command{
		Use: "messages", Short: "List what was told to whom, the newest first", Example: "  tocsin notify messages --limit 200", Args: cobra.NoArgs,
		RunE: r.run(func(ctx context.Context, t *tool, _ []string) error {
			text, got, err := fetch[api.SentList](ctx, t.api, url.Values{"limit": {strconv.Itoa(limit)}}, "notify", "messages")
			if err != nil {
				return err
			}
			if t.json {
				return t.raw(text)
			}
			if len(got.Messages) == 0 {
				t.note("nobody was told anything yet")
				return nil
			}
			table := t.grid("AT", "OUTCOME", "RECEIVER", "WHO", "TRIES", "TITLE", "ERROR")
			for i := range got.Messages {
				m := &got.Messages[i]
				style := terminal.Green
				if m.Outcome != "sent" {
					style = terminal.BoldRed
				}
				table.add(tenantOf(m.Subject), terminal.Text(t.time(m.At)), terminal.Cell{Text: m.Outcome, Style: style}, terminal.Text(m.Receiver),
					terminal.Text(strings.Join(m.Who, ", ")), terminal.Text(strconv.Itoa(m.Attempts)), terminal.Text(m.Title), terminal.Text(m.Error+m.TemplateError))
			}
			return t.table(table, "")
		}),
	}
	cmd.Flags().IntVar(&limit, "limit", limit, "`N` messages at most")
	return cmd
}

// tenantOf returns whose a message's subject is.
func tenantOf(subject string) string {
	tenant, _, _ := strings.Cut(subject, "/")
	return tenant
}

func newPreviewCommand(r *remote) *cobra.Command {
	var receiver, about string
	cmd := &cobra.Command{
		Use: "preview INC-1 --receiver NAME", Short: "Show what a receiver would be told of an incident; nothing is sent",
		Example: "  tocsin notify preview INC-1 --receiver ops-slack --event resolved", Args: cobra.ExactArgs(1),
		RunE: r.run(func(ctx context.Context, t *tool, args []string) error {
			text, p, err := act[api.Preview](ctx, t.api, map[string]string{"incident": args[0], "receiver": receiver, "event": about}, "notify", "preview")
			if err != nil {
				return err
			}
			if t.json {
				return t.raw(text)
			}
			showPreview(t, p)
			return nil
		}),
	}
	fl := cmd.Flags()
	fl.StringVar(&receiver, "receiver", "", "`NAME` of the receiver")
	fl.StringVar(&about, "event", "opened", "`EVENT` to be told: opened, raised, worse, woke, escalated, signal_lost, reopened, resolved, hold_due, cancelled, merged, absorbed, split, unmerged, proposed, answered, major_began, major_ended, update, update_due, chase or task")
	complete(cmd, "event", "opened", "raised", "worse", "woke", "escalated", "signal_lost", "reopened", "resolved", "hold_due",
		"cancelled", "merged", "absorbed", "split", "unmerged", "proposed", "answered", "major_began", "major_ended", "update", "update_due", "chase", "task")
	cmd.MarkFlagsOneRequired("receiver")
	return cmd
}

func showPreview(t *tool, p *api.Preview) {
	t.line("%s", t.paint(terminal.Bold, p.Title))
	t.text("", p.Text)
	if p.TemplateError != "" {
		t.note("the template fails, so this is the plain wording: %s", p.TemplateError)
	}
}

func newNotifyTestCommand(r *remote) *cobra.Command {
	var to []string
	cmd := &cobra.Command{
		Use: "test RECEIVER", Short: "Send a test message now and wait for the outcome",
		Long: `Send a test message now and wait for the outcome. A receiver that reaches people takes --to. The receiver's templates are tried on a
made-up incident as well: when they fail, the exit code is 1.`,
		Example: "  tocsin notify test ops-slack\n  tocsin notify test mail --to ann@example.org",
		Args:    cobra.ExactArgs(1),
		RunE: r.run(func(ctx context.Context, t *tool, args []string) error {
			text, p, err := act[api.Preview](ctx, t.api, map[string]any{"receiver": args[0], "to": to}, "notify", "test")
			if err != nil {
				return err
			}
			if t.json {
				err = t.raw(text)
			} else {
				t.line("%s took it", args[0])
			}
			if p.TemplateError != "" && err == nil {
				return &fault{
					code: exitFailed, message: "its template fails, so it is told of incidents in plain words: " + p.TemplateError,
					hint: "mend title, text or templates in the notify_file; `tocsin notify preview INC-1 --receiver " + args[0] + "` shows what comes of it",
				}
			}
			return err
		}),
	}
	cmd.Flags().StringSliceVar(&to, "to", nil, "`ADDRESSES`, for a receiver that reaches people")
	return cmd
}
