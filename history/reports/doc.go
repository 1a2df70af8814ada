// Package reports is the catalogue of continual-improvement reports: what each is called, what it counts and how, and the SQL that
// counts it. It asks the history through history.Querier and decides nothing; render shows what it answers.
//
//	sql/r08_mtta.sql = header (definition) + SQL of the report + "-- list" + SQL of what is behind its numbers
//	                     │                     │
//	sql/fragments.sql ───┼──── {{name arg}} ───┤            one expanded statement, which anybody may read and paste
//	                     ▼                     ▼
//	                 Catalogue.List        Catalogue.Run ──▶ Result
//
// A Catalogue does not change after Open; its methods may be called from any goroutine.
package reports
