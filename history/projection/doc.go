// Package projection keeps the history up with the changes log. It reads changes, has history/facts make rows of them, inserts those in
// batches, and keeps its place in the database that it fills: what is cut off is inserted again, and the same rows again are one row.
//
//	changes log ──▶ facts ──▶ rows of all tables ──▶ cursor ──▶ incidents, hours ──▶ cursor of what is derived
//
// One goroutine runs it; a database that is away delays only the history. Status and Rebuild may be called from anywhere.
package projection
