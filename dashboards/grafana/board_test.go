package grafana

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the boards' files anew")

// file is where Grafana finds the board.
func file(b *Board) string { return filepath.Join("boards", b.UID+".json") }

// read is what this package's tests need of Grafana's JSON.
type read struct {
	UID           string
	Title         string
	SchemaVersion int
	Templating    struct{ List []struct{ Name, Type string } }
	Panels        []struct {
		ID          int
		Type, Title string
		Description string
		Datasource  struct{ Type, UID string }
		GridPos     struct{ X, Y, W, H int }
		FieldConfig struct {
			Overrides []struct{ Matcher struct{ ID, Options string } }
		}
		Targets []struct {
			RefID        string
			Datasource   struct{ Type, UID string }
			RawSQL, Expr string
		}
	}
}

// each runs a test for every board as its file has it.
func each(t *testing.T, test func(t *testing.T, b *Board, text string, r *read)) {
	t.Helper()
	for _, b := range Boards() {
		t.Run(b.UID, func(t *testing.T) {
			text, err := os.ReadFile(file(&b))
			require.NoError(t, err)
			var r read
			require.NoError(t, json.Unmarshal(text, &r))
			test(t, &b, string(text), &r)
		})
	}
}

func TestTheFilesAreWhatTheBoardsSay(t *testing.T) {
	var want []string
	for _, b := range Boards() {
		text, err := b.JSON()
		require.NoError(t, err)
		want = append(want, file(&b))
		if *update {
			require.NoError(t, os.WriteFile(file(&b), text, 0o644))
		}
		have, err := os.ReadFile(file(&b))
		require.NoError(t, err)
		require.True(t, bytes.Equal(text, have), "%s is out of date: go test ./dashboards/grafana -update writes it", file(&b))
	}
	have, err := filepath.Glob("boards/*")
	require.NoError(t, err)
	require.ElementsMatch(t, want, have, "no file without a board")
}

func TestBoardsFitTheGridAndNothingInThemHasTheSameNumber(t *testing.T) {
	uids := map[string]bool{}
	each(t, func(t *testing.T, _ *Board, _ string, r *read) {
		require.Regexp(t, `^[a-z][a-z0-9-]{1,39}$`, r.UID)
		require.False(t, uids[r.UID])
		uids[r.UID] = true
		require.Equal(t, schemaVersion, r.SchemaVersion)
		ids, taken, titles := map[int]bool{}, map[[2]int]string{}, map[string]bool{}
		for _, p := range r.Panels {
			require.False(t, ids[p.ID], p.Title)
			require.False(t, titles[p.Title], "two panels are called %q", p.Title)
			ids[p.ID], titles[p.Title] = true, true
			g := p.GridPos
			require.True(t, g.X >= 0 && g.W > 0 && g.H > 0 && g.X+g.W <= gridWidth, "%s does not fit: %+v", p.Title, g)
			for x := g.X; x < g.X+g.W; x++ {
				for y := g.Y; y < g.Y+g.H; y++ {
					require.Empty(t, taken[[2]int{x, y}], "%s covers it", p.Title)
					taken[[2]int{x, y}] = p.Title
				}
			}
		}
	})
}

func TestLinesOfPanelsAreFull(t *testing.T) {
	each(t, func(t *testing.T, b *Board, _ string, _ *read) {
		for _, s := range b.Sections {
			width, height := 0, 0
			for _, p := range s.Panels {
				if width%gridWidth == 0 {
					height = p.Height
				}
				width += p.Width
				require.Equal(t, height, p.Height, "%s: a line of panels has one height", p.Title)
			}
			require.Zero(t, width%gridWidth, "%s: there is a hole at the end of a line", s.Title)
		}
	})
}

func TestAPanelSaysWhatItShowsAndAsksASourceThatTheReaderChooses(t *testing.T) {
	each(t, func(t *testing.T, b *Board, text string, r *read) {
		require.NotRegexp(t, `(?i)https?://|localhost|127\.0\.0\.1`, text, "a board knows no address")
		for _, v := range b.Variables {
			require.NotEmpty(t, v.Label, v.Name)
		}
		plugins := map[string]string{"${" + clickhouse + "}": clickhousePlugin, "${" + prometheus + "}": prometheusPlugin}
		for _, p := range r.Panels {
			if p.Type == "row" {
				continue
			}
			require.Greater(t, len(p.Description), 20, p.Title)
			require.Equal(t, plugins[p.Datasource.UID], p.Datasource.Type, p.Title)
			require.NotEmpty(t, p.Targets, p.Title)
			for _, target := range p.Targets {
				require.Equal(t, p.Datasource, target.Datasource, p.Title)
				require.NotEqual(t, target.RawSQL == "", target.Expr == "", p.Title)
				if target.RawSQL != "" {
					require.Contains(t, p.Description, "**Anchor:**", p.Title)
					require.Contains(t, p.Description, "**Counted:**", p.Title)
				}
			}
		}
	})
}

func TestEveryVariableIsUsedAndEveryUsedOneIsThere(t *testing.T) {
	name := regexp.MustCompile(`\$(?:\{(\w+)(?::\w+)?\}|(\w+))`)
	each(t, func(t *testing.T, b *Board, text string, r *read) {
		used := map[string]bool{}
		for _, m := range name.FindAllStringSubmatch(text, -1) {
			if n := m[1] + m[2]; !strings.HasPrefix(n, "__") {
				used[n] = true
			}
		}
		var there []string
		for i, v := range r.Templating.List {
			there = append(there, v.Name)
			require.True(t, used[v.Name], "nothing uses $%s", v.Name)
			require.Equal(t, i == 0, v.Type == "datasource", "the data source comes first: the others ask it")
		}
		for n := range used {
			require.Contains(t, there, n)
		}
	})
}

func TestAMeanIsNeverShownAndATrendOfQuantilesSaysItsN(t *testing.T) {
	each(t, func(t *testing.T, b *Board, _ string, _ *read) {
		for _, p := range b.Panels() {
			require.NotRegexp(t, `(?i)\b(avg|mean)\w*\(`, p.SQL, p.Title)
			for _, m := range p.Metrics {
				require.NotRegexp(t, `\bavg\b|_sum\b`, m.Expr, p.Title)
			}
			has := func(name string) bool {
				return slices.ContainsFunc(p.Columns, func(c Column) bool { return c.Name == name })
			}
			if has("p50") || has("p90") || has("low") {
				require.True(t, has("n") || has("events"), p.Title)
				require.True(t, has("p50") == has("p90") && has("low") == has("high"), p.Title)
			}
		}
	})
}

func TestFiguresHaveUnitsAndOverridesNameColumns(t *testing.T) {
	each(t, func(t *testing.T, b *Board, _ string, r *read) {
		panels := b.Panels()
		at := 0
		for _, p := range r.Panels {
			if p.Type == "row" {
				continue
			}
			spec := panels[at]
			at++
			require.Equal(t, spec.Title, p.Title)
			if spec.SQL == "" {
				require.NotEmpty(t, spec.Unit, p.Title)
				continue
			}
			require.NotEmpty(t, spec.Columns, p.Title)
			if spec.Series != "" {
				require.Len(t, spec.Columns, 3, "%s: the time, what names the series, and its one figure", p.Title)
				require.Equal(t, spec.Series, spec.Columns[1].Name, p.Title)
			}
			for _, o := range p.FieldConfig.Overrides {
				require.Equal(t, "byName", o.Matcher.ID)
				require.True(t, slices.ContainsFunc(spec.Columns, func(c Column) bool { return c.Name == o.Matcher.Options }), "%s: %s", p.Title, o.Matcher.Options)
			}
		}
	})
}
