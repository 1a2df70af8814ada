package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/tocsin-noc/tocsin/engine"
)

func newReplayCommand() *cobra.Command {
	var dir string
	var json bool
	cmd := &cobra.Command{
		Use:   "replay",
		Short: "Make every decision of a data directory again and compare; exit code 1 on a difference",
		Long: `Make every decision again, from the oldest snapshot that is needed or from the beginning, and compare the changes byte by byte with those
logged. It only reads and may run beside the daemon. What another version of Tocsin decided otherwise is counted and is no error.`,
		Example: "  tocsin replay --data /var/lib/tocsin",
		Args:    cobra.NoArgs,
	}
	cmd.Flags().StringVar(&dir, "data", "data", "the daemon's data `DIR`")
	addJSON(cmd.Flags(), &json)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := mustBeDir(dir); err != nil {
			return err
		}
		r, err := engine.Replay(dir, engine.ReplayOptions{Version: coreVersion()})
		if err != nil {
			return err
		}
		p := newPrinter(cmd, json, false)
		if err := showReplay(p, &r); err != nil || r.Differing == 0 {
			return err
		}
		return said(exitFailed)
	}
	return cmd
}

func mustBeDir(dir string) error {
	info, err := os.Stat(dir)
	if err != nil || !info.IsDir() {
		return usage("--data: "+quote(dir)+" is no directory", "give the directory that `tocsin serve --data` has")
	}
	return nil
}

// replayed is a report for machines.
type replayed struct {
	From          uint64         `json:"from"`
	Inputs        int            `json:"inputs"`
	Changes       int            `json:"changes"`
	Unlogged      int            `json:"unlogged"`
	Differing     int            `json:"differing"`
	Differences   []replayedOne  `json:"differences"`
	OtherVersions map[string]int `json:"other_versions"`
}

type replayedOne struct {
	Seq     uint64 `json:"seq"`
	Version string `json:"version"`
	Logged  string `json:"logged"`
	Now     string `json:"now"`
}

func showReplay(p *printer, r *engine.ReplayReport) error {
	if p.json {
		out := replayed{r.From, r.Inputs, r.Changes, r.Unlogged, r.Differing, []replayedOne{}, r.OtherVersions}
		for _, d := range r.Differences {
			out.Differences = append(out.Differences, replayedOne(d))
		}
		return p.value(out)
	}
	from := "from the beginning"
	if r.From > 0 {
		from = "from the snapshot at " + uintText(r.From)
	}
	p.line("%s, %s: %s", plural(r.Inputs, "input", "inputs"), from, plural(r.Changes, "change", "changes"))
	for _, v := range sortedKeys(r.OtherVersions) {
		p.line("version %s decided %s otherwise", v, plural(r.OtherVersions[v], "input", "inputs"))
	}
	if r.Unlogged > 0 {
		p.line("the last %s have no logged changes yet", plural(r.Unlogged, "input", "inputs"))
	}
	for _, d := range r.Differences {
		p.line("input %d (%s):", d.Seq, d.Version)
		p.line("  logged: %s", d.Logged)
		p.line("  now:    %s", d.Now)
	}
	if more := r.Differing - len(r.Differences); more > 0 {
		p.line("and %d more", more)
	}
	if r.Differing == 0 {
		p.line("no difference")
		return nil
	}
	p.note("%s came out otherwise than logged", plural(r.Differing, "input", "inputs"))
	return nil
}
