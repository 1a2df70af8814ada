package event

// CI is a configuration item: a thing that alerts are about and services rest on. A service is a CI of class ServiceClass.
// Its relations point away from it: to what it rests on, or is part of.
type CI struct {
	Tenant     string
	ID         string // unique in the tenant; what relations name
	Class      string // as in "host", "database", "service"
	Name       string // as people and alerts know it
	State      CIState
	Needs      uint16 // how many of its members (those part_of it) must be up for it to be up; 0 counts as 1
	Attributes Labels // facts about it; of a service those of ServiceAttributes, of an asset those of AssetAttributes, besides any others
	Relations  []Relation
	Source     string   // who told of it first: an import's name, PeopleSource or AlertSource
	Confidence uint8    // percent
	Pinned     []string // fields that a person set, which imports leave alone: "name", "state", "attributes.owner", "relations", …; sorted
	ValidFrom  Time     // since when this holds in the world; in a command 0 means now
	KnownAt    Time     // since when Tocsin knows
}

// ServiceClass is the class of the CIs that are services.
const ServiceClass = "service"

// Sources of CIs that are no imports.
const (
	PeopleSource = "people"
	AlertSource  = "alerts" // discovered from labels
)

// CIState is where a CI is in its life.
type CIState uint8

// States of a CI. Of a service ordered is "pipeline".
const (
	CIOrdered     CIState = iota + 1
	CILive                // in use
	CIMaintenance         // worked on; mutes nothing by itself
	CIRetired
	CIDiscovered // seen in alerts, not confirmed; leaves a day after it was last seen
)

var ciStates = [...]string{CIOrdered: "ordered", CILive: "live", CIMaintenance: "maintenance", CIRetired: "retired", CIDiscovered: "discovered"}

// String returns the state's name in the API.
func (s CIState) String() string { return nameOf(ciStates[:], int(s)) }

// ParseCIState is the inverse of String; "pipeline" is another word for ordered. It returns 0 for what is none.
func ParseCIState(name string) CIState {
	if name == "pipeline" {
		return CIOrdered
	}
	return CIState(numberOf(ciStates[:], name))
}

// RelationKind is how one CI stands to another.
type RelationKind uint8

// Kinds of relations. From the first three failure comes up to the CI that has the relation; part_of brings it up from the member
// that has it to the whole.
const (
	DependsOn  RelationKind = iota + 1
	HostedOn                // fails with its host
	PartOf                  // member of a whole that fails when fewer than Needs of its members are up
	ConnectsTo              // neighbours; failure does not pass
	BacksUp                 // stands in for the other: while it is up, the other's failure only degrades those who depend on that one
)

var relationKinds = [...]string{DependsOn: "depends_on", HostedOn: "hosted_on", PartOf: "part_of", ConnectsTo: "connects_to", BacksUp: "backs_up"}

// String returns the kind's name in files and in the API.
func (k RelationKind) String() string { return nameOf(relationKinds[:], int(k)) }

// ParseRelationKind is the inverse of String, 0 for what is none.
func ParseRelationKind(name string) RelationKind {
	return RelationKind(numberOf(relationKinds[:], name))
}

// RelationKinds lists the names of all kinds.
func RelationKinds() []string { return relationKinds[1:] }

// CIStates lists the names of all states.
func CIStates() []string { return ciStates[1:] }

// Relation is one arrow from a CI to another of its tenant.
type Relation struct {
	Kind   RelationKind
	To     string // the other's ID
	Source string // who says so; an import replaces its own relations only
}

// CIEdit is what an import, or a person, wants to be said of CIs, all of it or nothing. What is said already changes nothing.
type CIEdit struct {
	Source  string   // PeopleSource pins the fields that it changes
	Set     []CI     // made or changed
	Retire  []string // IDs that are in use no more
	Release []string // IDs whose pinned fields are handed back to the machine
	Loose   bool     // relations may name what nobody has told of yet, as files do that hold a part of what there is
}

// Outage is a time in which a service was not what it should be.
type Outage struct {
	Number      uint32
	Tenant      string
	Service     string // ID of its CI
	Kind        OutageKind
	State       OutageState
	BeganAt     Time
	EndedAt     Time   // 0 while it lasts
	Cause       string // in words
	ByMachine   bool   // proposed because redundancy was exhausted; false: reported by a person
	Known       Time   // when it was first told of
	ConfirmedBy string // person
	ConfirmedAt Time
	Incidents   []IncidentID // sorted
}

// OutageKind is how bad it is.
type OutageKind uint8

// Kinds of outages. Planned ones count apart from availability when they were known before they began.
const (
	OutageDown OutageKind = iota + 1
	OutageDegraded
	OutagePlanned
)

var outageKinds = [...]string{OutageDown: "down", OutageDegraded: "degraded", OutagePlanned: "planned"}

// String returns the kind's name in the API.
func (k OutageKind) String() string { return nameOf(outageKinds[:], int(k)) }

// ParseOutageKind is the inverse of String, 0 for what is none.
func ParseOutageKind(name string) OutageKind { return OutageKind(numberOf(outageKinds[:], name)) }

// OutageState is what people have said of an outage.
type OutageState uint8

// States of an outage.
const (
	OutageProposed OutageState = iota + 1
	OutageConfirmed
	OutageRejected
)

var outageStates = [...]string{OutageProposed: "proposed", OutageConfirmed: "confirmed", OutageRejected: "rejected"}

// String returns the state's name in the API.
func (s OutageState) String() string { return nameOf(outageStates[:], int(s)) }

// ParseOutageState is the inverse of String, 0 for what is none.
func ParseOutageState(name string) OutageState { return OutageState(numberOf(outageStates[:], name)) }

func nameOf(names []string, i int) string {
	if i > 0 && i < len(names) {
		return names[i]
	}
	return "unknown"
}

func numberOf(names []string, name string) int {
	for i := 1; i < len(names); i++ {
		if names[i] == name {
			return i
		}
	}
	return 0
}
