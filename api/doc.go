// Package api is the HTTP door for people and their programs: REST under /api/v1 with its OpenAPI, the stream of changes, health,
// metrics, and the mux that everything else is mounted into.
//
// It takes in no alerts (package ingest does, mounted by app) and decides nothing: reads come from the engine's immutable
// views, writes are commands. Every answer is bounded by the principal's tenant; what belongs to another one does not exist. A
// handler that New returned, and a Desk, may be used from any goroutine.
package api
