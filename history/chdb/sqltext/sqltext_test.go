package sqltext

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func words(text string) (all []string) {
	for _, t := range All(text) {
		all = append(all, text[t.Start:t.End])
	}
	return all
}

func TestTokensAreTakenApartAsTheEngineDoes(t *testing.T) {
	for text, want := range map[string][]string{
		"":                            nil,
		" \n\t -- only a comment":     nil,
		"SELECT 1":                    {"SELECT", "1"},
		"SELECT/**/1--x\n,2":          {"SELECT", "1", ",", "2"},
		`SELECT 'it''s', 'a\'b' `:     {"SELECT", "'it''s'", ",", `'a\'b'`},
		"SELECT `a``b`, \"c;d\"":      {"SELECT", "`a``b`", ",", `"c;d"`},
		"SELECT $$a'b$$, $x$ $$ $x$;": {"SELECT", "$$a'b$$", ",", "$x$ $$ $x$", ";"},
		"SELECT # a comment\n1":       {"SELECT", "1"},
		"SELECT ‘a’, “b”":             {"SELECT", "‘a’", ",", "“b”"},
		"SELECT\u00a01 −− x\n+2":      {"SELECT", "1", "+", "2"},
		"a.b(1.5e3)":                  {"a", ".", "b", "(", "1", ".", "5e3", ")"},
	} {
		require.Equal(t, want, words(text), text)
	}
	for _, text := range []string{"SELECT 'a", "SELECT `a", "SELECT /* a", "SELECT $$ a", "SELECT 'a\\'"} {
		all := All(text)
		require.Equal(t, Unfinished, all[len(all)-1].Kind, text)
	}
}

func TestTheFirstWordTellsTheStatement(t *testing.T) {
	for text, want := range map[string]string{
		"/* a */ select 1": "SELECT", "(SELECT 1)": "(", "": "", "-- x\nInsert INTO t": "INSERT", "'a'": "",
	} {
		require.Equal(t, want, First(text), text)
	}
}

func TestTheFormatIsTheOneOfTheLastClause(t *testing.T) {
	for text, want := range map[string]string{
		"SELECT 1":                               "",
		"SELECT 1 FORMAT JSON":                   "JSON",
		"SELECT 1 format CSV ; ;":                "CSV",
		"SELECT 1 FORMAT JSON SETTINGS a = 1":    "JSON",
		"SELECT 'x FORMAT JSON'":                 "",
		"SELECT 1 -- FORMAT JSON":                "",
		"SELECT format FROM t":                   "",
		"SELECT a, format x":                     "",
		"SELECT * FROM (SELECT 1) FORMAT Native": "Native",
	} {
		require.Equal(t, want, Format(text), text)
	}
}

func TestAnInsertIsTakenApartWhereItsDataBegin(t *testing.T) {
	for text, want := range map[string]Insert{
		"INSERT INTO t":                            {Head: "INSERT INTO t"},
		"INSERT INTO t FORMAT Native":              {Head: "INSERT INTO t", Format: "Native"},
		"INSERT INTO t (a, b) VALUES (1, 'x')":     {Head: "INSERT INTO t (a, b)", Format: "Values", Data: 27},
		"INSERT INTO t FORMAT CSV\n1,2\n":          {Head: "INSERT INTO t", Format: "CSV", Data: 25},
		"INSERT INTO t FORMAT CSV 1":               {Head: "INSERT INTO t", Format: "CSV", Data: 25},
		"INSERT INTO t SETTINGS a = 1 VALUES (1)":  {Head: "INSERT INTO t SETTINGS a = 1", Format: "Values", Data: 35},
		"INSERT INTO t FORMAT JSONEachRow {'a'":    {Head: "INSERT INTO t", Format: "JSONEachRow", Data: 33},
		"/* x */ insert into `values` values (';)": {Head: "/* x */ insert into `values`", Format: "Values", Data: 35},
	} {
		got, ok := SplitInsert(text)
		require.True(t, ok, text)
		if want.Data == 0 {
			want.Data = len(text)
		}
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"INSERT INTO t SELECT 1", "INSERT INTO t WITH x AS (SELECT 1) SELECT * FROM x", "SELECT 1", "INSERT INTO t FROM INFILE 'x' FORMAT CSV", "INSERT INTO t (a" + "'"} {
		_, ok := SplitInsert(text)
		require.False(t, ok, text)
	}
}

func FuzzTokensCoverTheTextInOrder(f *testing.F) {
	for _, seed := range []string{"SELECT 'a' -- x\n, `b` FORMAT CSV", "INSERT INTO t VALUES (1)", "$$a$$ “b” /* */", "\\'"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		end := 0
		for _, one := range All(text) {
			if one.Start < end || one.End <= one.Start && one.Kind != Unfinished || one.End > len(text) {
				t.Fatalf("%q: token %+v after %d", text, one, end)
			}
			end = one.End
		}
		if insert, ok := SplitInsert(text); ok && insert.Data > len(text) {
			t.Fatalf("%q: data at %d", text, insert.Data)
		}
		Format(text)
	})
}
