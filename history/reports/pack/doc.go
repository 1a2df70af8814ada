// Package pack makes of several reports one page that is sent around: what an executive reads on the first screen, and below it, for
// whoever doubts it, each report with its chart, its table, its definition, the list behind its numbers and its SQL.
//
// The page is one HTML file that asks for nothing: no script, no picture, no font from anywhere. It may be made from any goroutine.
package pack
