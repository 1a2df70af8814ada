package simulate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

const (
	// shapes is prime, so that no batch size falls into step with it.
	shapes = 509
	// timeLayout is how Prometheus writes times; it is always stampLen bytes in UTC.
	timeLayout = "2006-01-02T15:04:05.000Z"
	stampLen   = len(timeLayout)
	// Holes: words that occur nowhere else, as wide as what replaces them.
	indexHole = "{{index}}"
	traceHole = "{{trace-16-hex}}"
	endsHole  = "{{ends-at-in-24-bytes-}}"
)

// Alerts renders alerts as Prometheus posts them: 10 labels, 3 annotations,
// about 860 bytes. Alert i is a pure function of (seed, start, i): the same i
// has the same labels, annotations and startsAt every time, and two indices
// below 1e9 differ in the label instance and in the annotation description.
// An Alerts never changes; any number of goroutines may use it.
type Alerts struct {
	base   uint64 // of the trace ids
	shapes []shape
}

// shape is one alert rendered but for the parts that differ between indices.
type shape struct {
	text    []byte
	indices []int // offsets of len(indexHole) decimal digits
	trace   int   // offset of 16 hexadecimal digits
	ends    int   // offset of stampLen bytes
}

// NewAlerts prepares a stream. startsAt of every alert lies in the 90 s before start.
func NewAlerts(seed uint64, start time.Time) *Alerts {
	random := rand.New(rand.NewPCG(seed, 860))
	a := &Alerts{base: mix(seed), shapes: make([]shape, shapes)}
	for i := range a.shapes {
		starts := start.Add(-time.Duration(i) * 173 * time.Millisecond)
		a.shapes[i] = newShape(randomAlert(random, starts))
	}
	return a
}

// Append appends alert i, one JSON object, ending at the stamp ends (see Stamp).
// It allocates only when dst must grow.
func (a *Alerts) Append(dst []byte, i uint64, ends []byte) []byte {
	s := &a.shapes[i%shapes]
	at := len(dst)
	dst = append(dst, s.text...)
	alert := dst[at:]
	copy(alert[s.ends:s.ends+stampLen], ends)
	putHex(alert[s.trace:], mix(a.base+i))
	first := alert[s.indices[0]:][:len(indexHole)]
	putDecimal(first, i)
	for _, offset := range s.indices[1:] {
		copy(alert[offset:], first)
	}
	return dst
}

// Instance is the value of the label instance of alert i.
func (a *Alerts) Instance(i uint64) string {
	var alert struct {
		Labels map[string]string `json:"labels"`
	}
	if err := json.Unmarshal(a.Append(nil, i, Stamp(time.Time{})), &alert); err != nil {
		panic(fmt.Sprintf("simulate: alert %d is not JSON: %v", i, err)) // the shape was marshalled by encoding/json
	}
	return alert.Labels["instance"]
}

// Stamp is a time as Append wants it: RFC 3339, UTC, milliseconds.
func Stamp(t time.Time) []byte {
	return t.UTC().AppendFormat(make([]byte, 0, stampLen), timeLayout)
}

func newShape(alert postable) shape {
	text, err := json.Marshal(alert)
	if err != nil {
		panic(fmt.Sprintf("simulate: marshal: %v", err)) // strings and maps of strings only
	}
	s := shape{
		text:  text,
		trace: bytes.Index(text, []byte(traceHole)),
		ends:  bytes.Index(text, []byte(endsHole)),
	}
	for at := 0; ; {
		next := bytes.Index(text[at:], []byte(indexHole))
		if next < 0 {
			return s
		}
		s.indices = append(s.indices, at+next)
		at += next + len(indexHole)
	}
}

// putDecimal fills dst with v, zero-padded; higher digits than dst holds are lost.
func putDecimal(dst []byte, v uint64) {
	for i := len(dst) - 1; i >= 0; i-- {
		dst[i] = byte('0' + v%10)
		v /= 10
	}
}

func putHex(dst []byte, v uint64) {
	for i := range len(traceHole) {
		dst[i] = "0123456789abcdef"[v>>60]
		v <<= 4
	}
}

// mix is the finalizer of SplitMix64 (Steele, Lea, Flood 2014): neighbouring
// indices get texts that share nothing, as trace ids do.
func mix(v uint64) uint64 {
	v += 0x9e3779b97f4a7c15
	v = (v ^ v>>30) * 0xbf58476d1ce4e5b9
	v = (v ^ v>>27) * 0x94d049bb133111eb
	return v ^ v>>31
}

// postable has its fields in the order Prometheus sends them.
type postable struct {
	Annotations  map[string]string `json:"annotations"`
	EndsAt       string            `json:"endsAt"`
	StartsAt     string            `json:"startsAt"`
	GeneratorURL string            `json:"generatorURL"`
	Labels       map[string]string `json:"labels"`
}

func randomAlert(random *rand.Rand, starts time.Time) postable {
	k := pick(random, kinds)
	service, region := pick(random, services), pick(random, regions)
	node := "node-" + indexHole
	return postable{
		Annotations: map[string]string{
			"summary":     k.summary + " (" + service + ", " + region + ")",
			"runbook_url": "https://runbooks.example.net/" + service + "/" + strings.ToLower(k.name),
			"description": fmt.Sprintf("%s on %s of %s: measured %.2f against the threshold, trace %s",
				k.summary, node, service, 100*random.Float64(), traceHole),
		},
		EndsAt:       endsHole,
		StartsAt:     string(Stamp(starts)),
		GeneratorURL: "http://prometheus." + region + ".example.net:9090/graph?g0.expr=" + k.query + "&g0.tab=1",
		Labels: map[string]string{
			"alertname": k.name,
			"cluster":   region + "-" + pick(random, []string{"a", "b", "c"}),
			"env":       pick(random, []string{"production", "production", "staging"}),
			"instance":  node + "." + region + ".example.net:9100",
			"job":       k.job,
			"namespace": service + "-" + pick(random, []string{"blue", "green"}),
			"region":    region,
			"service":   service,
			"severity":  pick(random, []string{"critical", "warning", "warning", "info"}),
			"team":      pick(random, []string{"core", "edge", "payments", "platform", "storage"}),
		},
	}
}

func pick[T any](random *rand.Rand, from []T) T { return from[random.IntN(len(from))] }
