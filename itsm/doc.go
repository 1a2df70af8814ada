// Package itsm holds the records a service desk works with and the rules of their lives:
//
//	incident.go, lifecycle*.go, major.go, merge.go, dossier.go   what may happen to an incident, when, and who decides
//	hurt.go, priority.go                                         which services it hurts, and what that makes of its priority
//	table*.go                                                    all incidents, in flat memory
//	cmdb*.go                                                     configuration items and services: what was said of them, what rests on what
//	outage.go                                                    outages, and the availability that they leave
//
// It is pure and single-owner: package correlate calls it from the engine's goroutine. It knows package event only.
package itsm
