package reports

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Report is the definition of one report: the header of its file. It is what people are shown beside the numbers.
type Report struct {
	ID         string   // R8, as the page of definitions numbers it; several reports may share one
	Name       string   // mtta: how people call it
	Title      string   // Time to acknowledge
	Question   string   // one sentence that an executive understands
	Anchor     string   // which clock puts a row into the period
	Population string   // who counts, who is left out
	Zone       string   // what the zone is used for
	Formula    string   // how it is computed
	Columns    []Column // of the result, in order
	Items      []Column // of the list behind the numbers, in order
	Charts     []Chart  // what is drawn of the result; none for a table only
	Packs      []string // which packs it is part of
	Waits      string   // what it waits for; empty: it can be run

	sql, list string // expanded
}

// Column is one column of a result.
type Column struct {
	Name    string
	Unit    Unit
	Meaning string
}

// Unit says how a column's values are written. A column called X_lo or X_hi is the 95 % interval of X in the same unit; lo and hi
// are that of share.
type Unit string

// The units.
const (
	Bucket  Unit = "bucket"  // local date at which a bucket begins, NULL: the whole period
	Text    Unit = "text"    // of any sender: hostile
	Count   Unit = "count"   // whole number
	Number  Unit = "number"  // any other number
	Ratio   Unit = "ratio"   // share or quotient, 1 is all
	Seconds Unit = "seconds" // duration
	Time    Unit = "time"    // instant, shown in the zone
	Flag    Unit = "flag"    // yes or no
)

func units() []Unit { return []Unit{Bucket, Text, Count, Number, Ratio, Seconds, Time, Flag} }

// keys of a header, in order. A report that waits for facts needs only those marked.
func keys() []string {
	return []string{"id", "name", "title", "question", "formula", "anchor", "population", "zone", "columns", "items", "chart", "packs"}
}

const keysOfWaiting = 5 // id to formula; waits comes after them

// parse reads a report's file. Everything about its form is checked here, so that a report that opens can be run.
func parse(file, text string, fragments fragments) (*Report, error) {
	header, body, err := split(text)
	if err != nil {
		return nil, fmt.Errorf("reports: sql/%s: %w", file, err)
	}
	r, err := fromHeader(header)
	if err != nil {
		return nil, fmt.Errorf("reports: sql/%s: %w", file, err)
	}
	if want := strings.ToLower(r.Name) + ".sql"; !strings.HasSuffix(file, want) {
		return nil, fmt.Errorf("reports: sql/%s: name: the file must end in %s", file, want)
	}
	if r.Waits != "" {
		if strings.TrimSpace(body) != "" {
			return nil, fmt.Errorf("reports: sql/%s: waits: a report with SQL waits for nothing", file)
		}
		return r, nil
	}
	sql, list, ok := strings.Cut(body, "\n-- list\n")
	if !ok {
		return nil, fmt.Errorf(`reports: sql/%s: no line "-- list" between the report and the list behind its numbers`, file)
	}
	for _, part := range []struct {
		to   *string
		text string
	}{{&r.sql, sql}, {&r.list, list}} {
		if *part.to, err = fragments.expand(strings.TrimSpace(part.text)); err == nil {
			err = checkSQL(*part.to)
		}
		if err != nil {
			return nil, fmt.Errorf("reports: sql/%s: %w", file, err)
		}
	}
	return r, nil
}

// split cuts the comment lines at the beginning of a file into keys and values. A line that begins with two blanks or more after the
// dashes goes on with the value before it.
func split(text string) (header [][2]string, body string, err error) {
	for text != "" {
		line, rest, _ := strings.Cut(text, "\n")
		comment, ok := strings.CutPrefix(line, "--")
		if !ok {
			break
		}
		text = rest
		if strings.HasPrefix(comment, "  ") && len(header) > 0 {
			header[len(header)-1][1] += "\n" + strings.TrimSpace(comment)
			continue
		}
		key, value, ok := strings.Cut(strings.TrimSpace(comment), ":")
		if !ok {
			return nil, "", fmt.Errorf("header: %q is no line of the form -- key: value", line)
		}
		header = append(header, [2]string{key, strings.TrimSpace(value)})
	}
	return header, text, nil
}

// fromHeader makes a Report of the header's lines.
func fromHeader(header [][2]string) (*Report, error) {
	values := map[string]string{}
	for _, line := range header {
		key := line[0]
		if _, twice := values[key]; twice {
			return nil, fmt.Errorf("header: %s stands twice", key)
		}
		if key != "waits" && !slices.Contains(keys(), key) {
			return nil, fmt.Errorf("header: unknown key %s (known: %s, waits)", key, strings.Join(keys(), ", "))
		}
		values[key] = strings.TrimSpace(line[1])
	}
	r := &Report{
		ID: values["id"], Name: values["name"], Title: flow(values["title"]), Question: flow(values["question"]), Anchor: flow(values["anchor"]),
		Population: flow(values["population"]), Zone: flow(values["zone"]), Formula: flow(values["formula"]), Waits: flow(values["waits"]),
		Packs: names(values["packs"]),
	}
	wanted := keys()
	if r.Waits != "" {
		wanted = wanted[:keysOfWaiting]
	}
	for _, key := range wanted {
		if values[key] == "" && key != "packs" {
			return nil, fmt.Errorf("header: %s is missing", key)
		}
	}
	if !regexp.MustCompile(`^(R[1-9][0-9]?|noise)$`).MatchString(r.ID) {
		return nil, fmt.Errorf("header: id: must be R and a number, or noise (got %q)", r.ID)
	}
	if !regexp.MustCompile(`^[a-z][a-z0-9_]*$`).MatchString(r.Name) {
		return nil, fmt.Errorf("header: name: must be lower-case letters, digits and underscores (got %q)", r.Name)
	}
	if r.Waits != "" {
		return r, nil
	}
	return r, r.readTables(values)
}

// readTables reads what the header says of columns and charts.
func (r *Report) readTables(values map[string]string) (err error) {
	if r.Columns, err = readColumns(values["columns"]); err != nil {
		return fmt.Errorf("header: columns: %w", err)
	}
	if r.Items, err = readColumns(values["items"]); err != nil {
		return fmt.Errorf("header: items: %w", err)
	}
	if r.Charts, err = readCharts(values["chart"], r.Columns); err != nil {
		return fmt.Errorf("header: chart: %w", err)
	}
	return nil
}

// readColumns reads lines of the form name | unit | meaning.
func readColumns(text string) ([]Column, error) {
	var columns []Column
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		parts := strings.Split(line, "|")
		if len(parts) != 3 {
			return nil, fmt.Errorf("%q is not of the form name | unit | meaning", line)
		}
		c := Column{Name: strings.TrimSpace(parts[0]), Unit: Unit(strings.TrimSpace(parts[1])), Meaning: strings.TrimSpace(parts[2])}
		switch {
		case !slices.Contains(units(), c.Unit):
			return nil, fmt.Errorf("%s: unknown unit %q (known: %v)", c.Name, c.Unit, units())
		case c.Name == "" || c.Meaning == "":
			return nil, fmt.Errorf("%q: a column needs a name and a meaning", line)
		case slices.ContainsFunc(columns, func(other Column) bool { return other.Name == c.Name }):
			return nil, fmt.Errorf("%s stands twice", c.Name)
		}
		columns = append(columns, c)
	}
	if len(columns) == 0 {
		return nil, errors.New("there must be at least one")
	}
	return columns, nil
}

// flow makes one paragraph of lines.
func flow(text string) string { return strings.Join(strings.Fields(text), " ") }

// names reads a list with commas.
func names(text string) []string {
	var out []string
	for name := range strings.SplitSeq(text, ",") {
		if name = strings.TrimSpace(name); name != "" {
			out = append(out, name)
		}
	}
	return out
}

// checkSQL refuses what the engine would read in another way than the author.
func checkSQL(sql string) error {
	for _, m := range regexp.MustCompile(`\{([a-z_]+) *: *([^{}]*)\}`).FindAllStringSubmatch(sql, -1) {
		kind, known := parameters()[m[1]]
		if !known || kind != m[2] {
			return fmt.Errorf("parameter %s: must be one of %s", m[0], parameterList())
		}
	}
	if strings.HasSuffix(strings.TrimSpace(sql), ";") || strings.TrimSpace(sql) == "" {
		return errors.New("must be one statement, without a semicolon at its end")
	}
	return nil
}

// Column returns the column called name.
func (r *Report) Column(name string) (Column, bool) {
	i := slices.IndexFunc(r.Columns, func(c Column) bool { return c.Name == name })
	if i < 0 {
		return Column{}, false
	}
	return r.Columns[i], true
}

// SQL returns the report's statement, with the engine's named parameters.
func (r *Report) SQL() string { return r.sql }

// ListSQL returns the statement of the list behind the numbers; it has no limit.
func (r *Report) ListSQL() string { return r.list }
