package main

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/tocsin-noc/tocsin/api"
)

func newCauseCommand(r *remote) *cobra.Command {
	var right, wrong bool
	var was string
	cmd := &cobra.Command{
		Use:   "cause INC-1",
		Short: "Show what may be the root cause of an incident, or say what it was",
		Long: `Show what may be the root cause of an incident, with the case for each candidate; or say whether the first one is right, wrong, or which
item it was. A verdict counts once. It feeds what is learned, and the record by which the machine earns the right to name a cause.`,
		Example: "  tocsin incident cause INC-42\n  tocsin incident cause INC-42 --right\n  tocsin incident cause INC-42 --was db-7",
		Args:    cobra.ExactArgs(1),
	}
	f := cmd.Flags()
	f.BoolVar(&right, "right", false, "the first candidate was the cause")
	f.BoolVar(&wrong, "wrong", false, "it was not")
	f.StringVar(&was, "was", "", "`ITEM` that was the cause: its ID or its name")
	cmd.MarkFlagsMutuallyExclusive("right", "wrong", "was")
	cmd.RunE = r.run(func(ctx context.Context, t *tool, args []string) error {
		verdict := map[string]string{}
		switch {
		case right:
			verdict["verdict"] = "right"
		case wrong:
			verdict["verdict"] = "wrong"
		case cmd.Flags().Changed("was"):
			verdict["verdict"], verdict["ci"] = "other", was
		default:
			return showCause(ctx, t, args[0])
		}
		return t.change(ctx, http.MethodPost, verdict, func(i *api.Incident) string {
			if i.Cause == nil {
				return "verdict taken"
			}
			return i.Cause.Sentence
		}, args[0], "cause")
	})
	return cmd
}

// showCause prints what may be an incident's cause.
func showCause(ctx context.Context, t *tool, ref string) error {
	_, i, err := fetch[api.Incident](ctx, t.api, nil, "incidents", ref)
	if err != nil {
		return err
	}
	if t.json {
		return t.value(i.Cause)
	}
	t.line("%s  %s", i.ID, i.Title)
	t.cause(i)
	return nil
}

// cause prints what may be an incident's cause, and the case for each candidate.
func (p *printer) cause(i *api.Incident) {
	c := i.Cause
	if c == nil {
		p.section("Root cause")
		p.line("  none is sought: causes are weighed for incidents that topology groups, a few seconds after their first alert")
		return
	}
	p.section("Root cause: " + causeLine(c))
	switch {
	case c.State == "learning":
		p.line("  below %d incidents of its component no cause is named; take the order for a hint", c.Learning)
	case c.State == "unsure" && !c.Confident && len(c.Candidates) > 1:
		p.line("  the first is ahead of the second by %.1f nats only; %.1f are needed", float64(c.Margin)/1000, float64(c.Needed)/1000)
	}
	if c.Looked < c.Of {
		p.line("  %s items said something: weighed were the %s on which there is most evidence", number(int(c.Of)), number(int(c.Looked)))
	}
	for n := range c.Candidates {
		x := &c.Candidates[n]
		p.line("  %d. %s  %s of the weight (%s)", n+1, x.CI, share(x.Share), nats(x.Score))
		p.reasons("       - ", x.Evidence)
	}
	if c.Verdict == "" && len(c.Candidates) > 0 {
		p.line("  `tocsin incident cause %s --right`, --wrong or --was ITEM says how good that was", i.ID)
	}
}

// causeLine says in a line what people are told of a cause.
func causeLine(c *api.Cause) string {
	if c.State == "learning" {
		return fmt.Sprintf("%s, %s", c.Sentence, plural(len(c.Candidates), "candidate", "candidates"))
	}
	return c.Sentence
}

// causeCell is what a list shows of a cause: a name only where one is likely, or a person gave it.
func causeCell(i *api.Incident) string {
	c := i.Cause
	switch {
	case c == nil || c.State == "none":
		return ""
	case c.State == "likely":
		return "likely " + c.CI
	case c.CI != "":
		return c.CI
	case c.State == "learning":
		return "learning (" + strconv.Itoa(int(c.Learned)) + ")"
	case c.State == "wrong":
		return "not " + c.VerdictOn
	}
	return plural(len(c.Candidates), "candidate", "candidates")
}

func share(thousandths uint16) string {
	if thousandths < 5 {
		return "under 1 %"
	}
	return fmt.Sprintf("%d %%", (thousandths+5)/10)
}

func nats(milli int64) string { return fmt.Sprintf("%+.1f nats", float64(milli)/1000) }
