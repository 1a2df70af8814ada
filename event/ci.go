package event

// CIRef names the configuration item an alert is about, as far as its labels tell.
type CIRef struct {
	Name  string // as the sender writes it
	Label string // the label it was read from, "" when none fits
}

// ciLabels are the labels that name the thing that is ill, the most explicit first.
var ciLabels = [...]string{"ci", "node", "pod", "instance", "host", "hostname", "device", "service", "job"}

// CI reads the configuration item from the label conventions of Prometheus and its exporters.
func (ls Labels) CI() CIRef {
	for _, name := range ciLabels {
		if v := ls.Get(name); v != "" {
			return CIRef{Name: v, Label: name}
		}
	}
	return CIRef{}
}

// BindLabels are the labels by which an alert is bound to its configuration item, the first whose value is known wins: an explicit
// ID, then the conventions of Kubernetes, Prometheus and network exporters, the most specific first. A place in the list is part of
// the wire format.
var BindLabels = [...]string{
	"ci", "ci_id",
	"pod", "deployment", "statefulset", "daemonset", "persistentvolumeclaim", "node", "nodename", "instance", "host", "hostname",
	"device", "sysname", "database", "ingress", "service", "cluster", "job",
}

// ExplicitLabels is how many of BindLabels, from the first, hold an ID.
const ExplicitLabels = 2

// BindLabel returns the place of a label in BindLabels, from 1; 0 when it binds nothing.
func BindLabel(name string) uint8 {
	switch name {
	case "ci":
		return 1
	case "ci_id":
		return 2
	case "pod":
		return 3
	case "deployment":
		return 4
	case "statefulset":
		return 5
	case "daemonset":
		return 6
	case "persistentvolumeclaim":
		return 7
	case "node":
		return 8
	case "nodename":
		return 9
	case "instance":
		return 10
	case "host":
		return 11
	case "hostname":
		return 12
	case "device":
		return 13
	case "sysname":
		return 14
	case "database":
		return 15
	case "ingress":
		return 16
	case "service":
		return 17
	case "cluster":
		return 18
	case "job":
		return 19
	}
	return 0
}
