package guard

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func functions() Functions {
	return NewFunctions([]Listed{
		{Name: "plus", Categories: "Arithmetic"}, {Name: "in", Categories: "Comparison"}, {Name: "file", Categories: "Other"}, {Name: "count", Categories: "Aggregate Functions", Aggregate: true},
		{Name: "aiGenerate", Categories: "AI"}, {Name: "AIGenerate", AliasTo: "aiGenerate"}, {Name: "hostName", Categories: "Other"}, {Name: "hostname", AliasTo: "hostName"},
		{Name: "newThing", Categories: "A Category Nobody Knows"}, {Name: "identity", Categories: "Other"},
	})
}

func TestFunctionsAreOpenByWhatTheyAre(t *testing.T) {
	w := walker{functions()}
	for _, name := range []string{"plus", "PLUS", "count", "countIf", "countMergeState", "identity", "lambda"} {
		require.True(t, w.open(name), name)
	}
	for _, name := range []string{"file", "FILE", "fileIf", "aiGenerate", "AIGenerate", "hostName", "hostname", "newThing", "unknown", "if", "State", ""} {
		require.False(t, w.open(name), name)
	}
}

func TestATreeThatIsNotUnderstoodIsRefused(t *testing.T) {
	for tree, want := range map[string]string{
		"":                         "nothing that is understood",
		"SelectQuery\n   Deep":     "not understood",
		" SelectWithUnionQuery":    "not understood",
		"A\nB":                     "not understood",
		"SelectWithUnionQuery\n -": "not understood",
		"InsertQuery":              "no InsertQuery",
		"SelectWithUnionQuery (children 1)\n SomethingNew":                                                                        "no SomethingNew",
		"SelectWithUnionQuery (children 1)\n ExpressionList (children 1)\n  SelectQuery (children 1)\n   Function file":           "no function file",
		"SelectWithUnionQuery (children 1)\n ExpressionList (children 1)\n  TableExpression (children 1)\n   Function url":        "no table function url",
		"SelectWithUnionQuery (children 1)\n ExpressionList (children 1)\n  TableExpression\n   TableIdentifier /etc/passwd":      "no table",
		"SelectWithUnionQuery (children 1)\n ExpressionList (children 1)\n  TableExpression\n   TableIdentifier system.processes": "no table system.processes",
		"SelectWithUnionQuery (children 2)\n ExpressionList\n Literal 'x'":                                                        "no INTO OUTFILE",
		"SelectWithUnionQuery (children 2)\n ExpressionList\n Set":                                                                "no SETTINGS",
		"SelectWithUnionQuery (children 2)\n ExpressionList\n Identifier Template":                                                "no FORMAT Template",
		"Explain EXPLAIN (children 1)\n InsertQuery":                                                                              "no InsertQuery in EXPLAIN",
		"Explain EXPLAIN TABLE OVERRIDE (children 1)\n Function mysql":                                                            "no EXPLAIN TABLE OVERRIDE",
		"Explain EXPLAIN": "of this",
	} {
		err := Check(tree, functions())
		refusal := (*Refusal)(nil)
		require.ErrorAs(t, err, &refusal, tree)
		require.ErrorContains(t, err, want, tree)
	}
	require.NoError(t, Check("SelectWithUnionQuery (children 2)\n ExpressionList (children 1)\n  Function count (alias x (children 9)) (children 1)\n Identifier JSON", functions()))
}

func TestDatabasesInUse(t *testing.T) {
	for _, name := range []string{"", "tocsin", "default", "information_schema"} {
		require.NoError(t, Database(name))
	}
	for _, name := range []string{"system", "SYSTEM", "a.b", "../x", "a b", "`system`"} {
		require.Error(t, Database(name), name)
	}
}

func FuzzNoTreeIsLetThroughWithAFunctionThatIsClosed(f *testing.F) {
	f.Add("SelectWithUnionQuery (children 1)\n ExpressionList (children 1)\n  Function plus")
	f.Fuzz(func(t *testing.T, tree string) {
		root, err := parse(tree)
		if err != nil || Check(tree, functions()) != nil {
			return
		}
		var look func(n *node)
		look = func(n *node) {
			if n.kind == "Function" && n.name == "file" {
				t.Fatalf("let through: %q", tree)
			}
			for _, c := range n.children {
				look(c)
			}
		}
		look(root)
	})
}
