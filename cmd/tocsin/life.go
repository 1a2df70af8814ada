package main

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tocsin-noc/tocsin/api"
)

// change asks for something to be done to an incident and prints what became of it; parts name the resource below incidents.
func (t *tool) change(ctx context.Context, method string, payload any, outcome func(*api.Incident) string, parts ...string) error {
	text, err := t.api.do(ctx, method, append([]string{"incidents"}, parts...), nil, payload)
	if err != nil {
		return err
	}
	if t.json {
		return t.raw(text)
	}
	i, err := decode[api.Incident](text)
	if err != nil {
		return err
	}
	t.line("%s %s: %s", i.ID, outcome(i), i.Title)
	return nil
}

// given are the flags that stand on the command line, by the names of the API's fields: what is not given stays as it is.
func given(f *pflag.FlagSet, names ...string) map[string]any {
	out := map[string]any{}
	for _, name := range names {
		if !f.Changed(name) {
			continue
		}
		field := strings.ReplaceAll(name, "-", "_")
		if n, err := f.GetUint8(name); err == nil {
			out[field] = n
		} else if l, err := f.GetStringSlice(name); err == nil {
			out[field] = l
		} else {
			out[field] = f.Lookup(name).Value.String()
		}
	}
	return out
}

func newOpenCommand(r *remote) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "open TITLE…",
		Short: "Open an incident by hand",
		Long: `Open an incident by hand. How bad it is stands in --severity, or in --impact and --urgency (1 is the greatest), from which the priority
follows. No alert is in it, so it ends when somebody resolves it.`,
		Example: "  tocsin incident open 'Mail is slow' --severity minor --service mail --text 'since nine'\n  tocsin incident open 'Nobody can pay' --impact 1 --urgency 1 --team shop",
		Args:    cobra.MinimumNArgs(1),
	}
	f := cmd.Flags()
	f.String("severity", "", "`SEVERITY`: critical, major, minor, warning or info")
	f.Uint8("impact", 0, "`N` from 1, the greatest, to 3")
	f.Uint8("urgency", 0, "`N` from 1, the greatest, to 3")
	f.String("text", "", "`TEXT` that describes it; becomes its first note")
	f.String("ci", "", "`ID` of the configuration item it is about")
	f.String("service", "", "`ID` of the service it is about, in place of --ci")
	f.String("team", "", "`TEAM` it goes to")
	f.String("assignee", "", "`PERSON` who works on it")
	complete(cmd, "severity", "critical", "major", "minor", "warning", "info")
	cmd.RunE = r.run(func(ctx context.Context, t *tool, args []string) error {
		payload := given(f, "severity", "impact", "urgency", "ci", "service", "team", "assignee")
		payload["title"] = strings.Join(args, " ")
		if f.Changed("text") {
			payload["description"] = f.Lookup("text").Value.String()
		}
		return t.change(ctx, http.MethodPost, payload, func(i *api.Incident) string { return "opened, " + priority(i.Priority) })
	})
	return cmd
}

func newEditCommand(r *remote) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "edit INC-1",
		Short: "Set an incident's title, impact, urgency or configuration item",
		Long: `Set an incident's title, impact, urgency or configuration item. What a person has set the machine leaves alone, until it is handed back with
--release.`,
		Example: "  tocsin incident edit INC-42 --impact 1\n  tocsin incident edit INC-42 --release impact,urgency",
		Args:    cobra.ExactArgs(1),
	}
	f := cmd.Flags()
	f.String("title", "", "`TEXT`")
	f.Uint8("impact", 0, "`N` from 1, the greatest, to 3")
	f.Uint8("urgency", 0, "`N` from 1, the greatest, to 3")
	f.String("ci", "", "`ID` of the configuration item it is about")
	f.StringSlice("release", nil, "`FIELDS` that the machine keeps again: title, impact, urgency, ci")
	complete(cmd, "release", "title", "impact", "urgency", "ci")
	cmd.MarkFlagsOneRequired("title", "impact", "urgency", "ci", "release")
	cmd.RunE = r.run(func(ctx context.Context, t *tool, args []string) error {
		return t.change(ctx, http.MethodPatch, given(f, "title", "impact", "urgency", "ci", "release"), func(i *api.Incident) string {
			return "changed, " + priority(i.Priority) + unless(len(i.Pinned) == 0, ", set by hand: "+strings.Join(i.Pinned, ", "))
		}, args[0])
	})
	return cmd
}

func newBeginCommand(r *remote) *cobra.Command {
	return &cobra.Command{
		Use:     "begin INC-1…",
		Short:   "Say that you work on incidents; that acknowledges them and ends a hold",
		Example: "  tocsin incident begin INC-42",
		Args:    cobra.MinimumNArgs(1),
		RunE: r.run(func(ctx context.Context, t *tool, args []string) error {
			return onEach(ctx, t, args, nil, "begin", func(i *api.Incident) string { return "in progress, " + owner(i) + " has it" })
		}),
	}
}

// step is one that an incident's life takes with a reason.
type step struct {
	verb, short, long, example string
	must                       bool // the reason
	outcome                    func(*api.Incident) string
}

func newStepCommands(r *remote) []*cobra.Command {
	done := func(what string) func(*api.Incident) string { return func(*api.Incident) string { return what } }
	var cmds []*cobra.Command
	for _, s := range []step{
		{
			"cancel", "End incidents because they were none", "Cancel incidents: they were none. It takes a reason. What somebody else has taken on is theirs to cancel.",
			"  tocsin incident cancel INC-42 --reason 'it was a drill'", true, done("cancelled"),
		},
		{
			"close", "Close resolved incidents for good",
			"Close resolved incidents: they do not reopen by themselves any more. While tasks are open it takes a reason. Without this command they close after some days.",
			"  tocsin incident close INC-42", false, done("closed"),
		},
		{
			"reopen", "Take resolved incidents back", "Take resolved incidents back, or such as were closed not long ago. It takes a reason, and they are yours from then on.",
			"  tocsin incident reopen INC-42 --reason 'the queue grows again'", true, done("reopened"),
		},
		{
			"unmerge", "Take incidents out again of the ones they went into",
			"Undo a merge: the incident is open again with the alerts that it brought, and the machine does not merge the two again.",
			"  tocsin incident unmerge INC-43 --reason 'another disk'", false, done("is an incident of its own again"),
		},
	} {
		var reason string
		cmd := &cobra.Command{
			Use: s.verb + " INC-1…", Short: s.short, Long: s.long, Example: s.example, Args: cobra.MinimumNArgs(1),
			RunE: r.run(func(ctx context.Context, t *tool, args []string) error {
				return onEach(ctx, t, args, map[string]string{"reason": reason}, s.verb, s.outcome)
			}),
		}
		cmd.Flags().StringVar(&reason, "reason", "", "`TEXT` that says why; stands on the timeline")
		if s.must {
			cmd.MarkFlagsOneRequired("reason")
		}
		cmds = append(cmds, cmd)
	}
	return cmds
}

func newRateCommand(r *remote) *cobra.Command {
	return &cobra.Command{
		Use:     "rate INC-1 STARS [COMMENT…]",
		Short:   "Say, from 1 to 5, how content people are with how it was solved",
		Example: "  tocsin incident rate INC-42 4 'quick, but nobody called back'",
		Args:    cobra.MinimumNArgs(2),
		RunE: r.run(func(ctx context.Context, t *tool, args []string) error {
			stars, err := strconv.ParseUint(args[1], 10, 8)
			if err != nil || stars < 1 || stars > 5 {
				return usage(quote(args[1])+" is no number from 1 to 5", "5 is the best")
			}
			payload := map[string]any{"rating": stars, "comment": strings.Join(args[2:], " ")}
			return t.change(ctx, http.MethodPost, payload, func(i *api.Incident) string { return "rated " + args[1] + " of 5" }, args[0], "rate")
		}),
	}
}
