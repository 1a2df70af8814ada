// Package lookup answers an operator's questions to the history: what was like this before, what happened to an item, which alerts matched.
// Each question is one or two statements with named parameters; a scope keeps it to one tenant. It decides nothing and keeps nothing. Its functions
// may be called from any goroutine.
package lookup
