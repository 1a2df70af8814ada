// Package flat holds the correlator's state as pages of pointer-free records, so that a million
// alerts cost the garbage collector a few milliseconds, readers get an immutable view in constant
// time, and a snapshot is the raw bytes of the pages.
//
// It is a kit of containers: Slab (records by number), Blobs (byte strings by number), Strings
// (interned, counted text), Index (hash to number) and Wheel (timers), with Writer and Reader for
// their snapshots. It is not a database: it has no keys of its own, no transactions, no clock and
// no files, and it knows nothing of alerts.
//
// # Views
//
// View costs the same whatever the size: it shares the table of pages. After it the owner copies a
// page (4 KiB) at its first write to that page, and a part of the table at the first such copy in
// that part. Without views nothing is ever copied. Nobody closes a view: when the last reference to
// it goes, so do the pages that only it held.
//
//	owner  table ─▶ [p0][p1][p2]         after Mut of a record in p1:   [p0][p1'][p2]
//	view   table ─┘                                                     [p0][p1 ][p2]
//
// # Goroutines
//
// One goroutine, the owner, calls the methods of a container. A view may be read by any number of
// goroutines at any time; handing it over must itself be synchronised (channel, atomic pointer).
// What At, Bytes and String return belongs to the page: read it, never write it.
//
// # Determinism
//
// The same calls give the same slot numbers, the same firing order and the same snapshot bytes,
// also when a snapshot was written and read back in between.
package flat
