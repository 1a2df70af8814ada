package event

// Placement is where topology, component and time put a configuration item when an alert of it began. Folding placements alone
// rebuilds what grouping rests on.
type Placement struct {
	Kind      PlaceKind
	Cluster   uint32 // slot of what groups the items that belong together; 0: a new one
	Item      uint32 // slot of the item
	Silent    bool   // which did not alarm itself
	Component uint32 // slot of the item's component
	At        Time   // event time by which it was placed

	From       uint32 // slot of the item that explains it best by an edge, whether or not that was enough; 0: none
	FromID     string
	FromIn     IncidentID // in which that was then
	Hops       uint8
	Gap        Time       // between the two
	Edge       int64      // by how much that beats chance, in milli-nats; NoScore: nothing to score
	NearIn     IncidentID // of the cluster that alarmed last in the component
	NearGap    Time       // since then
	Near       int64      // by how much that beats chance
	Needed     int64      // how much was needed
	Alpha      uint32     // share of the component's items that a fault hits off the graph, in millionths
	Credit     uint32     // by how much that share's counter grows, in millionths
	Passed     uint32     // share of what rests on From that alarmed with this, in millionths
	Dependents uint32     // how many items rest directly on this one
	Expected   uint32     // by how much its other counter grows: items that could have been hit
	Roots      uint32     // of a silent cause: how many roots beneath it showed it
	Alerts     uint32     // of a second fault: how many showed it
	Items      uint32     // and on how many items
}

// NoScore stands for a score where there is nothing to score.
const NoScore = -1 << 62

// PlaceKind is why an item is where it is.
type PlaceKind uint8

// Kinds of placement. Values are part of the wire format.
const (
	PlaceNone    PlaceKind = iota // topology has no say: rules group the alert
	PlaceSame                     // the item alarmed a short while ago
	PlaceEdge                     // an item that it rests on alarmed
	PlaceNear                     // its component shakes
	PlaceRoot                     // nothing explains it
	PlaceBack                     // the same alert came back
	PlaceVirtual                  // it did not alarm, but what rests on it did
	PlaceOnset                    // a second fault began inside a cluster
	PlaceHand                     // a person put it there
)

// String returns the kind's name in the API.
func (k PlaceKind) String() string {
	return [...]string{"none", "same_item", "edge", "component", "root", "came_back", "silent_root", "second_onset", "by_hand"}[min(k, PlaceHand)]
}
