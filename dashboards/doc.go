// Package dashboards is the console in the browser: plain pages over the API's Desk, rendered here and kept up to date by a small
// script over the stream of changes. Without the script they are read-only.
//
// It decides nothing and keeps nothing. Every text it shows may be hostile: pages are made by html/template only, links are
// http or https, and the content security policy lets no inline script run. app mounts it; its handlers may be called from any
// goroutine.
package dashboards
