// Package render shows what a report answered: as a table on a terminal, as CSV, JSON, or an HTML page with charts that needs nothing
// besides itself. What the history holds is hostile text everywhere: terminals get it cleaned, CSV quoted against formulas, HTML by
// html/template alone.
//
// It asks nothing and decides nothing. All functions may be called from any goroutine.
package render
