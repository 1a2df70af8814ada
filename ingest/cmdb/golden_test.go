package cmdb

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// Each story is an archive: a sentence about it, the files that are imported, and under want/ what comes of it.
const (
	wantCIs      = "want/cis.yml"
	wantProblems = "want/problems.txt" // then nothing is imported, and want/cis.yml is what a lenient import takes
	wantSkipped  = "want/skipped.txt"
)

func TestStories(t *testing.T) {
	names, err := filepath.Glob("testdata/*.txtar")
	require.NoError(t, err)
	require.NotEmpty(t, names)
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) { tellStory(t, name) })
	}
}

func tellStory(t *testing.T, name string) {
	archive, err := txtar.ParseFile(name)
	require.NoError(t, err)
	var in Input
	for _, f := range archive.Files {
		if !strings.HasPrefix(f.Name, "want/") {
			in.Texts = append(in.Texts, Text{f.Name, f.Data})
		}
	}
	want := &txtar.Archive{Comment: archive.Comment}
	for _, text := range in.Texts {
		want.Files = append(want.Files, txtar.File{Name: text.Name, Data: text.Data})
	}
	want.Files = append(want.Files, outcome(t, in)...)
	if *update {
		require.NoError(t, os.WriteFile(name, txtar.Format(want), 0o644))
	}
	require.Equal(t, string(txtar.Format(want)), string(txtar.Format(archive)))

	slices.Reverse(in.Texts)
	require.Equal(t, outcome(t, in), want.Files[len(in.Texts):], "in whatever order the files are given")
}

// outcome imports in strictly, and leniently where it has problems.
func outcome(t *testing.T, in Input) (files []txtar.File) {
	res, err := Parse(in)
	if err != nil {
		require.Nil(t, res.CIs)
		files = append(files, txtar.File{Name: wantProblems, Data: []byte(err.Error() + "\n")})
		in.Lenient = true
		lenient, _ := Parse(in)
		require.Equal(t, res.Problems, lenient.Problems)
		res = lenient
	}
	var skipped strings.Builder
	for _, s := range res.Skipped {
		fmt.Fprintf(&skipped, "%d %s\n", s.Count, s.What)
	}
	if skipped.Len() > 0 {
		files = append(files, txtar.File{Name: wantSkipped, Data: []byte(skipped.String())})
	}
	var out bytes.Buffer
	require.NoError(t, Write(&out, slices.Values(res.CIs)))
	return append(files, txtar.File{Name: wantCIs, Data: out.Bytes()})
}

// A comment that looks like an anchor and its alias makes the reader parse documents whole.
const readWhole = "# &x *x\n"

func TestCuttingADocumentByItsLinesIsAsGoodAsParsingIt(t *testing.T) {
	names, err := filepath.Glob("testdata/*.txtar")
	require.NoError(t, err)
	compared := 0
	for _, name := range names {
		archive, err := txtar.ParseFile(name)
		require.NoError(t, err)
		for _, f := range archive.Files {
			cut, err := Parse(Input{Texts: []Text{{f.Name, f.Data}}})
			if err != nil || isJSON(f.Data) || cut.Format == CSV {
				continue
			}
			text := readWhole + strings.ReplaceAll(string(f.Data), "---\n", "---\n"+readWhole)
			require.True(t, sharesNodes([]byte(text)))
			whole, err := Parse(Input{Texts: []Text{{f.Name, []byte(text)}}})
			require.NoError(t, err, name)
			require.Equal(t, whole, cut, "%s %s", name, f.Name)
			compared++
		}
	}
	require.Greater(t, compared, 5)
}
