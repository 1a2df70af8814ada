package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tocsin-noc/tocsin/simulate/scenario"
)

// scenarioFlags say which scenario to make up.
type scenarioFlags struct {
	preset string
	cis    int
	faults int
	seed   uint64
	system string
	round  uint64 // how many were made up before in the same estate
}

func (f *scenarioFlags) add(set *pflag.FlagSet, preset string) {
	set.StringVar(&f.preset, "preset", preset, "`NAME` of what happens: "+scenario.PresetNames())
	set.IntVar(&f.cis, "cis", 0, "`N` configuration items there are (default the preset's)")
	set.IntVar(&f.faults, "faults", 0, "`N` faults happen (default the preset's)")
	set.Uint64Var(&f.seed, "seed", 1, "`N` to draw from: the same seed gives the same scenario")
	set.StringVar(&f.system, "system", "", "`NAME` of the environment: adds the label system")
}

func (f *scenarioFlags) generate() (*scenario.Scenario, error) {
	spec, ok := scenario.FindPreset(f.preset)
	if !ok {
		return nil, usage("--preset: there is no "+quote(f.preset), "there are "+scenario.PresetNames())
	}
	spec.Seed, spec.System, spec.Run = f.seed, f.system, f.round
	switch {
	case f.cis < 0 || f.cis > 0 && f.cis < scenario.MinCIs:
		return nil, usage(fmt.Sprintf("--cis: %d are too few", f.cis), fmt.Sprintf("an estate needs at least %d", scenario.MinCIs))
	case f.cis > 0:
		spec.CIs = f.cis
	}
	switch {
	case f.faults < 0 || f.faults > 0 && spec.Faults == 0:
		return nil, usage("--faults does not fit the preset "+f.preset, "")
	case f.faults > 0:
		spec.Faults = f.faults
	}
	return scenario.Generate(spec)
}

// presetsHelp lists the presets for people.
func presetsHelp() string {
	var b strings.Builder
	for _, p := range scenario.Presets() {
		fmt.Fprintf(&b, "\n  %-10s %s", p.Name, p.Words)
	}
	return b.String()
}

func newSimulateCommand() *cobra.Command {
	f := &scenarioFlags{}
	var dir string
	cmd := &cobra.Command{
		Use:   "simulate",
		Short: "Make up a scenario whose truth is known, to be evaluated",
		Long: `Make up an estate of configuration items, let faults happen in it that spread along its dependencies, and write the alerts that
follow, with the truth: which fault each is of, and what its root cause was. The same seed writes the same bytes.

Presets:` + presetsHelp(),
		Example: "  tocsin simulate --preset heavy --cis 2500 --seed 7 -o runs/heavy-7\n  tocsin evaluate runs/heavy-7",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p := newPrinter(cmd, false, false)
			s, err := f.generate()
			if err != nil {
				return err
			}
			if err := s.Write(dir); err != nil {
				return usage("--out: "+err.Error(), "name a folder that can be written")
			}
			p.line("%s: %s of %s on %s", dir, plural(len(s.Alerts), "alert", "alerts"), plural(len(s.Faults), "fault", "faults"),
				plural(len(s.Topology.CIs), "item", "items"))
			return nil
		},
	}
	f.add(cmd.Flags(), "medium")
	cmd.Flags().StringVarP(&dir, "out", "o", "", "`DIR` to write, made when it is not there")
	_ = cmd.MarkFlagRequired("out") // it is defined just above
	return cmd
}
