package cmdb

import (
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/rules/strict"
)

// manifests reads Kubernetes objects. They are gathered first, because most relations are found by comparing them.
type manifests struct {
	c       *call
	objects []*object
	byID    map[string]*object
	left    int // comparisons of selectors with labels that are still allowed
}

func newManifests(c *call) *manifests {
	c.open = true
	return &manifests{c: c, byID: map[string]*object{}, left: maxComparisons}
}

func (m *manifests) lists() []string { return []string{itemsKey} }

// document reads an object. A list of them has been taken apart already.
func (m *manifests) document() unit {
	var o *object
	value := func(r *strict.Reader, n *yaml.Node) {
		if valueAt(n, itemsKey) != nil && strings.HasSuffix(scalarAt(n, "kind"), "List") {
			return
		}
		o = m.read(r, n, scalarAt(n, "apiVersion"), scalarAt(n, "kind"))
	}
	return unit{value, func(at strict.Place) { m.gather(o, at) }}
}

// item reads an object of a list. Where the list is of one kind, as in PodList, its items need not say theirs.
func (m *manifests) item(head *yaml.Node, _ string) unit {
	var o *object
	value := func(r *strict.Reader, n *yaml.Node) {
		n = resolve(n)
		api, kind := scalarAt(n, "apiVersion"), scalarAt(n, "kind")
		if kind == "" {
			api, kind = scalarAt(head, "apiVersion"), strings.TrimSuffix(scalarAt(head, "kind"), "List")
		}
		o = m.read(r, n, api, kind)
	}
	return unit{value, func(at strict.Place) { m.gather(o, at) }}
}

// read reads one object; nil stands for one of a kind that is skipped.
func (m *manifests) read(r *strict.Reader, n *yaml.Node, apiVersion, kind string) *object {
	o := &object{kind: knownKind(apiVersion, kind), replicas: notSet}
	switch {
	case n.Kind != yaml.MappingNode || kind == "" || apiVersion == "":
		r.Problem(n, "must be an object with apiVersion and kind", "")
		return nil
	case o.kind == "":
		m.c.skipped[apiVersion+" "+kind]++
		return nil
	}
	o.value()(r, n)
	if o.name == "" {
		r.ProblemAt(n, "metadata.name", "missing", "name the object; one with generateName is named by the cluster")
	}
	return o
}

func (m *manifests) gather(o *object, at strict.Place) {
	if o == nil {
		return
	}
	o.at = at
	if o.namespace == "" && o.kind != nodeKind && o.kind != namespaceKind {
		o.namespace = "default"
	}
	m.objects = append(m.objects, o)
	if id := m.id(o.kind, o.namespace, o.name); m.byID[id] == nil {
		m.byID[id] = o
	}
}

// id is namespace/kind/name, or kind/name where there is no namespace, behind the cluster if that is known.
func (m *manifests) id(kind, namespace, name string) string {
	parts := make([]string, 0, 4)
	for _, part := range []string{m.c.in.Cluster, namespace, strings.ToLower(kind), name} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, "/")
}

func (m *manifests) finish() {
	selected := m.selected()
	needs := m.needs()
	if m.left < 0 {
		m.c.problem(strict.Problem{Message: "selectors pick too many objects out of too many", Hint: "import one namespace at a time"})
		return
	}
	for _, o := range m.objects {
		if o.kind == budgetKind || m.isRollout(o) {
			continue
		}
		ci, ok := m.asItem(o)
		if !ok {
			continue
		}
		if ci.Needs == 0 {
			ci.Needs = needs[o]
		}
		ci.Relations = append(m.relations(o), selected[o]...)
		m.c.add(ci, o.at)
	}
}

// isRollout tells a ReplicaSet that a Deployment made. It is one of its versions, and its pods are the Deployment's members.
func (m *manifests) isRollout(o *object) bool {
	if o.kind != replicaSetKind {
		return false
	}
	for _, w := range o.owners {
		if knownKind(w.apiVersion, w.kind) == deploymentKind {
			return true
		}
	}
	return false
}

// class is the kind in lower case. "service" is the word for what the business gets, so that of Kubernetes has a longer one.
func class(kind string) string {
	if kind == serviceKind {
		return "kubernetes_service"
	}
	return strings.ToLower(kind)
}

// asItem makes the CI without its relations. ok is false when it has a problem.
func (m *manifests) asItem(o *object) (ci event.CI, ok bool) {
	ci = event.CI{ID: m.id(o.kind, o.namespace, o.name), Class: class(o.kind), Name: o.name}
	var s set
	s.put("cluster", m.c.in.Cluster)
	s.put("namespace", o.namespace)
	if o.replicas != notSet {
		s.put("replicas", strconv.Itoa(o.replicas))
	}
	ok = m.c.annotate(&ci, &s, o.annotations, o.at)
	for _, l := range o.labels {
		if !changesByItself(l.Name) {
			s.put(l.Name, l.Value)
		}
	}
	ci.Attributes = s.labels
	return ci, ok
}

// changesByItself names the labels that a controller gives, new ones at each rollout.
func changesByItself(label string) bool {
	switch label {
	case "pod-template-hash", "controller-revision-hash", "pod-template-generation", "controller-uid", "batch.kubernetes.io/controller-uid":
		return true
	}
	return false
}
