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
