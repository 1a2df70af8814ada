package cmdb

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

// The estate that the goals are about: 50,000 items with 250,000 relations.
const (
	estateItems     = 50_000
	estateRelations = 5 // of each
)

func estate() []event.CI {
	cis := make([]event.CI, estateItems)
	for i := range cis {
		id := func(step int) string { return fmt.Sprintf("host-%05d", (i+step)%estateItems) }
		cis[i] = event.CI{ID: id(0), Class: "host", Name: id(0) + ".example.org", State: event.CILive, Needs: 2,
			Attributes: event.Labels{{Name: "location", Value: fmt.Sprintf("rack %d", i%100)}, {Name: "owner", Value: fmt.Sprintf("team-%d", i%20)}},
			Relations: []event.Relation{{Kind: event.DependsOn, To: id(1)}, {Kind: event.DependsOn, To: id(2)}, {Kind: event.DependsOn, To: id(3)},
				{Kind: event.HostedOn, To: id(7)}, {Kind: event.PartOf, To: fmt.Sprintf("cluster-%d", i%100)}}}
	}
	return cis
}

func estateYAML(tb testing.TB) []byte {
	var b bytes.Buffer
	require.NoError(tb, Write(&b, func(yield func(event.CI) bool) {
		for _, ci := range estate() {
			if !yield(ci) {
				return
			}
		}
	}))
	return b.Bytes()
}

func estateJSON(tb testing.TB) []byte {
	type item map[string]any
	var items []item
	for _, ci := range estate() {
		it := item{"id": ci.ID, "class": ci.Class, "name": ci.Name, "needs": ci.Needs, "attributes": ci.Attributes.Map()}
		for _, r := range ci.Relations {
			list, _ := it[r.Kind.String()].([]string)
			it[r.Kind.String()] = append(list, r.To)
		}
		items = append(items, it)
	}
	text, err := json.MarshalIndent(map[string]any{"cis": items}, "", "  ")
	require.NoError(tb, err)
	return text
}

func estateCSV() []Text {
	var items, relations strings.Builder
	items.WriteString("id,class,name,needs,location,owner\n")
	relations.WriteString("from,kind,to\n")
	for _, ci := range estate() {
		fmt.Fprintf(&items, "%s,%s,%s,%d,%s,%s\n", ci.ID, ci.Class, ci.Name, ci.Needs, ci.Attributes.Get("location"), ci.Attributes.Get("owner"))
		for _, r := range ci.Relations {
			fmt.Fprintf(&relations, "%s,%s,%s\n", ci.ID, r.Kind, r.To)
		}
	}
	return []Text{{"cis.csv", []byte(items.String())}, {"relations.csv", []byte(relations.String())}}
}

func benchmarkParse(b *testing.B, texts ...Text) {
	size := 0
	for _, t := range texts {
		size += len(t.Data)
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	before := cpuTime(b)
	defer func() { b.ReportMetric((cpuTime(b)-before).Seconds()/float64(b.N), "cpu-s/op") }()
	for b.Loop() {
		res, err := Parse(Input{Texts: texts})
		require.NoError(b, err)
		require.Len(b, res.CIs, estateItems)
		require.Len(b, res.CIs[0].Relations, estateRelations)
	}
}

// cpuTime is what this process has used so far: the goals are single-threaded, and on a shared machine the wall clock tells of the
// neighbours.
func cpuTime(tb testing.TB) time.Duration {
	var u syscall.Rusage
	require.NoError(tb, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func BenchmarkAnEstateInNativeYAML(b *testing.B) {
	benchmarkParse(b, Text{"cmdb.yml", estateYAML(b)})
}

func BenchmarkAnEstateInJSON(b *testing.B) { benchmarkParse(b, Text{"cmdb.json", estateJSON(b)}) }

func BenchmarkAnEstateInCSV(b *testing.B) { benchmarkParse(b, estateCSV()...) }
