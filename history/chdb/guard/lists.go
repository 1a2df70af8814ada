package guard

import (
	"regexp"
	"slices"
	"strings"
)

// harmless are the kinds of nodes that decide nothing themselves: what matters in them is below them.
func harmless() []string {
	return []string{
		"ArrayJoin", "Asterisk", "ColumnsApplyTransformer", "ColumnsExceptTransformer", "ColumnsListMatcher", "ColumnsRegexpMatcher",
		"ColumnsReplaceTransformer", "ColumnsReplaceTransformer::Replacement", "ColumnsTransformerList", "DataType", "ExpressionList", "Identifier",
		"InterpolateElement", "Literal", "OrderByElement", "QualifiedAsterisk", "QualifiedColumnsListMatcher", "QualifiedColumnsRegexpMatcher",
		"SampleRatio", "SelectIntersectExceptQuery", "SelectQuery", "SelectWithUnionQuery", "Subquery", "TableExpression", "TableJoin",
		"TablesInSelectQuery", "TablesInSelectQueryElement", "WindowDefinition", "WindowListElement", "WithElement",
	}
}

// tableFunctions make rows of nothing, or of a query or a literal in the query.
func tableFunctions() []string {
	return []string{
		"generaterandom", "generate_series", "generateseries", "null", "numbers", "numbers_mt", "primes", "values", "view", "zeros", "zeros_mt",
		"sqlstandardvalues",
	}
}

func tableFunction(name string) error {
	if !slices.Contains(tableFunctions(), strings.ToLower(name)) {
		return refuse("no table function %s", name)
	}
	return nil
}

// systemTables say what there is. Not on the list is what shows what others ask, files, settings or the machine.
func systemTables() []string {
	return []string{
		"aggregate_function_combinators", "build_options", "columns", "contributors", "data_skipping_indices", "data_type_families", "databases",
		"formats", "functions", "keywords", "numbers", "numbers_mt", "one", "parts", "parts_columns", "table_engines", "tables", "time_zones", "zeros", "zeros_mt",
	}
}

// plain is a name that no file has: an embedded engine would take a name with a slash or a dot for one.
var plain = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)?$`)

func table(name string) error {
	if !plain.MatchString(name) {
		return refuse("no table %q: a table's name has letters, digits and _ only", name)
	}
	database, rest, two := strings.Cut(name, ".")
	if two && strings.EqualFold(database, "system") && !slices.Contains(systemTables(), rest) {
		return refuse("no table %s", name)
	}
	return nil
}

// Database checks the database that names without one are looked up in.
func Database(name string) error {
	if name == "" {
		return nil
	}
	if strings.Contains(name, ".") || !plain.MatchString(name) || strings.EqualFold(name, "system") {
		return refuse("no database %q as the one in use", name)
	}
	return nil
}

// formats are how a result may look. Those that take a schema or a template from a file are not among them.
func formats() []string {
	return []string{
		"arrow", "arrowstream", "csv", "json", "markdown", "msgpack", "native", "null", "orc", "parquet", "pretty", "rowbinary", "rawblob", "tabseparated", "tskv", "tsv",
		"values", "vertical", "xml", "bson", "lineasstring",
	}
}

func format(name string) error {
	n := strings.ToLower(name)
	if !slices.ContainsFunc(formats(), func(begin string) bool { return strings.HasPrefix(n, begin) }) {
		return refuse("no FORMAT %s", name)
	}
	return nil
}

// Format checks the format that a query gets which names none.
func Format(name string) error { return format(name) }
