package cmdb

import (
	"slices"
	"strings"

	"github.com/tocsin-noc/tocsin/event"
)

// relations returns what an object says of itself.
func (m *manifests) relations(o *object) (list []event.Relation) {
	add := func(kind event.RelationKind, of, name string) {
		list = append(list, event.Relation{Kind: kind, To: m.id(of, o.namespace, name)})
	}
	for _, w := range o.owners {
		if kind, name := m.owner(o, w); kind != "" {
			add(event.PartOf, kind, name)
		}
	}
	if o.node != "" {
		list = append(list, event.Relation{Kind: event.HostedOn, To: m.id(nodeKind, "", o.node)})
	}
	for _, claim := range o.claims {
		add(event.DependsOn, volumeClaimKind, claim)
	}
	for _, backend := range o.backends {
		add(event.DependsOn, serviceKind, backend)
	}
	return list
}

// owner returns what o is part of by one of its references, "" when that is no item. The ReplicaSets of a Deployment are none, so
// their pods are the Deployment's.
func (m *manifests) owner(o *object, w owner) (kind, name string) {
	kind = knownKind(w.apiVersion, w.kind)
	switch kind {
	case "", nodeKind: // a static pod, which its node owns, is hosted on it
		return "", ""
	case replicaSetKind:
		return m.rolledOut(o, w.name)
	}
	return kind, w.name
}

// rolledOut finds the Deployment behind a pod's ReplicaSet: it is named by the ReplicaSet, or by its name, which ends in the pod's
// hash.
func (m *manifests) rolledOut(o *object, name string) (kind, of string) {
	if set := m.byID[m.id(replicaSetKind, o.namespace, name)]; set != nil {
		for _, w := range set.owners {
			if knownKind(w.apiVersion, w.kind) == deploymentKind {
				return deploymentKind, w.name
			}
		}
		return replicaSetKind, name
	}
	if hash := o.labels.Map()["pod-template-hash"]; hash != "" {
		if of, ok := strings.CutSuffix(name, "-"+hash); ok {
			return deploymentKind, of
		}
	}
	return replicaSetKind, name
}

// selected returns the relations that selectors of services make. One workload behind a service carries it; of several each does its
// part.
func (m *manifests) selected() map[*object][]event.Relation {
	found := map[*object][]event.Relation{}
	candidates := m.byNamespace(func(o *object) bool {
		return isWorkload(o.kind) && !m.isRollout(o) || o.kind == podKind && !m.ownerKnown(o)
	})
	for _, s := range m.objects {
		if s.kind != serviceKind {
			continue
		}
		behind := m.pick(s, candidates)
		if len(behind) == 1 {
			o := behind[0]
			found[s] = append(found[s], event.Relation{Kind: event.DependsOn, To: m.id(o.kind, o.namespace, o.name)})
			continue
		}
		for _, o := range behind {
			found[o] = append(found[o], event.Relation{Kind: event.PartOf, To: m.id(serviceKind, s.namespace, s.name)})
		}
	}
	return found
}

func (m *manifests) byNamespace(wanted func(*object) bool) map[string][]*object {
	found := map[string][]*object{}
	for _, o := range m.objects {
		if wanted(o) {
			found[o.namespace] = append(found[o.namespace], o)
		}
	}
	return found
}

// Comparisons are few in any real cluster; a text made to need billions of them, or to relate all with all, is stopped.
const (
	maxComparisons = 100_000_000
	costOfPick     = 100
)

// pick returns the objects in the namespace of s whose pods its selector picks. An empty selector picks none.
func (m *manifests) pick(s *object, candidates map[string][]*object) (picked []*object) {
	if len(s.selector) == 0 {
		return nil
	}
	for _, o := range candidates[s.namespace] {
		if m.left--; m.left < 0 {
			return nil
		}
		if matches(s.selector, o.podLabels()) {
			m.left -= costOfPick
			picked = append(picked, o)
		}
	}
	return picked
}

func (m *manifests) ownerKnown(o *object) bool {
	return slices.ContainsFunc(o.owners, func(w owner) bool {
		kind, name := m.owner(o, w)
		return m.byID[m.id(kind, o.namespace, name)] != nil
	})
}

func (o *object) podLabels() event.Labels {
	if o.kind == podKind {
		return o.labels
	}
	return o.template
}

// matches tells whether labels, which are in no order, hold all of selector.
func matches(selector, labels event.Labels) bool {
	return !slices.ContainsFunc(selector, func(l event.Label) bool { return !slices.Contains(labels, l) })
}
