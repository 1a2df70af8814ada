package app

import (
	"errors"
	"io"
	"iter"

	"github.com/tocsin-noc/tocsin/api"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/ingest/cmdb"
)

// ciFiles is package ingest/cmdb as the API wants it.
type ciFiles struct{}

// Read reads texts of one format.
func (ciFiles) Read(in api.CIInput) api.CIBatch {
	texts := make([]cmdb.Text, len(in.Texts))
	for i, t := range in.Texts {
		texts[i] = cmdb.Text(t)
	}
	res, err := cmdb.Parse(cmdb.Input{Texts: texts, Format: cmdb.Format(in.Format), Cluster: in.Cluster, Lenient: in.Lenient})
	out := api.CIBatch{Format: string(res.Format), CIs: res.CIs, Faults: res.Problems.Total, Refused: err != nil}
	for _, p := range res.Problems.First {
		out.Problems = append(out.Problems, p.String())
	}
	if _, ours := errors.AsType[*cmdb.Problems](err); err != nil && !ours {
		out.Problems, out.Faults = append(out.Problems, err.Error()), out.Faults+1
	}
	for _, s := range res.Skipped {
		out.Skipped = append(out.Skipped, api.Skipped(s))
	}
	return out
}

// Write writes items in Tocsin's own format.
func (ciFiles) Write(w io.Writer, cis iter.Seq[event.CI]) error { return cmdb.Write(w, cis) }
