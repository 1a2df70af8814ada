// Package imports brings incidents of other systems into the history, so that reports work on day one. It reads exports (CSV or JSON; a row
// per incident, or a row per event) by a map that says what the columns mean, makes of each incident the versions that Tocsin itself would
// have written, and stores what is new or differs. The alert path never sees them: imported incidents are history from the start.
//
// It is not the import of configuration items (package ingest/cmdb), and it opens nothing: app hands it a Target. An Importer may be used from
// any goroutine; one import runs at a time.
package imports
