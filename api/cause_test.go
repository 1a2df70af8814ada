package api

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

func TestACauseIsCalledLikelyOnlyWhenItIsEarned(t *testing.T) {
	three := []CauseCandidate{{CI: "db-3"}, {CI: "db-4"}, {CI: "db-5"}}
	for _, test := range []struct {
		name                string
		cause               Cause
		state, ci, sentence string
	}{
		{"nobody has judged yet", Cause{Confident: true, Learned: 30}, "likely", "db-3", "likely: db-3"},
		{"the record is good", Cause{Confident: true, Learned: 99, Record: CauseRecord{40, 31}}, "likely", "db-3", "likely: db-3 (right in 31 of 40)"},
		{"it is just good enough", Cause{Confident: true, Learned: 99, Record: CauseRecord{10, 7}}, "likely", "db-3", "likely: db-3 (right in 7 of 10)"},
		{"it is not", Cause{Confident: true, Learned: 99, Record: CauseRecord{40, 27}}, "unsure", "", "no confident cause, 3 candidates; right in only 27 of 40"},
		{"the margin is narrow", Cause{Learned: 99, Record: CauseRecord{40, 40}}, "unsure", "", "no confident cause, 3 candidates"},
		{"too few incidents were seen", Cause{Confident: true, Learned: 29, Record: CauseRecord{40, 40}}, "learning", "", "still learning (29)"},
		{"a person agrees", Cause{Verdict: "right", VerdictOn: "db-3", VerdictBy: "ann"}, "right", "db-3", "it was db-3, says ann"},
		{"a person knows better", Cause{Confident: true, Learned: 99, Verdict: "other", VerdictOn: "db-9", VerdictBy: "ann"}, "other", "db-9", "it was db-9, says ann"},
		{"a person says no", Cause{Confident: true, Learned: 99, Verdict: "wrong", VerdictOn: "db-3", VerdictBy: "ann"}, "wrong", "", "it was not db-3, says ann"},
	} {
		test.cause.Candidates, test.cause.Learning = three, 30
		test.cause.judge()
		require.Equal(t, []string{test.state, test.ci, test.sentence}, []string{test.cause.State, test.cause.CI, test.cause.Sentence}, test.name)
	}
	none := Cause{Learned: 99, Confident: true}
	none.judge()
	require.Equal(t, "none", none.State)
}

func TestEvidenceIsToldInSentences(t *testing.T) {
	for want, l := range map[string]event.LedgerEntry{
		"It says Down on db-1, first of all, which it said in no earlier incident.":       {Kind: "surprise", Operands: []string{"Down", "db-1", "0s", "0"}},
		"It says Down, 15 s after the first alert, which it said in 3 earlier incidents.": {Kind: "surprise", Operands: []string{"Down", "", "15.2s", "3"}},
		"It says 4 different things.":                         {Kind: "says", Operands: []string{"4"}},
		"It alarmed itself; 1 item that rests on it alarmed.": {Kind: "topology", Operands: []string{"1", "0", "false"}},
		"It says nothing itself; 3 items that rest on it alarmed, 2 items that rest directly on it did not.": {Kind: "topology", Operands: []string{"3", "2", "true"}},
		"It alarmed itself; 511 items that rest on it alarmed, 89 items that rest directly on it did not; of 601 items of the group the first 512 were looked at for that.": {
			Kind: "topology", Operands: []string{"511", "89", "false", "512", "601"}},
		"What its parts say is too little to count.": {Kind: "parts", MilliNats: -1},
		"weather rain, wind":                         {Kind: "weather", Operands: []string{"rain", "wind"}},
	} {
		require.Equal(t, want, evidence(l))
	}
}
