// Package grafana makes the boards that Grafana shows of Tocsin: three on the history in ClickHouse, one on the daemon's own metrics in
// Prometheus. A board is written here as panels, each with its question; the JSON files in boards/ are made from it (go test -update) and
// checked in, so that Grafana takes the folder as it is. Beside them lie the provisioning of data sources and boards, and the alert rules for
// Prometheus on Tocsin itself.
//
// Nothing of this runs in the daemon. The tests ask every question of every board of the real engine, with the rights of its reader.
package grafana
