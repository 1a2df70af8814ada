// Package records keeps the timelines of incidents on disk: every change of an incident and of its alerts, in the order
// of the changes log, bounded in bytes. It is not a journal and not the history: it decides nothing, syncs only when told
// to, and forgets its oldest entries when the bound is reached. Everything in it comes from the changes log, so losing it
// loses nothing that the log still holds.
//
// # Files
//
//	<dir>/0000000001.rec    segments, numbered from 1; the last one is written to
//	<dir>/0000000002.rec
//	<dir>/index             checkpoint: per incident its last entry, and the position after which to scan
//
//	segment   [magic 8][frame][frame]...[frame][mark]
//	frame     [len u32][crc32c u32][payload: len bytes]                    numbers are little-endian
//	entry     [1][seq u64][n u32][at u64][incident u32][ordinal u32][prev u64]([skip u64][jump u64])[change]
//	mark      [2][seq u64][n u32]
//	redacted  [3]... as an entry: [change][zeros]             each text taken away is one to three bytes that UTF-8 has not
//
// A mark is the cursor of a change that left no entry. Only the end of a segment can be a mark: the next write begins where
// the mark began, so a quiet night of repeats does not push entries out. Kind 0 is invalid, as zeroed sectors are.
//
// A redacted entry is as long as it was, since others point behind it: its segment is written anew beside the old one (*.tmp) and
// renamed over it, so a crash leaves either.
//
// A position is segment number << 32 | offset. Entries of one incident are counted from 0 (ordinal) and chained backwards
// by prev. Every 64th is a milestone m = ordinal/64, which also links to milestone m-1 (skip) and to milestone m&(m-1) (jump),
// so that any page of a timeline of n entries is found with O(log² n) reads:
//
//	in memory   incident ─▶ {last, milestone, count, segment of its first entry}      24 bytes
//	                          │        │
//	           0 ◀─ 1 ◀─ ... ◀─ 64 ◀─ ... ◀─ 128 ◀─ 129                               prev
//	           0 ◀────────────  64 ◀──────── 128                                      skip
//	           0 ◀────────────────────────── 128                                      jump (2&1 = 0)
//
// # Crashes
//
// A process that dies loses what it had not flushed. A power cut loses what was not synced; the sync happens at Sync, at Close
// and when a segment is full. Either way Open cuts the last segment at its first frame that does not check, and Cursor says
// how far the store reaches: feed it the changes log from there; what it has already is skipped. So the log may be
// trimmed up to the cursor that stood before the last successful Sync, not further.
//
// Damage elsewhere never stops Open: a frame that does not check in an older segment is met by readers alone, as a
// CorruptError with its place, and only for the pages that need it. When the checkpoint is lost too, all segments are scanned;
// what follows a damaged frame within its segment is then left out of the index, reported and counted. The way to repair
// is to remove the folder while the daemon is stopped; it is filled again from the changes log, as far back as that reaches.
//
// # Goroutines
//
// One goroutine, the projection's, calls Append, Flush, Sync and Close. Timeline, Total, Dropped, Cursor, EndSegment
// and Redact may be called from any number of goroutines at any time. One process at a time may open a folder; the caller's lock on
// its data directory sees to that.
package records
