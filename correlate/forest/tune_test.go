package forest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/tocsin-noc/tocsin/correlate/cause"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/itsm"
)

type topo struct {
	up   [][]itsm.Near
	deps []uint32
}

func (t *topo) Upstream(ci uint32, _ uint8, _ int, dst []itsm.Near) []itsm.Near {
	if int(ci) >= len(t.up) {
		return dst
	}
	return append(dst, t.up[ci]...)
}
func (t *topo) DependentCount(ci uint32) uint32 { return t.deps[ci] }

func load(dir string) (*topo, map[string]uint32, map[string]string) {
	var doc struct {
		CIs       []struct{ ID, Class string }
		Relations []struct{ From, Type, To string }
	}
	b, err := os.ReadFile(dir + "/topology.json")
	if err != nil {
		panic(err)
	}
	if err := json.Unmarshal(b, &doc); err != nil {
		panic(err)
	}
	ids, class := map[string]uint32{}, map[string]string{}
	for _, c := range doc.CIs {
		ids[c.ID] = uint32(len(ids) + 1)
		class[c.ID] = c.Class
	}
	t := &topo{up: make([][]itsm.Near, len(ids)+2), deps: make([]uint32, len(ids)+2)}
	type edge struct {
		to         uint32
		back, part bool
	}
	out := make([][]edge, len(ids)+2)
	for _, r := range doc.Relations {
		a, b := ids[r.From], ids[r.To]
		out[a] = append(out[a], edge{b, false, r.Type == "part_of"})
		t.deps[b]++
		if r.Type == "part_of" && os.Getenv("NOBACK") == "" {
			out[b] = append(out[b], edge{a, true, true})
		}
	}
	for ci := range out {
		seen := map[uint32]bool{uint32(ci): true}
		for _, e := range out[ci] {
			if !seen[e.to] {
				seen[e.to] = true
				t.up[ci] = append(t.up[ci], itsm.Near{Item: e.to, Hops: 1})
			}
		}
		for _, e := range out[ci] {
			for _, e2 := range out[e.to] {
				if e.part && e2.part || seen[e2.to] {
					continue
				}
				seen[e2.to] = true
				t.up[ci] = append(t.up[ci], itsm.Near{Item: e2.to, Hops: 2})
			}
		}
	}
	return t, ids, class
}

func TestTune(t *testing.T) {
	dir := os.Getenv("SCEN")
	if dir == "" {
		dir = "../../../shared/data/scenarios/cloudbed-1"
	}
	tp, ids, classes := load(dir)
	cl0 := &classy{class: map[uint32]int64{}, inst: map[uint32][]uint32{}, svc: map[uint32][]uint32{}}
	pop := map[string]uint32{}
	for id, c := range classes {
		pop[c]++
		switch c {
		case "Host":
			cl0.class[ids[id]] = 2000
		case "Service", "Cache":
			cl0.class[ids[id]] = 1000
		default:
			cl0.class[ids[id]] = 1000
		}
	}
	rels(dir, func(from, typ, to string) {
		if typ == "part_of" {
			cl0.inst[ids[to]] = append(cl0.inst[ids[to]], ids[from])
			cl0.svc[ids[from]] = append(cl0.svc[ids[from]], ids[to])
		}
	})
	book := cause.New()
	label := map[uint32]uint32{} // cluster slot -> label
	cp := cause.Defaults()
	names := map[uint32]string{}
	for id, n := range ids {
		names[n] = id
	}
	ranked := map[uint32][]cause.Candidate{} // by label
	margins := map[uint32]int64{}
	h := func(parts ...string) uint64 {
		d := xxhash.New()
		for _, x := range parts {
			d.WriteString(x)
			d.WriteString("|")
		}
		return d.Sum64()
	}
	note := func(c uint32) { l, m := book.Rank(c, cl0, nil, &cp, 5); ranked[label[c]] = l; margins[label[c]] = m }
	_ = note
	n := uint32(len(ids))
	f := New()
	p := Defaults()
	comp := map[string]uint32{}
	fa, _ := os.Open(dir + "/alerts.ndjson")
	ft, _ := os.Open(dir + "/truth.ndjson")
	sa, st := bufio.NewScanner(fa), bufio.NewScanner(ft)
	sa.Buffer(nil, 1<<20)
	var got []uint32
	var want []string
	alias := map[uint32]uint32{}
	var resolve func(uint32) uint32
	resolve = func(x uint32) uint32 {
		for alias[x] != 0 {
			x = alias[x]
		}
		return x
	}
	next := uint32(0)
	kinds := map[event.PlaceKind]int{}
	stat := map[string][4]int{}
	lastFault := map[uint32]string{}
	reonsets, adopts, silents := 0, 0, 0
	traceKinds, traceSeen := map[uint64]uint32{}, map[uint64]bool{}
	var hist []struct {
		s  cause.Signature
		at event.Time
	}
	type last struct {
		at   event.Time
		line int
	}
	begin := time.Now()
	var spent time.Duration
	for sa.Scan() && st.Scan() {
		var a struct {
			At       time.Time
			Labels   map[string]string
			StartsAt time.Time
		}
		var tr struct{ Fault *string }
		json.Unmarshal(sa.Bytes(), &a)
		json.Unmarshal(st.Bytes(), &tr)
		w := fmt.Sprintf("noise%d", len(want))
		if tr.Fault != nil {
			w = *tr.Fault
		}
		want = append(want, w)
		sys := a.Labels["system"]
		if comp[sys] == 0 {
			comp[sys] = f.AddComponent("main", sys, 1, 1)
		}
		at := event.FromTime(a.StartsAt)
		ci := ids[a.Labels["ci"]]
		t0 := time.Now()
		// settle
		for c := uint32(1); c < f.clusters.Len(); c++ {
			if cl := f.clusters.At(c); cl.root != 0 && at-cl.last > p.SettleAfter {
				note(c)
				book.Learn(c, cl.component)
				f.Settle(c)
				delete(label, c)
			}
		}
		o := Onset{Item: ci, Component: comp[sys], At: at, Size: n, Estate: n}
		d := f.Decide(o, tp, &p)
		kinds[d.Kind]++
		{
			k := fmt.Sprint(d.Kind)
			other := ""
			switch d.Kind {
			case event.PlaceEdge:
				k += fmt.Sprint(d.Hops, " gap<", []int{5, 15, 30, 60, 120, 300, 9999}[slices.IndexFunc([]int{5, 15, 30, 60, 120, 300, 999999}, func(x int) bool { return int(d.Gap/1000) < x })])
				other = lastFault[d.From]
			case event.PlaceSame:
				k += fmt.Sprint(" gap<", []int{5, 15, 30, 60, 120, 300, 9999}[slices.IndexFunc([]int{5, 15, 30, 60, 120, 300, 999999}, func(x int) bool { return int(d.Gap/1000) <= x })])
				other = lastFault[ci]
			}
			st := stat[k]
			switch {
			case other == w:
				st[0]++
			case tr.Fault == nil:
				st[1]++
			case len(other) > 5 && other[:5] == "noise":
				st[2]++
			default:
				st[3]++
			}
			stat[k] = st
			lastFault[ci] = w
		}
		m := f.Apply(&d, uint32(len(got)+1), tp)
		if m.Created {
			next++
			label[m.Into] = next
		}
		got = append(got, label[m.Into])
		if d.Kind != event.PlaceSame {
			for _, ad := range f.Adoptions(ci, &p, &o) {
				adopts++
				ga := f.items.At(ad.Item).cluster
				la, lb := label[ga], label[f.items.At(ci).cluster]
				ad.Cluster = f.items.At(ci).cluster
				mm := f.Apply(&ad, 0, tp)
				if la != lb {
					alias[la] = lb
				}
				label[mm.Into] = lb
			}
		}
		if d.Kind == event.PlaceRoot {
			if y, _, roots := f.Silent(&o, tp, &p); y != 0 {
				silents++
				v := event.Placement{Kind: event.PlaceVirtual, Item: y, Component: o.Component, At: at}
				mv := f.Apply(&v, 0, tp)
				next++
				label[mv.Into] = next
				for _, r := range roots {
					into := f.items.At(y).cluster
					ga := f.items.At(r).cluster
					if ga == into {
						continue
					}
					ad := event.Placement{Kind: event.PlaceEdge, Cluster: into, Item: r, Component: o.Component, From: y, Hops: 1, At: at}
					la, lb := label[ga], label[into]
					mm := f.Apply(&ad, 0, tp)
					if la != lb {
						alias[la] = lb
					}
					label[mm.Into] = lb
				}
			}
		}
		cl := f.items.At(ci).cluster
		sig := func() cause.Signature {
			L := a.Labels
			switch {
			case L["peer"] != "":
				return cause.Signature{Item: ids[L["peer"]], Kind: cause.Trace, Hash: h("t", L["ci"], L["peer"], L["operation"], L["alertname"]), KindHash: h("tk", L["alertname"], fmt.Sprint(L["ci"] == L["peer"])), Population: 20}
			case L["direction"] != "":
				return cause.Signature{Item: ci, Kind: cause.Metric, Hash: h("m", L["ci"], L["alertname"], L["direction"]), KindHash: h("mk", classes[L["ci"]], L["alertname"], L["direction"]), Population: pop[classes[L["ci"]]]}
			}
			return cause.Signature{Item: ci, Hash: h("o", L["ci"], L["alertname"]), KindHash: h("ok", classes[L["ci"]], L["alertname"]), Population: pop[classes[L["ci"]]]}
		}()
		if sig.Kind == cause.Trace {
			traceKinds[sig.KindHash] = max(traceKinds[sig.KindHash], 0)
			if !traceSeen[sig.Hash] {
				traceSeen[sig.Hash] = true
				traceKinds[sig.KindHash]++
			}
			sig.Population = max(20, traceKinds[sig.KindHash])
		}
		hist = append(hist, struct {
			s  cause.Signature
			at event.Time
		}{sig, at})
		if nal, nits, sc := f.Reonset(cl, at, &p); sc > 0 {
			note(cl)
			book.Learn(cl, f.clusters.At(cl).component)
			reonsets++
			if os.Getenv("DBG") != "" {
				fmt.Println("reonset", len(got), want[len(got)-1], "age", (at-f.clusters.At(cl).first)/1000, "k", nal, "items", nits, "m", f.bursts.At(f.clusters.At(cl).burst).before(at))
			}
			pd := event.Placement{Kind: event.PlaceRoot, Cluster: cl, Item: ci, From: ci, Component: o.Component, At: at, Expected: n - 1}
			nc, al := f.Part(&pd)
			next++
			label[nc] = next
			for _, x := range al {
				got[x-1] = next
				if int(x) != len(hist) {
					book.Observe(nc, o.Component, x, &hist[x-1].s, hist[x-1].at, at, &cp)
				}
			}
			cl = nc
		}
		book.Observe(cl, o.Component, uint32(len(got)), &sig, at, at, &cp)
		spent += time.Since(t0)
	}
	for c := uint32(1); c < f.clusters.Len(); c++ {
		if f.clusters.At(c).root != 0 {
			note(c)
		}
	}
	// pairwise
	type key struct {
		g uint32
		w string
	}
	cell, gs, ws := map[key]int{}, map[uint32]int{}, map[string]int{}
	for i := range got {
		g := resolve(got[i])
		cell[key{g, want[i]}]++
		gs[g]++
		ws[want[i]]++
	}
	pairs := func(n int) float64 { return float64(n) * float64(n-1) / 2 }
	tp2, gp, wp := 0.0, 0.0, 0.0
	for _, c := range cell {
		tp2 += pairs(c)
	}
	for _, c := range gs {
		gp += pairs(c)
	}
	for _, c := range ws {
		wp += pairs(c)
	}
	prec, rec := tp2/gp, tp2/wp
	fmt.Printf("alerts %d clusters %d faults %d P %.4f R %.4f F1 %.4f kinds %v reonsets %d adopts %d silent %d took %v (%v per alert)\n", len(got), len(gs), len(ws), prec, rec, 2*prec*rec/(prec+rec), kinds, reonsets, adopts, silents, time.Since(begin), spent/time.Duration(len(got)))
	{
		var faults []struct {
			ID   string
			Root []string
			Kind string
		}
		fb, _ := os.ReadFile(dir + "/faults.json")
		json.Unmarshal(fb, &faults)
		most := map[string]struct {
			g uint32
			n int
		}{}
		for k, n := range cell {
			if m := most[k.w]; n > m.n || n == m.n && k.g < m.g {
				most[k.w] = struct {
					g uint32
					n int
				}{k.g, n}
			}
		}
		t1, t3, rr, ans, right := 0, 0, 0.0, 0, 0
		for _, fl := range faults {
			g := most[fl.ID].g
			pos := 0
			for i, c := range ranked[g] {
				if slices.Contains(fl.Root, names[c.Item]) {
					pos = i + 1
					break
				}
			}
			if pos == 1 {
				t1++
			}
			if pos >= 1 && pos <= 3 {
				t3++
			}
			if pos > 0 {
				rr += 1 / float64(pos)
			}
			if margins[g] >= cp.Margin {
				ans++
				if pos == 1 {
					right++
				}
			}
			if os.Getenv("DBG") == "2" {
				fmt.Print(fl.ID, " ", fl.Kind, fl.Root, " pos ", pos, " margin ", margins[g])
				for _, c := range ranked[g] {
					fmt.Print(" ", names[c.Item], ":", c.Score)
				}
				fmt.Println()
			}
		}
		n := float64(len(faults))
		fmt.Printf("top1 %.3f top3 %.3f mrr %.3f answered %.2f precision %.2f\n", float64(t1)/n, float64(t3)/n, rr/n, float64(ans)/n, float64(right)/float64(ans))
	}
	if os.Getenv("DBG") == "1" {
		byF := map[string][]string{}
		for k, n := range cell {
			byF[k.w] = append(byF[k.w], fmt.Sprintf("%d:%d", k.g, n))
		}
		for w, l := range byF {
			if len(l) > 1 {
				fmt.Println("split", w, l)
			}
		}
		byG := map[uint32][]string{}
		for k, n := range cell {
			byG[k.g] = append(byG[k.g], fmt.Sprintf("%s:%d", k.w[len(k.w)-3:], n))
		}
		for w, l := range byG {
			if len(l) > 1 {
				fmt.Println("mixed", w, l)
			}
		}
	}
	if os.Getenv("DBG") == "3" {
		for k, st := range stat {
			fmt.Println("S", k, "right", st[0], "noise joins", st[1], "joins noise", st[2], "other fault", st[3])
		}
	}
	for c, s := range comp {
		fmt.Println(c, "alpha", f.components.At(s).alpha())
	}
}

func debugCells[K comparable](cell map[K]int) {}

type classy struct {
	class     map[uint32]int64
	inst, svc map[uint32][]uint32
}

func (c *classy) Weight(i uint32) int64                { return c.class[i] }
func (c *classy) Parts(s uint32, d []uint32) []uint32  { return append(d, c.inst[s]...) }
func (c *classy) Wholes(s uint32, d []uint32) []uint32 { return append(d, c.svc[s]...) }
func rels(dir string, fn func(a, b, c string)) {
	var doc struct {
		Relations []struct{ From, Type, To string }
	}
	b, _ := os.ReadFile(dir + "/topology.json")
	json.Unmarshal(b, &doc)
	for _, r := range doc.Relations {
		fn(r.From, r.Type, r.To)
	}
}
