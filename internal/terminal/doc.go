// Package terminal shapes text for people who read it on a terminal: hostile characters taken out, columns aligned by the width
// that is seen, colours by meaning, times as distances.
//
// It is no user interface: nothing moves the cursor, and it writes nowhere by itself. The programs below cmd use it. All
// functions may be called from any goroutine; a Table belongs to one.
package terminal
