// Package config is the daemon's one YAML file: read strictly, with every problem of every file at once, each with its place;
// with defaults that run without any file. docs/configuration.md is its reference.
//
// What alerts mean is not configured here but in rule files (package rules); this package only finds and reads them. A Config
// does not change after Load; any goroutine may read it.
package config
