package event

// SourceKind says how a sender behaves, and so how the end of an alert is recognised.
type SourceKind uint8

// Kinds of sender.
const (
	// Resender repeats firing alerts and says until when each is valid (Prometheus): endsAt expires them.
	Resender SourceKind = iota + 1
	// SendOnce speaks on changes only (webhooks): time never ends an alert, only an explicit clear does.
	SendOnce
)

// String returns the kind's name.
func (k SourceKind) String() string {
	switch k {
	case Resender:
		return "resender"
	case SendOnce:
		return "send_once"
	}
	return "unknown"
}

// DefaultTenant is the tenant of a source that names none.
const DefaultTenant = "main"

// AllTenants is the scope of who may see every tenant; no tenant is called so.
const AllTenants = "*"

// InTenant tells whether what belongs to tenant lies in scope: that tenant, or all.
func InTenant(scope, tenant string) bool { return scope == AllTenants || scope == tenant }

// Source is a sender of events. HA twins are one source: same configured name or same external URL.
type Source struct {
	Name   string // unique within the tenant, as in "prometheus-eu" or "webhook:http://am:9093"
	Tenant string
	Kind   SourceKind
}

// Position says where in a Kafka topic a batch was read; the zero Position means "not from Kafka".
type Position struct {
	Cluster, Topic string
	Partition      int32
	Offset         int64
}
