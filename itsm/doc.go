// Package itsm holds the records a service desk works with and the rules of their lives. So far that is the incident: what
// may happen to it, when, and who decides.
//
// It is pure and single-owner: package correlate calls it from the engine's goroutine. It knows package event only.
package itsm
