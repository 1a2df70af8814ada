package main

import (
	"context"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/tocsin-noc/tocsin/api"
)

// redactFlags say why a text goes, and which one of an incident.
type redactFlags struct{ entry, field, attribute, reason string }

func newRedactCommand() *cobra.Command {
	f := &redactFlags{}
	cmd := &cobra.Command{
		Use:   "redact INC-1 {--entry ID | --field FIELD}",
		Short: "Take a text that somebody wrote out of the data: a note, a reason, a title",
		Long: `Take a text out of everything that is kept: the timeline, the changes log, the journal and the snapshots. What happened stays, and so
does the proof of it: "tocsin verify" goes on to pass, and names the record, the reason and who asked. It cannot be taken back. Takes the
role admin.

--entry takes what was said in one entry of the timeline: a note, an update, why it was resolved, put on hold or merged. --field takes
what stands, or ever stood, in a field of the incident, also from the entries that quote it: title, "task 3", "report 5" (caller and text
of the fifth that is shown), ticket, major (the bridge), review, rating or "proposal 2".`,
		Example: `  tocsin incident show INC-42 --timeline
  tocsin redact INC-42 --entry 0.172.3 --reason 'personal data'
  tocsin redact INC-42 --field 'task 3' --reason 'personal data'
  tocsin redact silence 1d3c5ea0-4d0e-8f37-9a5b-2f6a0c8e7b11 --reason 'personal data'`,
		Args: cobra.ExactArgs(1),
	}
	r := addRemote(cmd.PersistentFlags())
	cmd.PersistentFlags().StringVar(&f.reason, "reason", "", "`TEXT` that says why; it is kept for good")
	cmd.Flags().StringVar(&f.entry, "entry", "", "`ID` of the timeline's entry, as in 0.172.3")
	cmd.Flags().StringVar(&f.field, "field", "", "`FIELD` of the incident, as in title or 'task 3'")
	cmd.MarkFlagsOneRequired("reason")
	cmd.MarkFlagsOneRequired("entry", "field")
	cmd.MarkFlagsMutuallyExclusive("entry", "field")
	cmd.RunE = f.run(r, func(arg string) api.Redaction { return api.Redaction{Incident: arg, Entry: f.entry, Field: f.field} })
	ci := f.of(r, "ci ID --attribute NAME", "Take an attribute of a configuration item out of the data, in every version of it",
		"  tocsin redact ci db-1 --attribute contact --reason 'personal data'",
		func(arg string) api.Redaction { return api.Redaction{CI: arg, Attribute: f.attribute} })
	ci.Flags().StringVar(&f.attribute, "attribute", "", "`NAME` of the attribute")
	ci.MarkFlagsOneRequired("attribute")
	cmd.AddCommand(
		ci,
		f.of(r, "outage OUT-1", "Take the cause of an outage out of the data", "  tocsin redact outage OUT-7 --reason 'personal data'",
			func(arg string) api.Redaction { return api.Redaction{Outage: arg} }),
		f.of(r, "silence ID", "Take a silence's comment out of the data", "  tocsin redact silence 1d3c5ea0-4d0e-8f37-9a5b-2f6a0c8e7b11 --reason 'personal data'",
			func(arg string) api.Redaction { return api.Redaction{Silence: arg} }),
		f.of(r, "window ID", "Take a maintenance window's reason out of the data", "  tocsin redact window 9a5b2f6a-4d0e-8f37-9a5b-2f6a0c8e7b11 --reason 'personal data'",
			func(arg string) api.Redaction { return api.Redaction{Window: arg} }),
		f.of(r, "handover ENTRY", "Take a hand-over note's text out of the data, once the book is signed", "  tocsin redact handover 0.318.0 --reason 'personal data'",
			func(arg string) api.Redaction { return api.Redaction{Entry: arg} }),
	)
	return cmd
}

func (f *redactFlags) of(r *remote, use, short, example string, what func(arg string) api.Redaction) *cobra.Command {
	return &cobra.Command{Use: use, Short: short, Long: short + ". Takes the role admin.", Example: example, Args: cobra.ExactArgs(1), RunE: f.run(r, what)}
}

func (f *redactFlags) run(r *remote, what func(arg string) api.Redaction) func(*cobra.Command, []string) error {
	return r.run(func(ctx context.Context, t *tool, args []string) error {
		payload := what(args[0])
		payload.Reason = f.reason
		if _, err := t.api.do(ctx, http.MethodPost, []string{"admin", "redact"}, nil, payload); err != nil {
			return err
		}
		t.note("the text is gone from the daemon's data; copies of it made before are not")
		return nil
	})
}
