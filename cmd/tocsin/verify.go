package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/tocsin-noc/tocsin/internal/terminal"
	"github.com/tocsin-noc/tocsin/journal"
	"github.com/tocsin-noc/tocsin/journal/disk"
)

// verifyFlags say what to verify, and against what.
type verifyFlags struct {
	dir, since string
	json       bool
}

func newVerifyCommand() *cobra.Command {
	f := &verifyFlags{}
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Check every checksum and the hash chain of a data directory; exit code 1 when it is damaged",
		Long: `Read the journal and the changes log of a data directory and check every checksum and every link of the hash chain. With --since and
a head kept elsewhere (the daemon logs it hourly) it also proves that nothing up to it was changed. It only reads and may run
beside the daemon.`,
		Example: "  tocsin verify --data /var/lib/tocsin\n  tocsin verify --data /var/lib/tocsin --since 81723:9f86d081884c7d65…",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	cmd.Flags().StringVar(&f.dir, "data", "data", "the daemon's data `DIR`")
	cmd.Flags().StringVar(&f.since, "since", "", "`HEAD` of the journal kept elsewhere, seq:hex")
	cmd.Flags().BoolVar(&f.json, "json", false, "print JSON: one log per line")
	return cmd
}

// newJournalCommand holds verify under the name by which the journal's errors know it.
func newJournalCommand() *cobra.Command {
	return newParent("journal", "The journal's files", "  tocsin journal verify --data /var/lib/tocsin", newVerifyCommand())
}

func (f *verifyFlags) run(cmd *cobra.Command) error {
	var since journal.Head
	var err error
	if f.since != "" {
		if since, err = journal.ParseHead(f.since); err != nil {
			return usage("--since: "+err.Error(), "the daemon logs the head hourly, and `tocsin status` shows it to admins")
		}
	}
	if err := mustBeDir(f.dir); err != nil {
		return err
	}
	p := newPrinter(cmd, f.json, false)
	broken := false
	for _, log := range []struct {
		name  string
		since journal.Head
	}{{"journal", since}, {"changes", journal.Head{}}} {
		v, err := verifyLog(f.dir, log.name, log.since)
		if err != nil {
			return err
		}
		broken = broken || v.Problem != ""
		if err := v.show(p); err != nil {
			return err
		}
	}
	if broken {
		return said(exitFailed)
	}
	return nil
}

// verified is what was found out about one log.
type verified struct {
	Log        string     `json:"log"`
	OK         bool       `json:"ok"`
	Problem    string     `json:"problem"`
	Segments   int        `json:"segments"`
	Records    int        `json:"records"`
	First      uint64     `json:"first"`
	Last       uint64     `json:"last"`
	Bytes      int64      `json:"bytes"`
	Unfinished int64      `json:"unfinished"`
	Head       string     `json:"head"`
	Redactions []redacted `json:"redactions"`
}

type redacted struct {
	Seq    uint64 `json:"seq"`
	Reason string `json:"reason"`
}

// verifyLog checks one log. A damaged one is no error but a finding.
func verifyLog(dir, name string, since journal.Head) (*verified, error) {
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, usage("there is no "+name+" in "+quote(dir), "give the directory that `tocsin serve --data` has")
	}
	r, err := disk.Verify(path, disk.Options{Name: name}, since)
	v := &verified{
		Log: name, Segments: r.Segments, Records: r.Records, First: r.First, Last: r.Last, Bytes: r.Bytes,
		Unfinished: r.Unfinished, Head: r.Head.String(), Redactions: []redacted{},
	}
	for _, red := range r.Redactions {
		v.Redactions = append(v.Redactions, redacted(red))
	}
	switch {
	case errors.Is(err, journal.ErrCorrupt), errors.Is(err, journal.ErrTruncated):
		v.Problem = err.Error()
	case err != nil:
		return nil, err
	case r.Segments == 0 && since != (journal.Head{}):
		v.Problem = "journal: empty, and a head was given: what it was taken from is gone"
	}
	v.OK = v.Problem == ""
	return v, nil
}

func (v *verified) show(p *printer) error {
	if p.json {
		return p.value(v)
	}
	state := "ok"
	if !v.OK {
		state = "DAMAGED"
	}
	what := "empty"
	if v.Records > 0 {
		what = fmt.Sprintf("%s in %s, %s, records %d to %d", plural(v.Records, "record", "records"),
			plural(v.Segments, "segment", "segments"), terminal.Bytes(v.Bytes), v.First, v.Last)
	}
	p.line("%s: %s: %s", v.Log, state, what)
	if v.Records > 0 {
		p.line("  head %s", v.Head)
	}
	for _, r := range v.Redactions {
		p.line("  record %d was redacted: %s", r.Seq, r.Reason)
	}
	if v.Unfinished > 0 {
		p.line("  %d bytes after the last commit: under way, or torn and repaired at the next start", v.Unfinished)
	}
	if v.Problem != "" {
		p.line("  %s", v.Problem)
	}
	return nil
}

func uintText(n uint64) string { return strconv.FormatUint(n, 10) }
