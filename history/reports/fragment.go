package reports

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// fragment is a named piece of SQL that several reports share, as in
//
//	-- fragment: share(part, whole)
//	-- What it is for.
//	if($whole = 0, NULL, $part / $whole)
type fragment struct {
	parameters []string
	text       string
}

type fragments map[string]fragment

// readFragments reads the file of fragments.
func readFragments(text string) (fragments, error) {
	head := regexp.MustCompile(`(?m)^-- fragment: ([a-z][a-z0-9_]*)(?:\(([a-z0-9_, ]*)\))?$`)
	found := head.FindAllStringSubmatchIndex(text, -1)
	all := fragments{}
	for i, at := range found {
		end := len(text)
		if i+1 < len(found) {
			end = found[i+1][0]
		}
		name := text[at[2]:at[3]]
		if _, twice := all[name]; twice {
			return nil, fmt.Errorf("reports: sql/fragments.sql: %s stands twice", name)
		}
		f := fragment{text: withoutComments(text[at[1]:end])}
		if at[4] >= 0 {
			f.parameters = names(text[at[4]:at[5]])
		}
		all[name] = f
	}
	if strings.Count(text, "-- fragment:") != len(all) {
		return nil, errors.New("reports: sql/fragments.sql: a line begins with -- fragment: and is not of the form -- fragment: name(parameter, …)")
	}
	return all, nil
}

// withoutComments drops the lines that are only comments: the report's own say what it does.
func withoutComments(text string) string {
	var kept []string
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		if !strings.HasPrefix(strings.TrimSpace(line), "--") {
			kept = append(kept, line)
		}
	}
	return strings.TrimSpace(strings.Join(kept, "\n"))
}

const maxDepth = 8 // of fragments within fragments

// expand puts the fragments in where sql names them as {{name argument, argument}}.
func (all fragments) expand(sql string) (string, error) {
	for range maxDepth {
		start := strings.LastIndex(sql, "{{") // the innermost first: what stands in an argument is put in before
		if start < 0 {
			return sql, nil
		}
		for start >= 0 {
			length := strings.Index(sql[start:], "}}")
			if length < 0 {
				return "", fmt.Errorf("%.40q has no end", sql[start:])
			}
			for strings.HasPrefix(sql[start+length+2:], "}") {
				length++ // the argument ends in a parameter of the engine
			}
			text, err := all.one(sql[start+2:start+length], indentation(sql[:start]))
			if err != nil {
				return "", err
			}
			sql = sql[:start] + text + sql[start+length+2:]
			start = strings.LastIndex(sql[:start], "{{")
		}
	}
	return "", errors.New("fragments stand within one another more than 8 times")
}

// one returns a fragment with its arguments put in.
func (all fragments) one(call, indent string) (string, error) {
	name, rest, _ := strings.Cut(strings.TrimSpace(call), " ")
	f, ok := all[name]
	if !ok {
		return "", fmt.Errorf("no fragment is called %q", name)
	}
	arguments := arguments(rest)
	if len(arguments) != len(f.parameters) {
		return "", fmt.Errorf("fragment %s(%s): %d arguments given", name, strings.Join(f.parameters, ", "), len(arguments))
	}
	text := regexp.MustCompile(`\$[a-z][a-z0-9_]*`).ReplaceAllStringFunc(f.text, func(place string) string {
		for i, parameter := range f.parameters {
			if place[1:] == parameter {
				return arguments[i]
			}
		}
		return place
	})
	if i := strings.IndexByte(text, '$'); i >= 0 {
		return "", fmt.Errorf("fragment %s: %.12q is none of its parameters", name, text[i:])
	}
	return strings.ReplaceAll(text, "\n", "\n"+indent), nil
}

// arguments cuts at the commas that stand in no bracket.
func arguments(text string) []string {
	var out []string
	depth, from := 0, 0
	for i := range len(text) {
		switch text[i] {
		case '(', '[':
			depth++
		case ')', ']':
			depth--
		case ',':
			if depth == 0 {
				out = append(out, strings.TrimSpace(text[from:i]))
				from = i + 1
			}
		}
	}
	if last := strings.TrimSpace(text[from:]); last != "" || len(out) > 0 {
		out = append(out, last)
	}
	return out
}

// indentation returns the blanks at the beginning of the last line of text.
func indentation(text string) string {
	line := text[strings.LastIndexByte(text, '\n')+1:]
	return line[:len(line)-len(strings.TrimLeft(line, " "))]
}
