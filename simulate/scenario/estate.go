package scenario

import (
	"fmt"
	"math/rand/v2"

	"github.com/tocsin-noc/tocsin/event"
)

// Classes of items in an estate.
const (
	classCore     = "router"
	classSwitch   = "switch"
	classRack     = "rack"
	classStorage  = "storage"
	classHost     = "host"
	classVM       = "vm"
	classPod      = "pod"
	classDatabase = "database"
	classService  = "service"
)

const (
	hostsPerRack  = 12
	fewestPerHost = 10
	mostPerHost   = 40
)

// estate is what a company runs, by numbers.
//
//	pod, vm ──hosted_on──▶ host ──hosted_on──▶ rack
//	   │                    └────depends_on──▶ switch ──depends_on──▶ router
//	   └─part_of─▶ service ──depends_on──▶ service, database ──hosted_on──▶ vm
//	                                              └─depends_on──▶ storage ──depends_on──▶ router
type estate struct {
	cis     []CI
	edges   []edge
	below   [][]int // items that rest on this one
	whole   []int   // the service that it is part of, -1 for none
	byClass map[string][]int
	random  *rand.Rand
}

type edge struct {
	from, to int
	kind     event.RelationKind
}

// newEstate makes an estate of n items.
func newEstate(n int, random *rand.Rand) *estate {
	e := &estate{byClass: map[string][]int{}, random: random}
	for range 2 + n/10_000 {
		e.add(classCore)
	}
	for range 1 + n/800 {
		e.relate(e.add(classStorage), event.DependsOn, e.any(classCore))
	}
	databases, services := n/120, n/25
	e.machines(n - len(e.cis) - databases - services)
	for range databases {
		db := e.add(classDatabase)
		e.relate(db, event.HostedOn, e.any(classVM))
		if random.Float64() < .4 {
			e.relate(db, event.DependsOn, e.any(classStorage))
		}
	}
	e.services(n - len(e.cis))
	e.members()
	return e
}

func (e *estate) add(class string) int {
	ci := len(e.cis)
	e.byClass[class] = append(e.byClass[class], ci)
	e.cis = append(e.cis, CI{ID: fmt.Sprintf("%s-%d", class, len(e.byClass[class])), Class: class})
	e.below, e.whole = append(e.below, nil), append(e.whole, -1)
	return ci
}

func (e *estate) relate(from int, kind event.RelationKind, to int) {
	e.edges = append(e.edges, edge{from, to, kind})
	e.below[to] = append(e.below[to], from)
}

// any returns an item of a class.
func (e *estate) any(class string) int { return pick(e.random, e.byClass[class]) }

// popular returns an item of a class, the first ones far more often: few databases serve many.
func (e *estate) popular(class string) int {
	list := e.byClass[class]
	u := e.random.Float64()
	return list[int(u*u*u*float64(len(list)))]
}

// machines adds racks of hosts, and what runs on them, n items in all. Every second host bears pods, the others virtual machines.
func (e *estate) machines(n int) {
	var rack, tor int
	for host := 0; n > 0; host++ {
		if host%hostsPerRack == 0 {
			rack, tor = e.add(classRack), e.add(classSwitch)
			e.relate(tor, event.DependsOn, e.any(classCore))
			n -= 2
		}
		at := e.add(classHost)
		e.relate(at, event.HostedOn, rack)
		e.relate(at, event.DependsOn, tor)
		n--
		class := classVM
		if host%2 == 1 {
			class = classPod
		}
		for range min(n, fewestPerHost+e.random.IntN(mostPerHost-fewestPerHost+1)) {
			e.relate(e.add(class), event.HostedOn, at)
			n--
		}
	}
}

// services adds n services in chains of three tiers: what people see rests on what computes, and that on databases and on what all share.
func (e *estate) services(n int) {
	shared := max(1, n/20)
	for i := range shared {
		s := e.add(classService)
		if i%2 == 0 {
			e.relate(s, event.DependsOn, e.popular(classDatabase))
		}
	}
	common := e.byClass[classService][:shared]
	for n -= shared; n > 0; {
		size := min(n, 6+e.random.IntN(7))
		n -= size
		e.chain(size, common)
	}
}

func (e *estate) chain(size int, common []int) {
	var tiers [3][]int
	for i := range size {
		tier := min(i*3/size, 2)
		tiers[tier] = append(tiers[tier], e.add(classService))
	}
	for tier, members := range tiers {
		for _, s := range members {
			if tier == 2 || len(tiers[tier+1]) == 0 {
				e.relate(s, event.DependsOn, e.popular(classDatabase))
			} else {
				first := e.random.IntN(len(tiers[tier+1]))
				for k := range min(1+e.random.IntN(2), len(tiers[tier+1])) {
					e.relate(s, event.DependsOn, tiers[tier+1][(first+k)%len(tiers[tier+1])])
				}
			}
			if e.random.Float64() < .2 {
				e.relate(s, event.DependsOn, pick(e.random, common))
			}
			if tier < 2 && e.random.Float64() < .3 {
				e.relate(s, event.DependsOn, e.popular(classDatabase))
			}
		}
	}
}

// members makes every pod, and every second virtual machine, part of a service.
func (e *estate) members() {
	for _, ci := range e.byClass[classPod] {
		e.join(ci)
	}
	for i, ci := range e.byClass[classVM] {
		if i%2 == 0 {
			e.join(ci)
		}
	}
}

func (e *estate) join(member int) {
	whole := e.any(classService)
	e.relate(member, event.PartOf, whole)
	e.whole[member] = whole
}

// topology returns what is known of the estate: without a share of its relations.
func (e *estate) topology(missing float64) Topology {
	t := Topology{CIs: e.cis, Relations: make([]Relation, 0, len(e.edges))}
	for _, x := range e.edges {
		if missing > 0 && e.random.Float64() < missing {
			continue
		}
		t.Relations = append(t.Relations, Relation{e.cis[x.from].ID, x.kind, e.cis[x.to].ID})
	}
	return t
}

func pick[T any](random *rand.Rand, from []T) T { return from[random.IntN(len(from))] }
