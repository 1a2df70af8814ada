package correlate

import (
	"github.com/tocsin-noc/tocsin/correlate/cause"
	"github.com/tocsin-noc/tocsin/correlate/forest"
	"github.com/tocsin-noc/tocsin/correlate/pairs"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/flat"
	"github.com/tocsin-noc/tocsin/internal/labelset"
	"github.com/tocsin-noc/tocsin/itsm"
	"github.com/tocsin-noc/tocsin/rules"
)

// State is everything the core remembers.
//
//	identity ─▶ alert ─▶ claim ─▶ claim …      what each source says of each label set
//	              │
//	              ├──▶ group                   alerts of one key that wait for an incident
//	              └──▶ incident ─▶ members     alerts that are in one
type State struct {
	text       *labelset.Store
	alerts     *flat.Slab[alertRec]
	claims     *flat.Slab[claimRec]
	byIdentity *flat.Index
	groups     *flat.Slab[groupRec]
	byGroup    *flat.Index
	incidents  *itsm.Table
	members    members
	timers     *flat.Wheel
	inhibition inhibition
	sources    *flat.Slab[sourceRec]
	positions  *flat.Slab[positionRec]
	byPosition *flat.Index
	flaps      *flat.Slab[flapRec]
	cmdb       *itsm.CMDB
	topology   topology          // of cmdb
	cis        *flat.Slab[ciUse] // by slot in cmdb
	silences   silences
	forest     *forest.Forest         // of items that alarmed
	pairs      *pairs.Table           // kinds of alerts that lead to each other
	causes     *cause.Book            // what they said, and what is ordinary
	downs      *flat.Slab[downRec]    // by slot in cmdb: alerts that say it is down
	placed     *flat.Slab[Placements] // by the component's slot
	clusters   *flat.Slab[uint32]     // timers, by the cluster's slot
	verdicts   *flat.Slab[verdictRec]
	byCauses   *flat.Index
	traces     traces               // what rules that look at several alerts remember
	quiets     *flat.Slab[quietRec] // the suppression ledger, by tenant
	desk       desk
	rules      *rules.Set
	meta       meta

	in      *event.Input // being stepped
	out     []event.Change
	folding bool // a log of changes is applied: the fold hands out slots itself
	work    scratch
}

// meta is the state's small change: all of it lies in the snapshot as it is.
type meta struct {
	Seq     uint64
	At      event.Time
	Writer  event.Writer // the last record stepped
	Core    string
	Rules   []byte
	Born    uint32     // alerts ever made
	Firing  uint32     // alerts firing now
	Refused uint64     // events dropped at a bound, all told
	Resumed event.Time // when the last grace began
	Grace   event.Time // expiries of claims last heard before Resumed wait until then
	Watch   uint32     // timer of what lies in desk

	Halved      event.Time // when what was learned of causes was halved last
	ActivePairs uint32     // learned pairs that people accepted
	Discovered  uint32     // configuration items that were seen in alerts and not confirmed
	Traces      uint32     // alerts that rules remember
	Unkept      uint64     // alerts that rules which keep apart forgot, for others of their key, while they counted still
	OverTraces  uint64     // inputs in which rules were to remember more than they can
}

// claimed is the label set of the claim whose labels were read last.
type claimed struct {
	claim  uint32
	labels event.Labels
}

// scratch is memory that one step hands to the next.
type scratch struct {
	key        event.Labels
	labels     event.Labels
	claimed    claimed
	bytes      []byte
	rules      []int
	due        []due
	slots      []uint32
	targets    []uint32
	onset      event.Labels // of the alert that begins to fire, as rules see them
	reading    reading
	names      reading // to name alerts by
	overTraces uint64  // the input in which rules were last to remember more than they can
	partners   []pair  // to which rules tie the alert that begins to fire
	mended     bool    // in this input something got better: an outage may be over
	mendAll    bool    // and which services it moved is not known
	moves      uint64  // how often an item, an incident or an outage moved
	itemMoves  uint64  // how often an item did
	services   servicesKept
	hurt       []hurtMark // by item, hurtKept of them
	risen      []uint32

	over     []*event.Outage
	affected []event.Affected
	merged   [mergedKept]mergedInto
	items    []uint32
	shape    []cause.Structure
	direct   []uint32
	places   flat.Places

	tree       event.Labels
	trees      []treeGroup // by cluster
	neighbours []pairs.Neighbour
	waiting    []uint32
	packed     []byte
	above      []itsm.Near
	dependents []uint32
	forest     forest.Params
	cause      cause.Params
	// What follows from the configuration items; nil: to be found anew.
	components *itsm.Components
	classes    map[uint64]uint32 // how many there are of a class, by tenant and class
}

// alertRec is one alert. Zero firstAt: the slot is free.
type alertRec struct {
	identity    uint64
	startsAt    event.Time
	firingAt    event.Time
	endedAt     event.Time
	easesAt     event.Time
	firstAt     event.Time
	number      uint32 // the upper half of its id
	group       uint32
	incident    event.IncidentID
	next, prev  uint32 // in its incident's list of members, or in its group's list of those who wait
	claims      uint32 // the first
	timer       uint32
	occurrences uint32
	flap        uint32 // in flaps, 0 when it never changed
	ci          uint32 // the configuration item it is bound to, 0 when to none
	bound       event.Bound
	boundBy     uint8
	phase       event.AlertPhase
	severity    event.Severity
	reason      event.Reason
	flags       uint8
	kind        event.AlertKind
	quiet       event.Quiet
}

const (
	flagGhost uint8 = 1 << iota
	flagSuppressed
	flagDamped
	flagTraced // rules that look at several alerts remember its occurrence
	flagApart  // it is on a side of a rule that keeps apart
	flagByHand // a person put it into the incident in which it is
)

// claimRec is what one source says about one label set.
type claimRec struct {
	content     uint64
	startsAt    event.Time
	endsAt      event.Time
	lastStart   event.Time
	clearedAt   event.Time
	staleAt     event.Time // of a symptom: SymptomUntil
	seenAt      event.Time
	alert       uint32
	next        uint32
	labels      flat.Ref
	annotations flat.Ref
	url         flat.Sym
	source      uint32
	timer       uint32
	nodes       uint32 // its places in the inhibition index
	silences    uint16
	phase       event.AlertPhase
	severity    event.Severity
	flags       uint8
	scheme      uint8 // by which its alert is known
}

const (
	flagTimeout uint8 = 1 << iota
	flagUnconfirmed
	flagInhibited
	flagSeverityUnknown
	flagMaintenance
	flagSymptom
	flagFiltered
)

// groupRec is a key of a grouping rule that some alert has.
type groupRec struct {
	hash       uint64
	rule       flat.Sym
	tenant     flat.Sym
	key        flat.Ref
	incident   event.IncidentID // its latest
	head, tail uint32           // alerts that fire and wait
	refs       uint32           // alerts of this group
}

// verdictRec is what is known of an incident's cause, packed.
type verdictRec struct {
	incident event.IncidentID
	body     flat.Ref
}

// sourceRec is a sender.
type sourceRec struct {
	lastWord     event.Time
	graceFrom    event.Time
	graceUntil   event.Time
	name, tenant flat.Sym
	active       uint32 // firing claims
	kind         event.SourceKind
}

// positionRec is how far a Kafka partition was read.
type positionRec struct {
	offset         int64
	cluster, topic flat.Sym
	partition      int32
}

// New returns an empty state with the shipped rules.
func New() *State {
	set, err := rules.Parse(nil)
	if err != nil {
		panic("correlate: the shipped rules do not parse: " + err.Error())
	}
	text := labelset.New()
	s := &State{
		text: text, alerts: flat.NewSlab[alertRec](), claims: flat.NewSlab[claimRec](), byIdentity: flat.NewIndex(),
		groups: flat.NewSlab[groupRec](), byGroup: flat.NewIndex(), incidents: itsm.NewTable(text),
		members: newMembers(), timers: flat.NewWheel(), inhibition: newInhibition(),
		sources: flat.NewSlab[sourceRec](), positions: flat.NewSlab[positionRec](), byPosition: flat.NewIndex(),
		flaps: flat.NewSlab[flapRec](), cmdb: itsm.NewCMDB(text), cis: flat.NewSlab[ciUse](), silences: silences{timers: flat.NewSlab[uint32]()}, rules: set,
		forest: forest.New(), causes: cause.New(), pairs: pairs.New(pairs.Default()), clusters: flat.NewSlab[uint32](), downs: flat.NewSlab[downRec](), verdicts: flat.NewSlab[verdictRec](), byCauses: flat.NewIndex(),
		traces: newTraces(), quiets: flat.NewSlab[quietRec](), placed: flat.NewSlab[Placements](),
	}
	s.topology = newTopology(s.cmdb)
	s.desk.countLasting()
	s.work.mendAll, s.work.hurt = true, make([]hurtMark, hurtKept)
	s.useCorrelation()
	s.useReading()
	return s
}

// Seq returns the last input stepped.
func (s *State) Seq() uint64 { return s.meta.Seq }

// At returns the time of the last input stepped.
func (s *State) At() event.Time { return s.meta.At }

// Core returns the version that stepped last.
func (s *State) Core() string { return s.meta.Core }

// Rules returns the rule set in force as it was journaled.
func (s *State) Rules() []byte { return s.meta.Rules }

// Firing returns how many alerts fire.
func (s *State) Firing() uint32 { return s.meta.Firing }

// LastWriter returns who wrote the last record stepped.
func (s *State) LastWriter() event.Writer { return s.meta.Writer }

func (s *State) settings() *rules.Settings { return &s.rules.Settings }

// findClaim returns the alert's claim by this source about these labels, 0 when there is none, and how many claims it passed.
func (s *State) findClaim(alert, source uint32, ev *event.Event) (claim uint32, n int) {
	for c := s.alerts.At(alert).claims; c != 0; c = s.claims.At(c).next {
		n++
		rec := s.claims.At(c)
		if rec.source != source {
			continue
		}
		if rec.content == ev.Content {
			return c, n
		}
		s.work.labels = labelset.Append(s.text, s.work.labels[:0], rec.labels)
		if s.work.labels.Equal(ev.Labels) {
			return c, n
		}
	}
	return 0, n
}
