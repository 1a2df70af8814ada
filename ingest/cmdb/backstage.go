package cmdb

import (
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/rules/strict"
)

// catalog reads Backstage entities. They are gathered first: one may say what another depends on, and groups tell how to reach an
// owner.
type catalog struct {
	c        *call
	entities []*entity
	byRef    map[ref]*entity
}

func newCatalog(c *call) *catalog {
	c.open = true
	return &catalog{c: c, byRef: map[ref]*entity{}}
}

// lists has the key of the catalogue's API, which answers with entities under it.
func (k *catalog) lists() []string { return []string{itemsKey} }

func (k *catalog) item(*yaml.Node, string) unit { return k.document() }

func (k *catalog) document() unit {
	var e *entity
	value := func(r *strict.Reader, n *yaml.Node) {
		n = resolve(n)
		if valueAt(n, itemsKey) != nil && scalarAt(n, "kind") == "" {
			return
		}
		e = k.read(r, n)
	}
	return unit{value, func(at strict.Place) { k.gather(e, at) }}
}

// read reads one entity; nil stands for one of a kind that is skipped.
func (k *catalog) read(r *strict.Reader, n *yaml.Node) *entity {
	api, kind := scalarAt(n, "apiVersion"), scalarAt(n, "kind")
	if api == "" || kind == "" {
		r.Problem(n, "must be an entity with apiVersion and kind", "")
		return nil
	}
	e := newEntity(n)
	if !strings.HasPrefix(api, "backstage.io/") || !isEntity(e.ref.kind) {
		k.c.skipped[api+" "+kind]++
		return nil
	}
	e.value()(r, n)
	e.check(r, n)
	return e
}

func isEntity(kind string) bool { return isItem(kind) || kind == groupEntity || kind == userEntity }

func isItem(kind string) bool {
	switch kind {
	case componentEntity, systemEntity, domainEntity, resourceEntity, apiEntity:
		return true
	}
	return false
}

func (k *catalog) gather(e *entity, at strict.Place) {
	if e == nil {
		return
	}
	e.at = at
	k.entities = append(k.entities, e)
	if k.byRef[e.ref] == nil {
		k.byRef[e.ref] = e
	}
}

func (k *catalog) finish() {
	said := k.saidByOthers()
	for _, e := range k.entities {
		if !isItem(e.ref.kind) {
			continue
		}
		ci, ok := k.asItem(e)
		if !ok {
			continue
		}
		ci.Relations = append(relate(event.DependsOn, e.dependsOn), relate(event.PartOf, e.partOf)...)
		ci.Relations = append(ci.Relations, relate(event.DependsOn, said[e.ref])...)
		k.c.add(ci, e.at)
	}
}

// saidByOthers returns by entity what it depends on in the words of others: dependencyOf, and an API depends on who provides it. Where
// the entity is not in this import its relations are not this import's to set.
func (k *catalog) saidByOthers() map[ref][]ref {
	said := map[ref][]ref{}
	for _, e := range k.entities {
		for _, list := range [][]ref{e.dependencyOf, e.provides} {
			for _, who := range list {
				if k.byRef[who] == nil {
					k.c.skipped["relation from an entity that is not in this import"]++
					continue
				}
				said[who] = append(said[who], e.ref)
			}
		}
	}
	return said
}

// relate makes relations to what may be an item; a dependency on a user or a location is none.
func relate(kind event.RelationKind, to []ref) (list []event.Relation) {
	for _, r := range to {
		if isItem(r.kind) {
			list = append(list, event.Relation{Kind: kind, To: r.String()})
		}
	}
	return list
}

// asItem makes the CI without its relations. ok is false when it has a problem.
func (k *catalog) asItem(e *entity) (ci event.CI, ok bool) {
	ci = event.CI{ID: e.ref.String(), Class: e.class(), Name: e.name, State: e.state()}
	var s set
	ok = k.c.annotate(&ci, &s, e.annotations, e.at)
	s.put("title", e.title)
	s.put("type", e.kindOf)
	s.put("lifecycle", e.lifecycle)
	s.put("owner", e.owner.name)
	if e.owner.kind == groupEntity {
		s.put("team", e.owner.name)
	}
	if owner := k.byRef[e.owner]; owner != nil {
		s.put("contact", owner.email)
	}
	for _, l := range e.labels {
		s.put(l.Name, l.Value)
	}
	ci.Attributes = s.labels
	return ci, ok
}
