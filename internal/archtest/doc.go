// Package archtest holds, as tests, the rules of the architecture that no general linter knows: who may import whom,
// what the pure core may not touch, how long a file may be. It exports nothing; run it with go test.
//
// Each rule is a function of sources that returns findings, so that it is itself tested on a small source that breaks
// it. An exception is never a list in here: it is a comment on the line it excuses, with its reason.
package archtest
