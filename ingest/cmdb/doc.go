// Package cmdb reads configuration items and services from the files people already have: Tocsin's own YAML, JSON and CSV,
// Prometheus' file_sd, Kubernetes manifests and Backstage catalogues, as docs/cmdb-import.md describes. It also writes Tocsin's own
// YAML, so that an export can be edited and read again.
//
// Parse is a function of its input: no file, network or clock, and the same texts give the same items in the same order. It knows
// nothing of what the CMDB holds: whether the target of a relation exists, what a person has pinned and what is to be
// retired is for the core to say. Everything may be used from any goroutine.
//
// The way of a text: detect its format, cut it into documents and those into parts (one item each, so that a long list is never in
// memory as a tree, and a fault in one item hides no other), read each part with package strict, add the items to the call.
package cmdb
