package main

import (
	"cmp"
	"context"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tocsin-noc/tocsin/api"
)

// windowFlags describe a window to be made.
type windowFlags struct {
	matchers, cis, every           []string
	duration, start, until, reason string
	zone, createdBy                string
}

func newWindowAddCommand(r *remote) *cobra.Command {
	f := &windowFlags{}
	cmd := &cobra.Command{
		Use:   "add NAME",
		Short: "Plan a maintenance window; prints its id",
		Long: `Plan a maintenance window, once or again and again. What begins in it rings nobody until it ends; what fires already goes on. Of --match
all must match; the alert's configuration item must be one of --ci. A window that recurs takes days and times in a zone; one that runs
over midnight begins on the days named.`,
		Example: `  tocsin window add 'disk swap' --ci db-3 --duration 2h --reason CHG-7
  tocsin window add 'backup' --match 'job="backup"' --every 'mon-fri 23:00-01:30' --zone Europe/Berlin --reason 'nightly backup'`,
		Args: cobra.ExactArgs(1),
		RunE: r.run(f.run),
	}
	fl := cmd.Flags()
	fl.StringArrayVar(&f.matchers, "match", nil, "`MATCHER` over the labels, as in 'job=\"node\"'; may be repeated")
	fl.StringSliceVar(&f.cis, "ci", nil, "`NAME` of a configuration item; may be repeated")
	fl.StringVar(&f.duration, "duration", "", "`SPAN` it lasts, as in 90s, 2h or 1d")
	fl.StringVar(&f.until, "until", "", "`TIME` it ends, as in 2026-11-21T06:00:00Z; with --every when it recurs no more")
	fl.StringVar(&f.start, "start", "", "`TIME` it starts (default now)")
	fl.StringArrayVar(&f.every, "every", nil, "`DAYS TIMES` at which it recurs, as in 'sun 02:00-04:00', 'mon-fri 22:00-01:00' or 'daily 12:00-12:30'; may be repeated")
	fl.StringVar(&f.zone, "zone", "", "`ZONE` of --every, as in Europe/Berlin")
	fl.StringVar(&f.reason, "reason", "", "`TEXT` that says why")
	fl.StringVar(&f.createdBy, "created-by", "", "`NAME` of who made it (default $USER, else the token's name)")
	cmd.MarkFlagsOneRequired("match", "ci")
	cmd.MarkFlagsOneRequired("duration", "until", "every")
	cmd.MarkFlagsMutuallyExclusive("duration", "until")
	cmd.MarkFlagsMutuallyExclusive("duration", "every")
	cmd.MarkFlagsRequiredTogether("every", "zone")
	cmd.MarkFlagsOneRequired("reason")
	return cmd
}

func (f *windowFlags) run(ctx context.Context, t *tool, args []string) error {
	draft, err := f.draft(args[0])
	if err != nil {
		return err
	}
	text, made, err := act[struct{ ID string }](ctx, t.api, draft, "windows")
	if err != nil {
		return err
	}
	if t.json {
		return t.raw(text)
	}
	t.line("%s", made.ID)
	return nil
}

func (f *windowFlags) draft(name string) (*api.WindowDraft, error) {
	d := &api.WindowDraft{
		Name: name, Reason: f.reason, CIs: f.cis, Duration: f.duration, Zone: f.zone, CreatedBy: cmp.Or(f.createdBy, os.Getenv("USER")),
	}
	var err error
	if d.Matchers, err = parseMatchers(f.matchers); err != nil {
		return nil, err
	}
	for _, text := range f.every {
		intervals, err := parseEvery(text)
		if err != nil {
			return nil, err
		}
		d.Intervals = append(d.Intervals, intervals...)
	}
	if d.StartsAt, err = parseInstant("--start", f.start); err != nil {
		return nil, err
	}
	d.EndsAt, err = parseInstant("--until", f.until)
	return d, err
}

// parseEvery reads days and, unless they are whole, the times of day: 'sun 02:00-04:00'. What runs over midnight is two
// intervals, the second one on the days after.
func parseEvery(text string) ([]api.Interval, error) {
	days, times, timed := strings.Cut(strings.ToLower(strings.TrimSpace(text)), " ")
	on, ok := parseDays(days)
	clock := regexp.MustCompile(`^((?:[01]\d|2[0-3]):[0-5]\d)-((?:[01]\d|2[0-3]):[0-5]\d|24:00)$`).FindStringSubmatch(strings.TrimSpace(times))
	if !ok || timed && (clock == nil || clock[1] == clock[2]) {
		return nil, usage("--every: "+quote(text)+" is no recurrence", "write days and times, as in 'sun 02:00-04:00', 'mon-fri 22:00-01:00' or 'daily 12:00-12:30'")
	}
	if !timed {
		return []api.Interval{onDays(on, nil)}, nil
	}
	from, until := clock[1], clock[2]
	switch {
	case until == "00:00":
		until = "24:00"
	case until < from:
		late, early := []api.TimeRange{{StartTime: from, EndTime: "24:00"}}, []api.TimeRange{{StartTime: "00:00", EndTime: until}}
		return []api.Interval{onDays(on, late), onDays(dayAfter(on), early)}, nil
	}
	return []api.Interval{onDays(on, []api.TimeRange{{StartTime: from, EndTime: until}})}, nil
}

// weekdays are the days as the API writes them, from Monday, whose first three letters are enough here.
func weekdays() []string {
	return []string{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"}
}

// parseDays reads a list of days and ranges, as in mon-fri,sun; a range may run over the end of the week.
func parseDays(text string) (on [7]bool, ok bool) {
	if text == "daily" {
		text = "mon-sun"
	}
	for part := range strings.SplitSeq(text, ",") {
		first, last, ranged := strings.Cut(part, "-")
		from, until := weekday(first), weekday(first)
		if ranged {
			until = weekday(last)
		}
		if from < 0 || until < 0 {
			return on, false
		}
		for day := from; ; day = (day + 1) % 7 {
			on[day] = true
			if day == until {
				break
			}
		}
	}
	return on, true
}

// weekday returns a day's place in the week, -1 for a word that is none.
func weekday(word string) int {
	return slices.IndexFunc(weekdays(), func(d string) bool { return word == d || word == d[:3] })
}

func dayAfter(on [7]bool) (next [7]bool) {
	for day, is := range on {
		next[(day+1)%7] = is
	}
	return next
}

func onDays(on [7]bool, times []api.TimeRange) api.Interval {
	iv := api.Interval{Times: times}
	for day, is := range on {
		if is {
			iv.Weekdays = append(iv.Weekdays, weekdays()[day])
		}
	}
	return iv
}
