package main

import (
	"context"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tocsin-noc/tocsin/api"
)

func newMajorCommand(r *remote) *cobra.Command {
	end := &cobra.Command{
		Use:     "end INC-1",
		Short:   "End the major incident; the incident itself goes on",
		Example: "  tocsin incident major end INC-42",
		Args:    cobra.ExactArgs(1),
		RunE: r.run(func(ctx context.Context, t *tool, args []string) error {
			return t.change(ctx, http.MethodDelete, nil, func(*api.Incident) string { return "is no major incident any more" }, args[0], "major")
		}),
	}
	return newParent("major", "Make an incident a major one, say who does what in it, end it",
		"  tocsin incident major start INC-42 --commander ann --bridge https://meet.example/42",
		newMajorSetCommand(r, "start", "Make an incident a major one; takes the role manager"),
		newMajorSetCommand(r, "set", "Change who does what in a major incident"), end)
}

func newMajorSetCommand(r *remote, verb, short string) *cobra.Command {
	cmd := &cobra.Command{
		Use: verb + " INC-1", Short: short, Args: cobra.ExactArgs(1),
		Long:    short + ". What is not given stays as it is. When the next update is due, it rings.",
		Example: "  tocsin incident major " + verb + " INC-42 --commander ann --comms bob --scribe kim --bridge https://meet.example/42 --next 30m",
	}
	f := cmd.Flags()
	f.String("commander", "", "`PERSON` who leads")
	f.String("comms", "", "`PERSON` who talks to those who are hit")
	f.String("scribe", "", "`PERSON` who writes down what happens")
	f.String("bridge", "", "`WHERE` they talk: a URL or a number")
	f.String("next", "", "`WHEN` the next update is due: a span such as 30m, or 2026-11-21T03:30:00Z")
	f.String("why", "", "`TEXT` that stands on the timeline")
	cmd.RunE = r.run(func(ctx context.Context, t *tool, args []string) error {
		payload := given(f, "commander", "comms", "scribe", "bridge", "why")
		if f.Changed("next") {
			payload["next_update"] = f.Lookup("next").Value.String()
		}
		if verb == "set" {
			if len(payload) == 0 {
				return usage("nothing is to be changed", "`tocsin incident major set --help` shows how")
			}
			_, i, err := fetch[api.Incident](ctx, t.api, nil, "incidents", args[0])
			if err != nil {
				return err
			}
			if !majorRuns(i) {
				return &fault{code: exitRefused, message: i.ID + " is no major incident", hint: "make it one with `tocsin incident major start`"}
			}
		}
		return t.change(ctx, http.MethodPut, payload, func(i *api.Incident) string { return "is a major incident, " + t.roles(i.Major) }, args[0], "major")
	})
	return cmd
}

// majorRuns tells whether it is a major incident now.
func majorRuns(i *api.Incident) bool { return i.Major != nil && i.Major.EndedAt == nil }

// roles says who does what, and when those who are hit hear more.
func (p *printer) roles(m *api.MajorIncident) string {
	if m == nil {
		return "nobody leads it"
	}
	words := []string{"nobody leads it"}
	if m.Commander != "" {
		words[0] = "led by " + m.Commander
	}
	if m.NextUpdateAt != nil {
		words = append(words, "next update "+p.clock(m.NextUpdateAt))
	}
	return strings.Join(words, ", ")
}

func newUpdateCommand(r *remote) *cobra.Command {
	var next string
	cmd := &cobra.Command{
		Use:   "update INC-1 [TEXT…]",
		Short: "Post an update for those whom a major incident hits; without a text, or with -, it is read from standard input",
		Long: `Post an update for those whom a major incident hits: what is known, what is done, when they hear more. Without a text, or with -, it is read
from standard input.`,
		Example: "  tocsin incident update INC-42 'We swap the disk; payments come back by six.' --next 30m",
		Args:    cobra.MinimumNArgs(1),
	}
	cmd.Flags().StringVar(&next, "next", "", "`WHEN` they hear more: a span such as 30m, or 2026-11-21T03:30:00Z (default the setting update_every)")
	cmd.RunE = r.run(func(ctx context.Context, t *tool, args []string) error {
		text, err := noteText(t, args[1:])
		if err != nil {
			return err
		}
		return t.change(ctx, http.MethodPost, map[string]string{"text": text, "next": next}, func(i *api.Incident) string {
			if i.Major == nil || i.Major.NextUpdateAt == nil {
				return "told"
			}
			return "told; next update " + t.clock(i.Major.NextUpdateAt)
		}, args[0], "update")
	})
	return cmd
}

func newReviewCommand(r *remote) *cobra.Command {
	var done bool
	cmd := &cobra.Command{
		Use:   "review INC-1 [SUMMARY…]",
		Short: "Begin, write or finish the review of an incident",
		Long: `Begin, write or finish the review of an incident that is over: what happened, why, and what changes because of it. With - the summary is read
from standard input. The review's actions are tasks.`,
		Example: "  tocsin incident review INC-42 'The disk filled up because …' --due 5d\n  tocsin incident review INC-42 --done",
		Args:    cobra.MinimumNArgs(1),
	}
	f := cmd.Flags()
	f.String("due", "", "`WHEN`: a span such as 5d, or 2026-11-25T12:00:00Z")
	f.BoolVar(&done, "done", false, "it is finished")
	cmd.RunE = r.run(func(ctx context.Context, t *tool, args []string) error {
		payload := given(f, "due")
		if len(args) > 1 {
			summary, err := noteText(t, args[1:])
			if err != nil {
				return err
			}
			payload["summary"] = summary
		}
		if done {
			payload["done"] = true
		}
		return t.change(ctx, http.MethodPut, payload, func(i *api.Incident) string {
			if i.Review != nil && i.Review.DoneAt != nil {
				return "review finished"
			}
			return "has a review" + unless(i.Review == nil || i.Review.DueAt == nil, ", due "+t.reviewDue(i.Review))
		}, args[0], "review")
	})
	return cmd
}

func (p *printer) reviewDue(r *api.Review) string {
	if r == nil {
		return "-"
	}
	return p.clock(r.DueAt)
}
