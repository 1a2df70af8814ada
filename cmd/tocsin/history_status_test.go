package main

import (
	"bytes"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/api"
)

func TestAHistoryThatStandsStillIsNotCalledEven(t *testing.T) {
	said := func(fault string) string {
		var b bytes.Buffer
		s := &api.HistoryStatus{}
		s.Fault = fault
		require.NoError(t, (&printer{out: &b, err: io.Discard}).historyStatus(s))
		return b.String()
	}
	require.Contains(t, said(""), "even with what happens")
	require.NotContains(t, said("no library"), "even with")
	require.Contains(t, said("no library"), "not known until its database answers")
}
