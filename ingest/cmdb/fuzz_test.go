package cmdb

import (
	"bytes"
	"path/filepath"
	"slices"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/require"
)

// fuzz reads texts of one format and holds what must be true of any of them.
func fuzz(f *testing.F, format Format, stories ...string) {
	for _, story := range stories {
		archive, err := txtar.ParseFile(filepath.Join("testdata", story+".txtar"))
		require.NoError(f, err)
		for _, file := range archive.Files {
			f.Add(file.Data, file.Data)
		}
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		in := Input{Texts: []Text{{"a", a}, {"b", b}}, Format: format}
		strictly, err := Parse(in)
		in.Lenient = true
		res, lenientErr := Parse(in)
		require.NoError(t, lenientErr)
		require.Equal(t, strictly.Problems, res.Problems)
		if err == nil {
			require.Equal(t, strictly, res)
		}
		again, _ := Parse(in)
		require.Equal(t, res, again)

		var out bytes.Buffer
		require.NoError(t, Write(&out, slices.Values(res.CIs)))
		back, err := Parse(Input{Texts: []Text{{"export.yml", out.Bytes()}}, Format: Native})
		require.NoError(t, err, out.String())
		require.Equal(t, res.CIs, back.CIs, out.String())
	})
}

func FuzzNative(f *testing.F)     { fuzz(f, Native, "native", "native_anchors", "native_mistakes") }
func FuzzCSV(f *testing.F)        { fuzz(f, CSV, "csv", "csv_mistakes") }
func FuzzFileSD(f *testing.F)     { fuzz(f, FileSD, "file_sd", "file_sd_mistakes") }
func FuzzKubernetes(f *testing.F) { fuzz(f, Kubernetes, "kubernetes", "kubernetes_mistakes") }
func FuzzBackstage(f *testing.F)  { fuzz(f, Backstage, "backstage", "backstage_mistakes") }

func FuzzDetect(f *testing.F) {
	for _, text := range []string{"cis: []", "id,class\n", `[{"targets":[]}]`, "--- [*a]", "&a [*a]", `{"items":[[]]}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		res, err := Parse(Input{Texts: []Text{{"a", text}}})
		if err == nil {
			require.Contains(t, Formats(), res.Format)
		}
	})
}
