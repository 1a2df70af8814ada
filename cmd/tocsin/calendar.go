package main

import (
	"cmp"
	"context"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"github.com/tocsin-noc/tocsin/api"
	"github.com/tocsin-noc/tocsin/internal/terminal"
)

func newCalendarCommand() *cobra.Command {
	var days int
	cmd := &cobra.Command{
		Use:     "calendar",
		Short:   "Show when something is quiet: maintenance windows and silences",
		Long:    "Show when something is quiet: maintenance windows and silences, in your zone and in the one that a window was planned in.",
		Example: "  tocsin calendar\n  tocsin calendar --days 30",
		Args:    cobra.NoArgs,
	}
	cmd.Flags().IntVar(&days, "days", 7, "`N` days from now, at most 92")
	cmd.RunE = addRemote(cmd.Flags()).run(func(ctx context.Context, t *tool, _ []string) error {
		if days < 1 || days > 92 {
			return usage("--days must lie between 1 and 92", "")
		}
		query := url.Values{}
		if days != 7 { // else the daemon's own week
			query.Set("until", t.now.AddDate(0, 0, days).UTC().Format(time.RFC3339))
		}
		text, cal, err := fetch[api.Calendar](ctx, t.api, query, "calendar")
		if err != nil {
			return err
		}
		if t.json {
			return t.raw(text)
		}
		return showCalendar(t.printer, cal)
	})
	return cmd
}

func showCalendar(p *printer, cal *api.Calendar) error {
	if len(cal.Entries) == 0 {
		p.note("nothing is planned and nothing is silenced until %s", dayClock(cal.Until.Local()))
		return nil
	}
	table := p.grid("WHEN", "THERE", "WHAT", "ABOUT", "NAME")
	for i := range cal.Entries {
		o := &cal.Entries[i]
		table.add(o.Tenant,
			terminal.Text(stretch(o.StartsAt.Local(), o.EndsAt.Local())), terminal.Text(there(o)), terminal.Text(o.Kind),
			terminal.Text(about(o.Matchers, o.CIs)), terminal.Text(cmp.Or(o.Name, o.Reason)),
		)
	}
	if err := p.table(table, ""); err != nil {
		return err
	}
	if cal.More {
		p.note("there are more; ask for fewer --days")
	}
	return nil
}

// stretch shows from when to when, the day once where it is the same.
func stretch(from, until time.Time) string {
	end := until.Format("15:04 MST")
	if from.YearDay() != until.YearDay() || from.Year() != until.Year() {
		end = dayClock(until)
	}
	return from.Format("Mon 2006-01-02 15:04") + " – " + end
}

// there shows an occasion in the zone it was planned in, "" where its clocks show the same as here, or its zone is not known here.
func there(o *api.Occasion) string {
	zone, err := time.LoadLocation(o.Zone)
	if o.Zone == "" || err != nil {
		return ""
	}
	_, here := o.StartsAt.Local().Zone()
	if _, offset := o.StartsAt.In(zone).Zone(); offset == here {
		return ""
	}
	return stretch(o.StartsAt.In(zone), o.EndsAt.In(zone))
}
