package rules

import (
	"time"

	"gopkg.in/yaml.v3"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/rules/strict"
)

// Correlation holds the numbers by which topology and time group alerts and find causes; correlation.yml says what each means and
// holds its default. Millinats are thousandths of the natural logarithm's unit.
type Correlation struct {
	Topology             bool
	JoinWithin           event.Time
	Decay                event.Time
	ComponentDecay       event.Time
	Threshold            int
	HopDiscountPercent   int
	AdoptWithin          event.Time
	SilentSharePercent   int
	SilentSurprise       int // millinats
	ReonsetAge           event.Time
	ReonsetItems         int
	ReonsetExcess        int // millinats
	SettleAfter          event.Time
	MaxIncidentAge       event.Time
	MaxIncidentAlerts    int
	ConfidentMargin      int // millinats
	LearningIncidents    int
	Weights              Weights
	InstanceSharePercent int
	InstanceTollPercent  int
}

// Weights are in percent.
type Weights struct {
	Metric, Trace, Other int     // by the kind of what an alert says
	Classes              []Class // by the class of the configuration item; 100 where none is named
}

// Class is the weight of a class of configuration items.
type Class struct {
	Name    string
	Percent int
}

// Of returns the weight of a class.
func (w *Weights) Of(class string) int {
	for _, c := range w.Classes {
		if c.Name == class {
			return c.Percent
		}
	}
	return 100
}

// onceFunc guards a key that must be set in one file only.
type onceFunc func(key string, v strict.Value) strict.Value

// guard puts keys, and those in them, under their full names under once.
func guard(once onceFunc, prefix string, keys []key) []key {
	for i := range keys {
		k := &keys[i]
		if k.keys == nil {
			k.value = once(prefix+k.name, k.value)
			continue
		}
		k.keys = guard(once, prefix+k.name+".", k.keys)
		k.value = mapping(k.keys)
	}
	return keys
}

func (c *Correlation) keys() []key {
	w := &c.Weights
	return []key{
		choice("topology", &c.Topology, []string{"on", "off"}, []bool{true, false}, "whether alerts are grouped along the relations of configuration items and by component"),
		span("join_within", &c.JoinWithin, time.Second, time.Hour, "an item that alarmed so recently goes where it was; causes and symptoms are sought as long"),
		span("decay", &c.Decay, time.Second, time.Hour, "how fast an alert upstream explains less as time passes"),
		span("component_decay", &c.ComponentDecay, time.Second, time.Hour, "how fast an alert of the same component does"),
		whole("threshold", &c.Threshold, 1, 10_000, "an explanation must be so many times likelier than chance"),
		whole("hop_discount_percent", &c.HopDiscountPercent, 1, 100, "what is left of an explanation with each hop"),
		span("adopt_within", &c.AdoptWithin, 0, time.Hour, "a cause that alarms so long after its symptoms adopts them"),
		whole("silent_share_percent", &c.SilentSharePercent, 1, 100, "so many of an item's dependents must alarm for it to be a cause that is silent itself"),
		whole("silent_surprise_millinats", &c.SilentSurprise, 0, 1_000_000, "and it must be so surprising"),
		span("reonset_age", &c.ReonsetAge, 0, day, "a second fault inside an incident is looked for once it is so old"),
		whole("reonset_items", &c.ReonsetItems, 1, 10_000, "on so many items at least"),
		whole("reonset_excess_millinats", &c.ReonsetExcess, 0, 1_000_000, "and that surprising"),
		span("settle_after", &c.SettleAfter, time.Minute, day, "a group that nothing has joined for so long is closed: what comes then begins another"),
		span("max_incident_age", &c.MaxIncidentAge, time.Minute, 30*day, "no alert joins an incident that is older"),
		whole("max_incident_alerts", &c.MaxIncidentAlerts, 1, 10_000_000, "no alert joins an incident that has so many"),
		whole("confident_margin_millinats", &c.ConfidentMargin, 0, 100_000, "a cause is called likely when it is so far ahead of the next"),
		whole("learning_incidents", &c.LearningIncidents, 0, 10_000, "below so many incidents causes are marked as still learning"),
		nested("weights", []key{
			whole("metric", &w.Metric, 0, 1000, "percent, of what a metric says"),
			whole("trace", &w.Trace, 0, 1000, "percent, of what a trace says"),
			whole("other", &w.Other, 0, 1000, "percent, of any other alert"),
			{name: "classes", kind: "class: percent", values: "0–1000", standard: "host: 200", help: "of what alerts say of items of a class; 100 where none is named", value: w.readClasses},
		}, "how much evidence for a cause counts"),
		whole("instance_share_percent", &c.InstanceSharePercent, 0, 100, "how much of its instances' evidence a service or cache gets"),
		whole("instance_toll_percent", &c.InstanceTollPercent, 0, 1000, "and what is taken off for each instance, in hundredths of a nat"),
	}
}

func (w *Weights) readClasses(r *strict.Reader, n *yaml.Node) {
	w.Classes = nil
	strict.Pairs(func(name string) strict.Value {
		return func(r *strict.Reader, n *yaml.Node) {
			c := Class{Name: name}
			strict.Int(&c.Percent, 0, 1000)(r, n)
			w.Classes = append(w.Classes, c)
		}
	})(r, n)
}
