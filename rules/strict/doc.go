// Package strict reads YAML the way Tocsin's configuration and rules want it read: unknown, repeated and misspelt keys are
// problems, every value has a range, and all problems of a file are found in one pass, each with its place and a hint.
//
// A file's shape is written down as a [Value] built from Mapping, List and the scalars; reading fills the variables they point
// to. It is not a general YAML decoder: no reflection, no merge keys, no second document.
//
// It is pure. Everything may be used from any goroutine, one goroutine per Reader and its targets.
package strict
