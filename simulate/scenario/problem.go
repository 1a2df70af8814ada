package scenario

import (
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing wrong with a folder.
type Problem struct {
	File    string
	Line    int // from 1; 0: the file as a whole
	Message string
	Hint    string
}

// String returns the problem in one line, as in run/truth.ndjson:12: there is no fault "x"; faults.json must list it.
func (p Problem) String() string {
	line := p.File
	if p.Line > 0 {
		line = fmt.Sprintf("%s:%d", line, p.Line)
	}
	line += ": " + p.Message
	if p.Hint != "" {
		line += "; " + p.Hint
	}
	return line
}

// maxTold bounds the problems of one file that are spelled out.
const maxTold = 20

// Errors are the problems of a folder. Of each file the first are spelled out; one more counts the rest.
type Errors []Problem

// Error returns one problem per line.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, p := range e {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// problems collects what is wrong with one file.
type problems struct {
	file  string
	found []Problem
	more  int
}

func (p *problems) add(line int, hint, format string, args ...any) {
	if len(p.found) == maxTold {
		p.more++
		return
	}
	p.found = append(p.found, Problem{p.file, line, fmt.Sprintf(format, args...), hint})
}

func (p *problems) all() []Problem {
	if p.more == 0 {
		return p.found
	}
	return append(slices.Clip(p.found), Problem{File: p.file, Message: fmt.Sprintf("and %d more problems", p.more)})
}
