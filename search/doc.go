// Package search finds incidents by the words in them: title, labels, notes, reasons, updates, tickets. It is a projection: it
// follows the engine's changes from a cursor that lies in the index itself and moves with each batch, so a process that dies
// anywhere goes on as if it had not. It decides nothing, and nobody waits for it.
//
//	changes ──▶ batch ──▶ fold per incident ──▶ one document each + cursor, one commit ──▶ Search
//
// The files are bleve's (scorch); the words, the query language and the marked snippets are made here. Every term carries its
// tenant in front, so that a query of one tenant cannot touch what is another's.
//
// An Index's methods may be called from any goroutine; Run is called once. What Search returns is as people and machines wrote
// it: hostile. Whoever shows it escapes it.
package search
