package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/internal/peers"
)

// bulky makes n alerts with so many bytes of text each; they open no incident.
func bulky(prefix string, n, textBytes int) []alert {
	alerts := make([]alert, n)
	for i, name := range names(prefix, n) {
		alerts[i] = firing("Bulky", name)
		alerts[i].Labels["severity"] = "info"
		alerts[i].Annotations = map[string]string{"text": strings.Repeat("x", textBytes)}
	}
	return alerts
}

func TestAGreatBodyIsTakenAndATooGreatOneNamesTheLimit(t *testing.T) {
	t.Parallel()
	d := peers.Tocsin(t)
	mustPost(t, d.URL, bulky("great", 5000, 2000)...) // 10 MB

	status, answer := post(d.URL, bulky("too-great", 5000, 4000)...) // 20 MB
	require.Equal(t, http.StatusRequestEntityTooLarge, status, string(answer))
	require.Contains(t, string(answer), "limits.body_bytes")

	status, answer = post(d.URL, bulky("too-many", 10_001, 0)...)
	require.Equal(t, http.StatusRequestEntityTooLarge, status, string(answer))
	require.Contains(t, string(answer), "alerts_per_request")

	mustPost(t, d.URL, firing("After", "after"))
	found := instances(t, d.URL)
	requireOnce(t, append(names("great", 5000), "after"), found)
	require.Len(t, found, 5001)
}

func TestOneBadAlertTakesNoOtherDown(t *testing.T) {
	t.Parallel()
	d := peers.Tocsin(t)
	alerts := bulky("neighbour", 500, 10)
	bad := time.Now().Add(time.Minute)
	before := bad.Add(-time.Hour)
	alerts[250].StartsAt, alerts[250].EndsAt = &bad, &before

	status, answer := post(d.URL, alerts...)
	require.Equal(t, http.StatusBadRequest, status)
	var message string
	require.NoError(t, json.Unmarshal(answer, &message), "Prometheus logs a JSON string: %s", answer)
	require.Contains(t, message, "start time")
	require.NotEmpty(t, message)

	found := instances(t, d.URL)
	want := slices.DeleteFunc(names("neighbour", 500), func(name string) bool { return name == "neighbour-250" })
	requireOnce(t, want, found)
	require.Len(t, found, 499)
}

func TestASourceOverItsCapIsHeldThereAndShown(t *testing.T) {
	t.Parallel()
	const limit, sent, batch = 1000, 20_000, 5000
	d := peers.Tocsin(t, config(t, fmt.Sprintf("limits: {alerts_per_source: %d}\n", limit))...)
	mustPost(t, d.URL, bulky("known", 10, 1)...)
	refusals := 0
	for i := range sent / batch {
		status, answer := post(d.URL, bulky(fmt.Sprintf("flood-%d", i), batch, 1)...)
		require.Equal(t, http.StatusBadRequest, status, string(answer))
		require.Contains(t, string(answer), "limits.alerts_per_source")
		refusals++
	}
	require.Equal(t, sent/batch, refusals)
	mustPost(t, d.URL, bulky("known", 10, 2)...) // what is known needs no room
	found := instances(t, d.URL)
	delete(found, "") // the alert about the source
	require.Len(t, found, limit)

	type source struct {
		Name    string `json:"name"`
		Active  int    `json:"active"`
		OverCap int    `json:"over_cap"`
	}
	list := get[struct {
		Sources []source `json:"sources"`
	}](t, d.URL+"/api/v1/sources")
	require.Contains(t, list.Sources, source{Name: "api-v2", Active: limit, OverCap: sent - (limit - 10)})

	await(t, "an incident about the source", func() bool {
		return slices.ContainsFunc(incidents(t, d.URL), func(i incident) bool {
			return i.Status == "open" && strings.Contains(i.Title, "TocsinSourceOverCap")
		})
	})
	requireSound(t, d.Data)
}
