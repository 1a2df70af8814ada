package main

import (
	"context"
	"io"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tocsin-noc/tocsin/api"
)

func newIncidentCommand() *cobra.Command {
	cmd := newParent("incident", "Open an incident, show one, or act on it", "  tocsin incident show INC-42\n  tocsin incident ack INC-42 INC-43\n  tocsin incident open 'Mail is slow' --severity minor")
	r := addRemote(cmd.PersistentFlags())
	cmd.AddCommand(newShowCommand(r), newAckCommand(r), newResolveCommand(r), newAssignCommand(r), newNoteCommand(r),
		newSnoozeCommand(r), newHoldCommand(r), newUnholdCommand(r),
		newOpenCommand(r), newEditCommand(r), newBeginCommand(r), newRateCommand(r), newTaskCommand(r), newParentCommand(r),
		newMergeCommand(r), newSplitCommand(r), newMajorCommand(r), newUpdateCommand(r), newReviewCommand(r),
		newReportCommand(r), newOfferCommand(r), newTicketCommand(r), newCauseCommand(r))
	cmd.AddCommand(newStepCommands(r)...)
	cmd.AddCommand(newWatchCommands(r)...)
	cmd.AddCommand(newRelateCommands(r)...)
	cmd.AddCommand(newAnswerCommands(r)...)
	return cmd
}

func newAckCommand(r *remote) *cobra.Command {
	return &cobra.Command{
		Use:     "ack INC-1…",
		Aliases: []string{"acknowledge"},
		Short:   "Take notice of incidents; they stop ringing until they get worse",
		Example: "  tocsin incident ack INC-42",
		Args:    cobra.MinimumNArgs(1),
		RunE: r.run(func(ctx context.Context, t *tool, args []string) error {
			return onEach(ctx, t, args, nil, "acknowledge", func(i *api.Incident) string { return "acknowledged by " + i.AcknowledgedBy })
		}),
	}
}

func newResolveCommand(r *remote) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:     "resolve INC-1…",
		Short:   "Resolve incidents",
		Long:    "Resolve incidents. While alerts still fire it takes a reason.",
		Example: "  tocsin incident resolve INC-42 --reason 'disk replaced'",
		Args:    cobra.MinimumNArgs(1),
		RunE: r.run(func(ctx context.Context, t *tool, args []string) error {
			return onEach(ctx, t, args, map[string]string{"reason": reason}, "resolve", func(*api.Incident) string { return "resolved" })
		}),
	}
	cmd.Flags().StringVar(&reason, "reason", "", "`TEXT` that says why; stands on the timeline")
	return cmd
}

func newAssignCommand(r *remote) *cobra.Command {
	var team string
	var nobody bool
	cmd := &cobra.Command{
		Use:   "assign INC-1 [WHO]",
		Short: "Say who works on an incident",
		Long:  "Say who works on an incident. Of person and team, what is not given stays as it is.",
		Example: `  tocsin incident assign INC-42 ann
  tocsin incident assign INC-42 --team db
  tocsin incident assign INC-42 --nobody`,
		Args: cobra.RangeArgs(1, 2),
	}
	cmd.Flags().StringVar(&team, "team", "", "`TEAM` it goes to")
	cmd.Flags().BoolVar(&nobody, "nobody", false, "take person and team back")
	cmd.RunE = r.run(func(ctx context.Context, t *tool, args []string) error {
		who := map[string]string{"assignee": "", "team": team}
		if len(args) == 2 {
			who["assignee"] = args[1]
		}
		given := len(args) == 2 || cmd.Flags().Changed("team")
		if given == nobody {
			return usage("name a person, a --team, or --nobody", "`tocsin incident assign --help` shows how")
		}
		if given && (len(args) == 1 || !cmd.Flags().Changed("team")) {
			_, now, err := fetch[api.Incident](ctx, t.api, nil, "incidents", args[0])
			if err != nil {
				return err
			}
			if len(args) == 1 {
				who["assignee"] = now.Assignee
			} else {
				who["team"] = now.Team
			}
		}
		return onEach(ctx, t, args[:1], who, "assign", func(i *api.Incident) string {
			if i.Assignee == "" && i.Team == "" {
				return "assigned to nobody"
			}
			if i.Assignee == "" {
				return "assigned to team " + i.Team
			}
			return "assigned to " + owner(i)
		})
	})
	return cmd
}

func newNoteCommand(r *remote) *cobra.Command {
	return &cobra.Command{
		Use:     "note INC-1 [TEXT…]",
		Short:   "Add a note; without a text, or with -, it is read from standard input",
		Example: "  tocsin incident note INC-42 'failed over to db-4'\n  journalctl -u shop -n 20 | tocsin incident note INC-42 -",
		Args:    cobra.MinimumNArgs(1),
		RunE: r.run(func(ctx context.Context, t *tool, args []string) error {
			text, err := noteText(t, args[1:])
			if err != nil {
				return err
			}
			return onEach(ctx, t, args[:1], map[string]string{"text": text}, "notes", func(*api.Incident) string { return "noted" })
		}),
	}
}

// noteText returns a note's text: its words, or what is piped in.
func noteText(t *tool, words []string) (string, error) {
	text := strings.Join(words, " ")
	if text == "" || text == "-" {
		all, err := io.ReadAll(io.LimitReader(t.in, 1<<20))
		if err != nil {
			return "", err
		}
		text = string(all)
	}
	if text = strings.TrimSpace(text); text == "" {
		return "", usage("the note is empty", "give its text, or pipe it in")
	}
	return text, nil
}

// onEach sends a command for each incident and prints what became of it.
func onEach(ctx context.Context, t *tool, ids []string, payload map[string]string, verb string, outcome func(*api.Incident) string) error {
	var body any
	if payload != nil {
		body = payload
	}
	return each(t.err, ids, func(id string) error { return t.change(ctx, http.MethodPost, body, outcome, id, verb) })
}
