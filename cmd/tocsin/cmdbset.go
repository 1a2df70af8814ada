package main

import (
	"context"
	"net/http"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tocsin-noc/tocsin/api"
)

// relationFlags name what an item stands to.
func relationFlags(f *pflag.FlagSet) {
	f.StringSlice("depends-on", nil, "`IDS` that it fails with; with any of these flags all its relations are replaced")
	f.StringSlice("hosted-on", nil, "`IDS` of its hosts")
	f.StringSlice("part-of", nil, "`IDS` of the wholes that it is a member of")
	f.StringSlice("connects-to", nil, "`IDS` of its neighbours")
	f.StringSlice("backs-up", nil, "`IDS` that it stands in for")
	f.Bool("no-relations", false, "take all its relations away")
}

// relationsGiven are the relations on the command line, nil when none of the flags stands there.
func relationsGiven(f *pflag.FlagSet) map[string]any {
	given := given(f, "depends-on", "hosted-on", "part-of", "connects-to", "backs-up")
	if len(given) == 0 && !f.Changed("no-relations") {
		return nil
	}
	return given
}

func newCMDBSetCommand(r *remote) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "set ID",
		Short: "Make or change a configuration item by hand; imports leave alone what was set",
		Long: `Make or change a configuration item by hand. What is not given stays as it is. Imports leave alone what was set, until it is handed back with
"tocsin cmdb release".`,
		Example: `  tocsin cmdb set db-3 --class host --attr 'location=rack 7' --part-of db
  tocsin cmdb set db-3 --state maintenance
  tocsin cmdb set db-3 --attr owner=`,
		Args: cobra.ExactArgs(1),
	}
	f := cmd.Flags()
	f.String("class", "", "`CLASS`, as in host; needed for a new one")
	f.String("name", "", "`NAME` that people and alerts know it by")
	f.String("state", "", "`STATE`: ordered, live, maintenance or retired")
	f.Uint16("needs", 0, "`N` of its members must be up for it to be up")
	f.StringArray("attr", nil, "`NAME=VALUE`, or NAME= to take it away; may be repeated")
	f.String("valid-from", "", "`TIME` since when this holds, or will (default now)")
	relationFlags(f)
	complete(cmd, "state", "ordered", "live", "maintenance", "retired")
	cmd.RunE = r.run(func(ctx context.Context, t *tool, args []string) error {
		payload := given(f, "class", "name", "state")
		if n, _ := f.GetUint16("needs"); n > 0 {
			payload["needs"] = n
		}
		texts, _ := f.GetStringArray("attr")
		if len(texts) > 0 {
			attributes := map[string]string{}
			for _, text := range texts {
				name, value, ok := strings.Cut(text, "=")
				if !ok || name == "" {
					return usage("--attr: "+quote(text)+" is no attribute", "write NAME=VALUE")
				}
				attributes[name] = value
			}
			payload["attributes"] = attributes
		}
		if relations := relationsGiven(f); relations != nil {
			payload["relations"] = relations
		}
		if err := validFrom(f, payload); err != nil {
			return err
		}
		if len(payload) == 0 {
			return usage("there is nothing to set", "`tocsin cmdb set --help` shows what can be")
		}
		return t.keep(ctx, http.MethodPut, payload, "set", "cis", args[0])
	})
	return cmd
}

// validFrom adds since when it holds.
func validFrom(f *pflag.FlagSet, payload map[string]any) error {
	at, err := parseInstant("--valid-from", f.Lookup("valid-from").Value.String())
	if err == nil && !at.IsZero() {
		payload["valid_from"] = at
	}
	return err
}

// keep asks for something to be done to an item and says so.
func (t *tool) keep(ctx context.Context, method string, payload any, done string, parts ...string) error {
	text, err := t.api.do(ctx, method, parts, nil, payload)
	if err != nil {
		return err
	}
	if t.json {
		return t.raw(text)
	}
	c, err := decode[api.CI](text)
	if err != nil {
		return err
	}
	t.line("%s %s: %s, %s%s", c.ID, done, c.Class, c.State, unless(len(c.Pinned) == 0, "; set by hand: "+strings.Join(c.Pinned, ", ")))
	return nil
}

func newCMDBRetireCommand(r *remote) *cobra.Command {
	return &cobra.Command{
		Use:     "retire ID…",
		Short:   "Say that configuration items are in use no more",
		Example: "  tocsin cmdb retire db-3",
		Args:    cobra.MinimumNArgs(1),
		RunE: r.run(func(ctx context.Context, t *tool, args []string) error {
			return each(t.err, args, func(id string) error { return t.keep(ctx, http.MethodPost, nil, "retired", "cis", id, "retire") })
		}),
	}
}

func newCMDBReleaseCommand(r *remote) *cobra.Command {
	return &cobra.Command{
		Use:     "release ID…",
		Short:   "Hand the fields that people have set back to imports",
		Example: "  tocsin cmdb release db-3",
		Args:    cobra.MinimumNArgs(1),
		RunE: r.run(func(ctx context.Context, t *tool, args []string) error {
			return each(t.err, args, func(id string) error { return t.keep(ctx, http.MethodPost, nil, "released", "cis", id, "release") })
		}),
	}
}
