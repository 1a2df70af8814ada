// Package facts makes rows of the history's tables of changes. It is a pure function of the changes and of the few things it remembers:
// which sender has which number, and how many repeats it has counted in the running block of inputs. Nothing in here knows a database or
// a clock; one goroutine owns a Fold.
package facts
