package main

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"regexp"

	"github.com/spf13/cobra"

	"github.com/tocsin-noc/tocsin/event"
)

// ingestKeyFlags describe a sender that gets a key of its own.
type ingestKeyFlags struct {
	name, tenant, kind string
	rate               int
	json               bool
}

func newIngestKeyCommand() *cobra.Command {
	f := &ingestKeyFlags{}
	cmd := &cobra.Command{
		Use:   "new --name NAME",
		Short: "Make an ingest key for a sender; prints it once",
		Long: `Make an ingest key, by which a sender is known: its tenant and its rate limit go with it. The key goes to standard output, once; the
entry for the configuration (sources), which holds only its digest, goes to standard error. The sender uses /ingest/KEY in front of
the path, as in http://tocsin:9595/ingest/KEY/api/v2/alerts, or name and key as user and password.`,
		Example: "  tocsin ingest-key new --name grafana --kind send_once",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.name, "name", "", "`NAME` of the sender; unique within the tenant")
	fl.StringVar(&f.tenant, "tenant", event.DefaultTenant, "`TENANT` that its alerts belong to")
	fl.StringVar(&f.kind, "kind", "", "`KIND`: resender (repeats alerts that fire, as Prometheus) or send_once (speaks on changes only); default by the format")
	fl.IntVar(&f.rate, "rate", 0, "`N` alerts per second, 0 for no limit")
	fl.BoolVar(&f.json, "json", false, "print JSON: key, digest and configuration")
	complete(cmd, "kind", "resender", "send_once")
	if err := cmd.MarkFlagRequired("name"); err != nil {
		panic(err) // the flag does not exist: a mistake in this file
	}
	return newParent("ingest-key", "Keys for senders of alerts", "  tocsin ingest-key new --name grafana", cmd)
}

func (f *ingestKeyFlags) run(cmd *cobra.Command) error {
	name := regexp.MustCompile(`^[A-Za-z0-9._-]+$`)
	switch {
	case !name.MatchString(f.name) || !name.MatchString(f.tenant):
		return usage("--name and --tenant: must be letters, digits, '.', '_' or '-'", "")
	case f.kind != "" && f.kind != "resender" && f.kind != "send_once":
		return usage("--kind: must be one of resender, send_once", "")
	case f.rate < 0:
		return usage("--rate: must not be negative", "")
	}
	var random [32]byte
	rand.Read(random[:]) // never fails: it ends the process instead
	key := "tocsin_in_" + base64.RawURLEncoding.EncodeToString(random[:])
	digest := sha256.Sum256([]byte(key))
	text := f.entry(hex.EncodeToString(digest[:]))

	p := newPrinter(cmd, f.json, false)
	if p.json {
		return p.value(map[string]string{"key": key, "sha256": hex.EncodeToString(digest[:]), "config": text})
	}
	p.note("add this to the configuration:\n%s", painted(text))
	p.line("%s", key)
	return nil
}

// entry is the source as it stands in the configuration.
func (f *ingestKeyFlags) entry(digest string) string {
	text := fmt.Sprintf("sources:\n  - name: %q\n    tenant: %q\n", f.name, f.tenant)
	if f.kind != "" {
		text += "    kind: " + f.kind + "\n"
	}
	text += "    key_sha256: " + digest
	if f.rate > 0 {
		text += fmt.Sprintf("\n    rate_per_second: %d", f.rate)
	}
	return text
}
