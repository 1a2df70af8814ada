package event

// MaxCauses bounds the candidates that are kept of an incident.
const MaxCauses = 5

// Causes is what the machine thinks of an incident's root cause.
type Causes struct {
	Incident   IncidentID
	Cluster    uint32  // slot of the cluster that was weighed, 0: a person's verdict
	Candidates []Cause // best first, at most MaxCauses
	Margin     int64   // of the first before the second, in milli-nats
	Confident  bool    // the margin is wide enough for people to be told a name
	Learned    uint32  // earlier incidents on which the scores rest
	Looked     uint32  // items that were weighed, of those of which something was said: the ones on which there is most evidence
	Of         uint32  // how many those are
	Verdict    Verdict
	VerdictOn  string // ID of the item that the verdict names
	VerdictBy  string
	VerdictAt  Time
}

// Cause is a configuration item that may be an incident's root cause, and why.
type Cause struct {
	CI     string        // its ID
	Score  int64         // in milli-nats
	Share  uint16        // of the candidates' weight, in thousandths
	Ledger []LedgerEntry // the heaviest evidence first
	Signs  []uint64      // hashes of what it said that weighs most; the lowest bit tells late from early
}

// Verdict is what a person said of the machine's cause.
type Verdict uint8

// Verdicts. The first is none.
const (
	NoVerdict Verdict = iota
	CauseRight
	CauseWrong
	CauseOther // it was another item
)

// String returns the verdict's name in the API.
func (v Verdict) String() string {
	return [...]string{"", "right", "wrong", "other"}[min(v, CauseOther)]
}
