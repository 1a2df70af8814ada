package cmdb

import (
	"bytes"
	"fmt"
	"iter"

	"github.com/tocsin-noc/tocsin/rules/strict"
)

// block is the lines of a list in block style:
//
//	cis:               ← its key, at the left margin
//	  - id: db-1       ← an item begins at a dash in the list's column
//	    class: host
//	  - id: db-2
//	services: …        ← the list ends at anything else in that column, or left of it
//
// YAML indents whatever belongs to an item, its texts over several lines too, so the lines alone tell where one begins.
type block struct {
	chunk
	key    string // "" when the list is the document
	column int    // blanks before its dashes
}

// cutLists finds the lists under keys, and the one that a document is, and returns them and the document without them. Its lines
// stay, empty, so that places in it stay true.
func cutLists(c chunk, keys []string) (head []byte, blocks []block) {
	head = make([]byte, 0, min(len(c.text), 1<<16))
	first, key, open := true, "", (*block)(nil)
	at, line := 0, c.line
	for l := range bytes.Lines(c.text) {
		column, kind := look(l)
		if kind != nothing && open != nil && (column < open.column || column == open.column && kind != dash) {
			open = nil
		}
		if kind == dash && open == nil && (first || key != "") {
			blocks = append(blocks, block{chunk{line: line}, key, column})
			open = &blocks[len(blocks)-1]
			open.text = c.text[at:at]
		}
		at += len(l)
		line++
		if open != nil {
			open.text = c.text[at-len(l)-len(open.text) : at]
			head = append(head, '\n')
		} else {
			head = append(head, l...)
		}
		if kind != nothing {
			first, key = false, listKey(l, keys)
		}
	}
	return head, blocks
}

// lineKind is what a line begins with.
type lineKind uint8

const (
	nothing lineKind = iota + 1 // it is empty, a comment, or indented by a tab, which no structure is
	dash
	other
)

// look returns how many blanks a line begins with, and with what.
func look(line []byte) (column int, kind lineKind) {
	for column < len(line) && line[column] == ' ' {
		column++
	}
	rest := line[column:]
	switch {
	case isBlank(rest), rest[0] == '\t', isMark(line, "---") && isBlank(line[3:]):
		return column, nothing
	case isMark(rest, "-"):
		return column, dash
	}
	return column, other
}

// listKey returns the one of keys that line is, at the left margin and with nothing behind it; "" for another line.
func listKey(line []byte, keys []string) string {
	for _, key := range keys {
		if rest, ok := bytes.CutPrefix(line, []byte(key+":")); ok && isBlank(rest) && (len(rest) == 0 || rest[0] <= ' ') {
			return key
		}
	}
	return ""
}

// items cuts the block at its dashes.
func (b block) items() iter.Seq[part] {
	return func(yield func(part) bool) {
		at, start, line, startLine := 0, 0, b.line, b.line
		for l := range bytes.Lines(b.text) {
			column, kind := look(l)
			if at > 0 && kind == dash && column == b.column {
				if !yield(blockItem(b.text[start:at], startLine)) {
					return
				}
				start, startLine = at, line
			}
			at += len(l)
			line++
		}
		yield(blockItem(b.text[start:], startLine))
	}
}

func blockItem(text []byte, line int) part {
	p := part{text: text, line: line}
	if len(text) > maxPart {
		p.fault = fmt.Sprintf("an item must be at most %s", strict.FormatSize(maxPart))
	}
	return p
}
