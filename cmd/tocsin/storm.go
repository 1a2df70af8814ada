package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tocsin-noc/tocsin/evaluate"
	"github.com/tocsin-noc/tocsin/simulate/scenario"
)

// stormFlags say what to send, where to, and how fast.
type stormFlags struct {
	scenarioFlags
	remote
	rate     string
	duration time.Duration
	topology bool
}

func newStormCommand() *cobra.Command {
	f := &stormFlags{}
	cmd := &cobra.Command{
		Use:   "storm",
		Short: "Send a made-up scenario to a running daemon at a chosen rate",
		Long: `Make up a scenario and send its alerts to the API v2 of a daemon, or of an Alertmanager, as if all happened now. Where the receiver
answers 429 or 503 it is given the time it asks for, and nothing is lost. Without --duration the scenario is sent once; with it more are
made up until the time is over. The alerts open incidents and may notify people: use a daemon of its own.

Presets:` + presetsHelp(),
		Example: "  tocsin storm --to http://127.0.0.1:9595 --preset storm --rate 1000/s --topology\n  tocsin storm --to http://127.0.0.1:9093 --rate 200/s --duration 5m",
		Args:    cobra.NoArgs,
		RunE:    f.run,
	}
	set := cmd.Flags()
	f.add(set, "storm")
	set.StringVar(&f.url, "to", "", "`URL` of the daemon to send to")
	set.StringVar(&f.rate, "rate", "1000/s", "`RATE` of alerts, as in 1000/s, 200/m or 50/h")
	set.DurationVar(&f.duration, "duration", 0, "`SPAN` to send for (default until the scenario is over)")
	set.BoolVar(&f.topology, "topology", false, "import the scenario's items and relations first; takes a token that may")
	set.StringVar(&f.tokenFile, "token-file", "", "`FILE` that holds the token (default the token in $TOCSIN_TOKEN)")
	set.StringVar(&f.caFile, "ca-file", "", "PEM `FILE` with the certificate that signed the daemon's (default the system's)")
	set.BoolVar(&f.json, "json", false, "print the summary as JSON")
	_ = cmd.MarkFlagRequired("to") // it is defined just above
	return cmd
}

// parseRate reads alerts per second.
func parseRate(text string) (float64, error) {
	amount, unit, _ := strings.Cut(text, "/")
	seconds, ok := map[string]float64{"": 1, "s": 1, "m": 60, "h": 3600}[unit]
	n, err := strconv.ParseFloat(amount, 64)
	if err != nil || !ok || !(n > 0) || n > math.MaxInt32 {
		return 0, usage("--rate: "+quote(text)+" is no rate", "write it as in 1000/s, 200/m")
	}
	return n / seconds, nil
}

func (f *stormFlags) run(cmd *cobra.Command, _ []string) error {
	rate, err := parseRate(f.rate)
	if err != nil {
		return err
	}
	if to, err := url.Parse(f.url); err != nil || to.Scheme != "http" && to.Scheme != "https" || to.Host == "" || to.User != nil {
		return usage("--to: "+quote(f.url)+" is no address of a daemon", "write it as in "+defaultURL)
	}
	p := newPrinter(cmd, f.json, false)
	api, err := f.client(p)
	if err != nil {
		return err
	}
	s, err := f.generate()
	if err != nil {
		return err
	}
	ctx := cmd.Context()
	if f.topology {
		if err := importTopology(ctx, p, api, &s.Topology); err != nil {
			return err
		}
	}
	storm := newStorm(p, api, rate, f.duration)
	p.note("sending %s of %s to %s at %s", plural(len(s.Alerts), "alert", "alerts"), plural(len(s.Faults), "fault", "faults"), api.base.Redacted(), f.rate)
	for {
		err := storm.send(ctx, s)
		storm.bar.clear()
		switch {
		case ctx.Err() != nil: // somebody has seen enough
			return storm.summary()
		case err != nil:
			return err
		case f.duration == 0 || storm.over():
			return storm.summary()
		}
		f.round++ // what was sent fires already: the next faults are others
		if s, err = f.generate(); err != nil {
			return err
		}
	}
}

// importTopology tells the daemon of the items, as `tocsin cmdb import` does.
func importTopology(ctx context.Context, p *printer, api *client, t *scenario.Topology) error {
	list, err := json.Marshal(map[string]any{"cis": stormItems(t)})
	if err != nil {
		return err
	}
	_, err = (&tool{printer: p, api: api}).upload(ctx, url.Values{"source": {"storm"}, "format": {"native"}, "diffs": {"1"}},
		[]importFile{{"topology.json", list}}, len(list))
	if err == nil {
		p.note("imported %s", plural(len(t.CIs), "item", "items"))
	}
	return err
}

// stormItem is an item as an import file has it.
type stormItem struct {
	ID        string   `json:"id"`
	Class     string   `json:"class"`
	DependsOn []string `json:"depends_on,omitempty"`
	HostedOn  []string `json:"hosted_on,omitempty"`
	PartOf    []string `json:"part_of,omitempty"`
}

func stormItems(t *scenario.Topology) []stormItem {
	items := make([]stormItem, 0, len(t.CIs))
	for _, ci := range evaluate.Edit(t).Set {
		item := stormItem{ID: ci.ID, Class: ci.Class}
		for _, r := range ci.Relations {
			switch r.Kind.String() {
			case "depends_on":
				item.DependsOn = append(item.DependsOn, r.To)
			case "hosted_on":
				item.HostedOn = append(item.HostedOn, r.To)
			case "part_of":
				item.PartOf = append(item.PartOf, r.To)
			}
		}
		items = append(items, item)
	}
	return items
}

// stormSummary is what became of the alerts.
type stormSummary struct {
	Sent      int     `json:"sent"`     // and taken
	Refused   int     `json:"refused"`  // for good
	Requests  int     `json:"requests"` // that were taken
	Held      int     `json:"held"`     // answers 429 and 503: sent again later
	Seconds   float64 `json:"seconds"`
	PerSecond float64 `json:"per_second"`
	P99       float64 `json:"answer_p99_ms"`
}

func (s *storm) summary() error {
	t := &s.totals
	t.Seconds = s.now().Sub(s.began).Seconds()
	t.PerSecond = float64(t.Sent) / max(t.Seconds, 1e-9)
	t.P99 = float64(s.answers.Quantile(.99).Microseconds()) / 1000
	if s.p.json {
		return s.p.value(t)
	}
	s.p.line("%s sent in %s: %s a second, 99 %% of answers within %.1f ms", plural(t.Sent, "alert", "alerts"),
		time.Duration(t.Seconds*float64(time.Second)).Round(time.Millisecond).String(), number(int(t.PerSecond)), t.P99)
	if t.Held > 0 {
		s.p.line("held up %s by 429 or 503, and sent again", plural(t.Held, "time", "times"))
	}
	if t.Refused > 0 {
		s.p.line("%s refused: %s", plural(t.Refused, "alert was", "alerts were"), s.why)
		return said(exitFailed)
	}
	return nil
}

// describe says how far the storm is.
func (s *storm) describe() string {
	return fmt.Sprintf("sent %s", number(s.totals.Sent))
}
