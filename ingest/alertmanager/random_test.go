package alertmanager

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// writer writes bodies by chance, from pieces in which decoders are known to differ. Most are sound.
type writer struct {
	*rand.Rand
	strings.Builder
}

func (w *writer) pick(pieces ...string) { w.WriteString(pieces[w.IntN(len(pieces))]) }

// rarely is true once in n times.
func (w *writer) rarely(n int) bool { return w.IntN(n) == 0 }

func (w *writer) space() {
	if w.rarely(8) {
		w.pick(" ", "\n\t", "  \r\n", " ")
	}
}

func (w *writer) list(opening, closing string, atLeast, atMost int, item func()) {
	w.WriteString(opening)
	for i := range atLeast + w.IntN(atMost-atLeast+1) {
		if i > 0 {
			w.WriteString(",")
		}
		w.space()
		item()
		w.space()
	}
	w.WriteString(closing)
}

func (w *writer) text() {
	w.pick(
		`"a"`, `"b"`, `"c"`, `"alertname"`, `"ab"`, `"severity"`, `"\u0061"`, `""`, `"äöü€😀"`, `"\ud83d\ude00"`, `"\ud800\ud800"`,
		`"\udc00x"`, `"\ud83d\u0041"`, `"a\"\\\/\b\f\n\r\t"`, "\"\xff\xc3(\xe2\x82\"", "\"\\u00e9\xa9\x80\"", `"`+strings.Repeat("x", 40)+`"`,
		`"`+strings.Repeat("é", 9)+`\n"`, `"\u0000"`,
	)
}

func (w *writer) time() {
	w.pick(
		`"2026-11-20T22:23:29.496Z"`, `"2026-11-20T22:27:29.496000001+00:00"`, `"2026-11-20T23:27:29+01:00"`, `"0001-01-01T00:00:00Z"`,
		`"0001-01-01T00:00:00+14:00"`, `"2100-02-29T00:00:00Z"`, `"2096-02-29T23:59:59.9Z"`, `""`, `null`, `"2026-11-20T22:30:00.001Z"`,
		`"2026-11-20T22:30:00Z"`, `"1969-12-31T23:59:59Z"`, `"2026-11-20 22:00:00"`, `"2026-11-20T22:24:59,5Z"`, `"0000-03-01T00:00:00-23:59"`,
		`"9999-12-31T23:59:59.999999999Z"`, `"2026-11-20T22:00:00.123+0100"`, `"2026\u002d11-20"`,
	)
}

func (w *writer) set() {
	if w.rarely(30) {
		w.pick("null", "{}", "[]", "5")
		return
	}
	w.list("{", "}", 0, 6, func() {
		w.text()
		w.WriteString(":")
		if w.rarely(60) {
			w.value(0)
			return
		}
		w.text()
	})
}

func (w *writer) value(depth int) {
	if depth > 3 || !w.rarely(4) {
		w.pick("null", "true", "false", "0", "-0.5e+10", "1e999", "12345678901234567890123", `"x\u0041"`, "[]", "{}")
		return
	}
	if w.rarely(2) {
		w.list("[", "]", 0, 3, func() { w.value(depth + 1) })
		return
	}
	w.list("{", "}", 0, 3, func() {
		w.text()
		w.WriteString(":")
		w.value(depth + 1)
	})
}

// damage breaks a body now and then.
func (w *writer) damage() string {
	body := w.String()
	if !w.rarely(10) || body == "" {
		return body
	}
	at := w.IntN(len(body))
	switch w.IntN(3) {
	case 0:
		return body[:at]
	case 1:
		return body[:at] + string(rune(w.IntN(128))) + body[at:]
	}
	return body[:at] + body[at+1:]
}

func (w *writer) alert() {
	if w.rarely(40) {
		w.value(0)
		return
	}
	w.list("{", "", 1, 5, w.field)
	w.pick(
		`,"labels":{"x":"y"},"status":"resolved"}`, `,"labels":{"x":"y","c":""},"status":"firing"}`,
		`,"status":"firing","LABELS":{"a":"\u0041"}}`, `}`,
	)
}

func (w *writer) field() {
	switch w.IntN(8) {
	case 0, 1:
		w.pick(`"labels":`, `"LABELS":`, "\"label\u017f\":", `"l\u0061bels":`)
		w.set()
	case 2:
		w.pick(`"annotations":`, `"Annotations":`)
		w.set()
	case 3:
		w.WriteString(`"startsAt":`)
		w.time()
	case 4:
		w.pick(`"endsAt":`, `"ENDSAT":`)
		w.time()
	case 5:
		w.WriteString(`"generatorURL":`)
		w.pick(`"http://h:1/x?y"`, `"http://h:1/x?y"`, `"/p"`, `"https://u@h/%41#%"`, `null`, `""`, `"http://h/\u0020"`, `"nope"`, `"http://h/%4"`)
	case 6:
		w.pick(`"labelss":`, `"":`, `"values":`, `"fingerprint":`)
		w.value(0)
	case 7:
		w.pick(`"status":"resolved"`, `"status":"firing"`, `"STATUS":null`, `"status":"x"`)
	}
}

func TestRandomAlertsReadAsByEncodingJSON(t *testing.T) {
	accepted := 0
	for seed := range uint64(5_000) {
		w := &writer{Rand: rand.New(rand.NewPCG(seed, 0))}
		w.list("[", "]", 0, 4, w.alert)
		body := w.damage()
		expected := plainDecodeAlerts([]byte(body))
		b := batchOf(body)
		r := DecodeAlerts(b, testNow, unlimited)
		expected.require(t, body, b, r)
		accepted += len(b.Events)
	}
	require.Greater(t, accepted, 2_000)
}

func TestRandomWebhooksReadAsByEncodingJSON(t *testing.T) {
	accepted := 0
	for seed := range uint64(5_000) {
		w := &writer{Rand: rand.New(rand.NewPCG(seed, 1))}
		w.list("{", "", 1, 3, w.messageField)
		w.pick(`,"alerts":`, `,"Alerts":`, `,"alerts":null,"alerts":`, `,"alerts":[{}],"alerts":`)
		w.list("[", "]", 0, 4, w.alert)
		w.pick(`,"version":"4"}`, `,"version":"4"}`, `,"version":"1"}`, `}`)
		body := w.damage()
		message, expected := plainDecodeWebhook([]byte(body))
		b := batchOf(body)
		got, r := DecodeWebhook(b, unlimited)
		require.Equal(t, message, got, "%q", body)
		expected.require(t, body, b, r)
		accepted += len(b.Events)
	}
	require.Greater(t, accepted, 1_000)
}

func (w *writer) messageField() {
	w.pick(`"receiver":`, `"Receiver":`, `"externalURL":`, `"groupKey":`, `"orgId":1,"x":`, `"truncatedAlerts":7,"x":`, `"groupLabels":`)
	w.text()
}
