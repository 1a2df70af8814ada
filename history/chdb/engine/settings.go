package engine

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var (
	formatName  = regexp.MustCompile(`^[A-Za-z0-9]{1,64}$`)
	idName      = regexp.MustCompile(`^[A-Za-z0-9_.:-]{1,128}$`)
	settingName = regexp.MustCompile(`^[a-z][a-z0-9_]{1,100}$`)
)

// Limits of the reader: what a request may ask for at most, and gets when it asks for nothing.
const (
	readerSeconds = 60
	readerRows    = 10_000_000
	readerThreads = 4 // as far as there are cores; the whole process yields to the daemon
	// The engine gives a question one thread for each so many bytes that are free of what it may use. Its own default of 1 GiB would leave one
	// of our 2 GiB, and half of a small machine idle.
	readerBytesOfThread = 128 << 20
)

// settingsOfWriter are what the writer's requests may set, by the beginnings of their names.
func settingsOfWriter() []string {
	return []string{
		"aggregate_", "allow_", "alter_sync", "any_join", "apply_", "asterisk_", "collect_", "compile_", "convert_", "count_distinct_", "cross_to_",
		"date_time_", "deduplicate_", "distinct_", "do_not_merge_", "enable_", "exact_", "extremes", "final", "flatten_", "force_", "format_", "fsync_",
		"group_by_", "input_format_", "insert_", "join_", "lightweight_", "limit", "load_balancing", "low_cardinality_", "materialize_", "max_", "merge_tree_",
		"min_", "mutations_", "offset", "optimize_", "output_format_", "parallel_", "partial_", "prefer_", "preferred_", "query_plan_", "read_", "result_overflow_mode",
		"select_", "session_timezone", "short_circuit_", "temporary_", "throw_", "timeout_", "totals_", "transform_", "union_", "use_", "validate_",
	}
}

// settingsOfReader are what clients send with every question and what changes how a result looks, by name.
func settingsOfReader() []string {
	return []string{
		"date_time_input_format", "date_time_output_format", "extremes", "final", "join_use_nulls", "max_threads", "output_format_arrow_string_as_string",
		"output_format_decimal_trailing_zeros", "output_format_json_array_of_rows", "output_format_json_named_tuples_as_objects",
		"output_format_json_quote_64bit_floats", "output_format_json_quote_64bit_integers", "output_format_json_quote_decimals",
		"output_format_json_quote_denormals", "output_format_native_write_json_as_string", "output_format_pretty_color", "session_timezone",
	}
}

// setting takes a parameter that is a setting of the engine.
func (q *request) setting(name, value string) error {
	if !settingName.MatchString(name) {
		return unknownSetting(name)
	}
	if !q.reader {
		if slices.ContainsFunc(settingsOfWriter(), func(prefix string) bool { return strings.HasPrefix(name, prefix) }) {
			q.settings = append(q.settings, Param{name, value})
			return nil
		}
		return unknownSetting(name)
	}
	switch {
	case name == "max_execution_time" || name == "max_result_rows" || name == "max_memory_usage":
		return q.lower(name, value)
	case slices.Contains(settingsOfReader(), name):
		q.settings = append(q.settings, Param{name, value})
		return nil
	}
	return &Exception{Code: codeReadOnly, Name: "READONLY", Text: "the reader may not set " + name}
}

func unknownSetting(name string) error {
	return &Exception{Code: codeUnknownSetting, Name: "UNKNOWN_SETTING", Text: "the setting " + strconv.Quote(name) + " is not taken as a parameter of the URL here; write it as SETTINGS of the query"}
}

// lower takes a limit of the reader where it is below ours; what is above, or 0 for none, becomes ours.
func (q *request) lower(name, value string) error {
	n, err := strconv.ParseFloat(value, 64)
	if err != nil || n < 0 {
		return &Exception{Code: codeBadArguments, Name: "BAD_ARGUMENTS", Text: name + " is no number: " + strconv.Quote(value)}
	}
	if n > 0 && n < q.limit(name) {
		q.settings = append(q.settings, Param{name, strconv.FormatInt(max(int64(n), 1), 10)})
	}
	return nil
}

func (q *request) limit(name string) float64 {
	switch name {
	case "max_execution_time":
		return readerSeconds
	case "max_memory_usage":
		return float64(q.memory)
	}
	return readerRows
}

// effective returns the settings that the session gets. readonly comes last: from then on nothing can be set.
func (q *request) effective() []Param {
	var all []Param
	if q.reader {
		all = append(all,
			Param{"max_execution_time", strconv.Itoa(readerSeconds)}, Param{"max_memory_usage", strconv.FormatInt(q.memory, 10)},
			Param{"max_result_rows", strconv.Itoa(readerRows)}, Param{"result_overflow_mode", "throw"}, Param{"max_threads", strconv.Itoa(readerThreads)},
			Param{"max_threads_min_free_memory_per_thread", strconv.Itoa(readerBytesOfThread)}, Param{"max_ast_depth", "500"}, Param{"max_query_size", strconv.Itoa(maxReaderQuery)})
	}
	for _, s := range q.settings {
		all = slices.DeleteFunc(all, func(p Param) bool { return p.Name == s.Name })
		all = append(all, s)
	}
	switch {
	case q.reader:
		all = append(all, Param{"readonly", "1"})
	case q.only:
		all = append(all, Param{"readonly", "2"})
	}
	return all
}
