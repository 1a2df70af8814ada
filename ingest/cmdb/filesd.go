package cmdb

import (
	"maps"
	"net"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/rules/strict"
)

// Classes of what a file_sd file tells of.
const (
	hostClass    = "host"
	targetClass  = "target" // one of several things scraped on a host, or a URL that is probed
	clusterClass = "cluster"
)

// fileSD reads Prometheus' file-based service discovery. Targets are gathered first: several groups may name the same.
type fileSD struct {
	c     *call
	group targetGroup
	hosts map[string]*scraped
}

type targetGroup struct {
	targets []string
	labels  event.Labels
}

// scraped is a host, or one target on it, with the labels that all groups agree on.
type scraped struct {
	labels  event.Labels
	at      strict.Place        // where it was named first
	targets map[string]*scraped // of a host, by address
}

func newFileSD(c *call) *fileSD {
	c.open = true
	return &fileSD{c: c, hosts: map[string]*scraped{}}
}

func (f *fileSD) lists() []string { return nil }

func (f *fileSD) document() unit {
	return unit{value: func(r *strict.Reader, n *yaml.Node) {
		r.Problem(n, "must be a list of groups with targets and labels", "")
	}}
}

func (f *fileSD) item(*yaml.Node, string) unit {
	f.group = targetGroup{}
	group := open(strict.Field{Key: "targets", Value: words(&f.group.targets)}, strict.Field{Key: "labels", Value: texts(&f.group.labels)})
	return unit{group, f.done}
}

func (f *fileSD) done(at strict.Place) {
	labels := slices.DeleteFunc(f.group.labels, func(l event.Label) bool { return strings.HasPrefix(l.Name, "__") })
	labels, _ = event.SortLabels(labels) // a name given twice was a problem already
	for _, address := range f.group.targets {
		host := hostOf(address)
		if f.hosts[host] == nil {
			f.hosts[host] = &scraped{labels: labels, at: at, targets: map[string]*scraped{}}
		}
		f.hosts[host].name(address, labels, at)
	}
}

// hostOf returns the host of an address host:port. A URL, as black boxes are probed, stays what it is.
func hostOf(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil || host == "" || isURL(address) {
		return address
	}
	return host
}

func isURL(address string) bool { return strings.Contains(address, "/") }

func classOf(host string) string {
	if isURL(host) {
		return targetClass
	}
	return hostClass
}

func (h *scraped) name(address string, labels event.Labels, at strict.Place) {
	h.labels = agreed(h.labels, labels)
	t := h.targets[address]
	if t == nil {
		h.targets[address] = &scraped{labels: labels, at: at}
		return
	}
	t.labels = agreed(t.labels, labels)
}

// agreed returns the labels that are in both sets.
func agreed(a, b event.Labels) event.Labels {
	if a.Equal(b) {
		return a
	}
	var both event.Labels
	for _, l := range a {
		if b.Get(l.Name) == l.Value {
			both = append(both, l)
		}
	}
	return both
}

// alike tells whether all targets of a host carry the same labels: then they are one item.
func (h *scraped) alike() bool {
	for _, t := range h.targets {
		if !t.labels.Equal(h.labels) {
			return false
		}
	}
	return true
}

func (f *fileSD) finish() {
	clusters := map[string]strict.Place{}
	for _, id := range slices.Sorted(maps.Keys(f.hosts)) {
		host := f.hosts[id]
		addresses := slices.Sorted(maps.Keys(host.targets))
		ci := host.item(id, classOf(id), nil)
		if host.alike() {
			ci.Attributes = withInstance(ci.Attributes, strings.Join(addresses, " "))
			addresses = nil
		}
		f.c.add(ci, host.at)
		noteCluster(clusters, host)
		for _, address := range addresses {
			target := host.targets[address]
			ci := target.item(targetID(address, id), targetClass, host.labels)
			ci.Name = address
			ci.Relations = append(ci.Relations, event.Relation{Kind: event.HostedOn, To: id})
			f.c.add(ci, target.at)
			noteCluster(clusters, target)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(clusters)) {
		f.c.add(event.CI{ID: clusterID(name), Class: clusterClass, Name: name}, clusters[name])
	}
}

// item makes the CI. What its host, with the labels above, is part of already is not said again.
func (h *scraped) item(id, class string, above event.Labels) event.CI {
	ci := event.CI{ID: id, Class: class, Attributes: slices.Clone(h.labels)}
	if service := h.labels.Get("service"); service != above.Get("service") {
		ci.Relations = append(ci.Relations, event.Relation{Kind: event.PartOf, To: service})
	}
	if cluster := h.labels.Get("cluster"); cluster != above.Get("cluster") {
		ci.Relations = append(ci.Relations, event.Relation{Kind: event.PartOf, To: clusterID(cluster)})
	}
	return ci
}

// targetID is the target's address, unless it has no port to tell it from its host.
func targetID(address, host string) string {
	if address == host {
		return "target/" + address
	}
	return address
}

func withInstance(attributes event.Labels, addresses string) event.Labels {
	if attributes.Get("instance") != "" {
		return attributes
	}
	return append(attributes, event.Label{Name: "instance", Value: addresses})
}

func noteCluster(clusters map[string]strict.Place, s *scraped) {
	name := s.labels.Get("cluster")
	if _, ok := clusters[name]; !ok && name != "" {
		clusters[name] = s.at
	}
}

func clusterID(name string) string { return "cluster/" + name }
