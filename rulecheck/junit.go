package rulecheck

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
)

// The parts of JUnit's XML that build servers read.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Seconds  string       `xml:"time,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Seconds  string      `xml:"time,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string        `xml:"classname,attr"`
		Name    string        `xml:"name,attr"`
		File    string        `xml:"file,attr"`
		Line    int           `xml:"line,attr"`
		Seconds string        `xml:"time,attr"`
		Failure *junitFailure `xml:"failure"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// WriteJUnit writes results as JUnit's XML: a suite for each file.
func WriteJUnit(w io.Writer, results []Result) error {
	var out junitSuites
	var all, suite float64
	for i := range results {
		r := &results[i]
		if n := len(out.Suites); n == 0 || out.Suites[n-1].Name != r.File {
			out.Suites, suite = append(out.Suites, junitSuite{Name: r.File}), 0
		}
		s := &out.Suites[len(out.Suites)-1]
		c := junitCase{Class: r.File, Name: r.Name, File: r.File, Line: r.Line, Seconds: seconds(r.Took)}
		if !r.Passed {
			c.Failure = &junitFailure{Message: r.Failures[0].Place() + ": " + r.Failures[0].Message, Text: strings.Join(r.Lines(), "\n")}
			s.Failures++
			out.Failures++
		}
		all, suite = all+r.Took, suite+r.Took
		out.Seconds, s.Seconds = seconds(all), seconds(suite)
		s.Tests++
		out.Tests++
		s.Cases = append(s.Cases, c)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(out); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func seconds(s float64) string { return fmt.Sprintf("%.3f", s) }

// Lines are the failures as people read them: each with its place, and what belongs to it indented below.
func (r *Result) Lines() (lines []string) {
	for i := range r.Failures {
		f := &r.Failures[i]
		lines = append(lines, f.Place()+": "+f.Message)
		for _, d := range f.Detail {
			lines = append(lines, "    "+d)
		}
	}
	return lines
}
