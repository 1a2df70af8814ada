package main

import (
	"context"
	"net/http"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/tocsin-noc/tocsin/api"
)

func newParentCommand(r *remote) *cobra.Command {
	var none bool
	cmd := &cobra.Command{
		Use:     "parent INC-2 [INC-1]",
		Short:   "Make an incident the child of another, with which it resolves",
		Long:    "Make an incident the child of another. When the parent is resolved, its children are too, unless something of theirs still fires.",
		Example: "  tocsin incident parent INC-43 INC-42\n  tocsin incident parent INC-43 --none",
		Args:    cobra.RangeArgs(1, 2),
	}
	cmd.Flags().BoolVar(&none, "none", false, "take it from its parent")
	cmd.RunE = r.run(func(ctx context.Context, t *tool, args []string) error {
		if (len(args) == 2) == none {
			return usage("name the parent, or give --none", "`tocsin incident parent --help` shows how")
		}
		if none {
			return t.change(ctx, http.MethodDelete, nil, func(*api.Incident) string { return "has no parent" }, args[0], "parent")
		}
		return t.change(ctx, http.MethodPut, map[string]string{"parent": args[1]}, func(i *api.Incident) string { return "is a child of " + i.Parent }, args[0], "parent")
	})
	return cmd
}

func newRelateCommands(r *remote) []*cobra.Command {
	command := func(verb, short, outcome string) *cobra.Command {
		return &cobra.Command{
			Use: verb + " INC-1 INC-2…", Short: short, Example: "  tocsin incident " + verb + " INC-42 INC-43", Args: cobra.MinimumNArgs(2),
			RunE: r.run(func(ctx context.Context, t *tool, args []string) error {
				return each(t.err, args[1:], func(other string) error {
					return t.change(ctx, http.MethodPost, map[string]string{"other": other}, func(*api.Incident) string { return outcome + other }, args[0], verb)
				})
			}),
		}
	}
	return []*cobra.Command{
		command("relate", "Say that incidents have to do with each other", "is related to "),
		command("unrelate", "Take that back", "is no longer related to "),
	}
}

func newMergeCommand(r *remote) *cobra.Command {
	var into, why string
	cmd := &cobra.Command{
		Use:   "merge INC-2… --into INC-1",
		Short: "Put incidents into another one that is the same trouble",
		Long: `Put incidents into another one that is the same trouble: it takes over their alerts, watchers, tasks and the higher priority. Where both are
somebody's, the merge is only proposed, and somebody else accepts it. "tocsin incident unmerge" undoes it.`,
		Example: "  tocsin incident merge INC-43 INC-44 --into INC-42 --why 'the same disk'",
		Args:    cobra.MinimumNArgs(1),
	}
	cmd.Flags().StringVar(&into, "into", "", "`INCIDENT` that stays")
	cmd.Flags().StringVar(&why, "why", "", "`TEXT` that says why; stands on the timeline")
	cmd.MarkFlagsOneRequired("into")
	cmd.RunE = r.run(func(ctx context.Context, t *tool, args []string) error {
		return each(t.err, args, func(id string) error {
			return t.change(ctx, http.MethodPost, map[string]string{"into": into, "why": why}, func(i *api.Incident) string { return merged(i, id) }, id, "merge")
		})
	})
	return cmd
}

// merged says what became of a merge: it is done, or a proposal that somebody else has to accept.
func merged(i *api.Incident, other string) string {
	for _, p := range i.Proposals {
		if p.Answer == "open" && sameIncident(p.Other, other) {
			return "is somebody's, and so is " + p.Other + ": the merge is proposal " + strconv.Itoa(int(p.Number)) + " and waits for somebody else to accept it"
		}
	}
	return "took " + other + " in"
}

func newSplitCommand(r *remote) *cobra.Command {
	var title string
	cmd := &cobra.Command{
		Use:     "split INC-1 ALERT…",
		Short:   "Take alerts out of an incident into one of their own",
		Example: "  tocsin incident split INC-42 1f 21 --title 'web-2 is slow'",
		Args:    cobra.MinimumNArgs(2),
	}
	cmd.Flags().StringVar(&title, "title", "", "`TITLE` of the new incident (default that of its first alert)")
	cmd.RunE = r.run(func(ctx context.Context, t *tool, args []string) error {
		payload := map[string]any{"alerts": args[1:], "title": title}
		return t.change(ctx, http.MethodPost, payload, func(i *api.Incident) string {
			return "took " + plural(int(i.Alerts.Total), "alert", "alerts") + " out of " + args[0]
		}, args[0], "split")
	})
	return cmd
}

func newAnswerCommands(r *remote) []*cobra.Command {
	command := func(verb, short, outcome string) *cobra.Command {
		return &cobra.Command{
			Use: verb + " INC-1 [N]", Short: short,
			Long:    short + ". N is the proposal's number; without it the one that is open. A refusal binds the machine.",
			Example: "  tocsin incident " + verb + " INC-42",
			Args:    cobra.RangeArgs(1, 2),
			RunE: r.run(func(ctx context.Context, t *tool, args []string) error {
				n, err := t.proposal(ctx, args)
				if err != nil {
					return err
				}
				return t.change(ctx, http.MethodPost, map[string]string{"answer": verb}, func(*api.Incident) string { return "proposal " + n + " " + outcome }, args[0], "proposals", n)
			}),
		}
	}
	return []*cobra.Command{
		command("accept", "Accept what was proposed for an incident", "accepted"),
		command("reject", "Reject what was proposed for an incident", "rejected"),
	}
}

// proposal returns the number that was given, else that of the only open one.
func (t *tool) proposal(ctx context.Context, args []string) (string, error) {
	if len(args) == 2 {
		if _, err := strconv.ParseUint(args[1], 10, 32); err != nil {
			return "", usage(quote(args[1])+" is no number of a proposal", "`tocsin incident show` lists them")
		}
		return args[1], nil
	}
	_, i, err := fetch[api.Incident](ctx, t.api, nil, "incidents", args[0])
	if err != nil {
		return "", err
	}
	open := openProposals(i)
	switch len(open) {
	case 0:
		return "", &fault{code: exitNotFound, message: i.ID + " has no open proposal"}
	case 1:
		return strconv.Itoa(int(open[0].Number)), nil
	}
	return "", usage(i.ID+" has "+plural(len(open), "open proposal", "open proposals"), "name one by its number; `tocsin incident show` lists them")
}

func openProposals(i *api.Incident) (open []api.Proposal) {
	for _, p := range i.Proposals {
		if p.Answer == "open" {
			open = append(open, p)
		}
	}
	return open
}
