package cmdb

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/rules/strict"
)

// Kinds of Backstage entities.
const (
	componentEntity = "component"
	systemEntity    = "system"
	domainEntity    = "domain"
	resourceEntity  = "resource"
	apiEntity       = "api"
	groupEntity     = "group"
	userEntity      = "user"
)

// entity is what a Backstage descriptor says that matters here.
type entity struct {
	at          strict.Place
	ref         ref
	name        string // as it is written
	title       string
	annotations event.Labels
	labels      event.Labels
	kindOf      string // spec.type
	lifecycle   string
	email       string // of who owns
	owner       ref

	partOf       []ref
	dependsOn    []ref
	dependencyOf []ref
	provides     []ref
}

// ref names an entity, in lower case, because Backstage takes no notice of case.
type ref struct{ kind, namespace, name string }

// String returns the form that Backstage shows: component:default/shop.
func (r ref) String() string { return r.kind + ":" + r.namespace + "/" + r.name }

// parseRef reads [kind:][namespace/]name. What is left out is kind and namespace; the latter is the referring entity's.
func parseRef(s, kind, namespace string) (ref, error) {
	r := ref{kind, namespace, s}
	if before, after, ok := strings.Cut(r.name, ":"); ok {
		r.kind, r.name = before, after
	}
	if before, after, ok := strings.Cut(r.name, "/"); ok {
		r.namespace, r.name = before, after
	}
	r = ref{strings.ToLower(r.kind), strings.ToLower(r.namespace), strings.ToLower(r.name)}
	switch {
	case r.kind == "":
		return r, errors.New("must name its kind, as in component:NAME or resource:NAME")
	case r.name == "", r.namespace == "", strings.ContainsAny(r.name, ":/"):
		return r, errors.New("must be a reference such as NAME, KIND:NAME or KIND:NAMESPACE/NAME")
	}
	return r, nil
}

// newEntity begins an entity with what its references need: its kind and namespace.
func newEntity(n *yaml.Node) *entity {
	metadata := valueAt(n, "metadata")
	e := &entity{name: scalarAt(metadata, "name")}
	namespace := cmp.Or(scalarAt(metadata, "namespace"), "default")
	e.ref = ref{strings.ToLower(scalarAt(n, "kind")), strings.ToLower(namespace), strings.ToLower(e.name)}
	return e
}

func (e *entity) value() strict.Value {
	return open(
		field("metadata", open(
			field("title", strict.Text(&e.title)),
			field("annotations", texts(&e.annotations)),
			field("labels", texts(&e.labels)),
		)),
		field("spec", open(
			field("type", strict.Text(&e.kindOf)),
			field("lifecycle", strict.Text(&e.lifecycle)),
			field("profile", open(field("email", strict.Text(&e.email)))),
			field("owner", e.one(func(r ref) { e.owner = r }, groupEntity)),
			field("system", e.one(appendRef(&e.partOf), systemEntity)),
			field("domain", e.one(appendRef(&e.partOf), domainEntity)),
			field("subdomainOf", e.one(appendRef(&e.partOf), domainEntity)),
			field("subcomponentOf", e.one(appendRef(&e.partOf), componentEntity)),
			field("dependsOn", e.many(appendRef(&e.dependsOn), "")),
			field("dependencyOf", e.many(appendRef(&e.dependencyOf), "")),
			field("consumesApis", e.many(appendRef(&e.dependsOn), apiEntity)),
			field("providesApis", e.many(appendRef(&e.provides), apiEntity)),
		)))
}

func appendRef(dst *[]ref) func(ref) { return func(r ref) { *dst = append(*dst, r) } }

// one reads a reference to an entity that is of kind unless it says so.
func (e *entity) one(take func(ref), kind string) strict.Value {
	return strict.Scalar(func(s string) error {
		r, err := parseRef(s, kind, e.ref.namespace)
		if err == nil {
			take(r)
		}
		return err
	})
}

func (e *entity) many(take func(ref), kind string) strict.Value {
	var none []struct{}
	return strict.List(&none, func(*struct{}) strict.Value { return e.one(take, kind) })
}

// state says what the lifecycle means for operation. What is deprecated still runs, and fails.
func (e *entity) state() event.CIState {
	switch e.lifecycle {
	case "":
		return 0
	case "experimental":
		return event.CIOrdered
	}
	return event.CILive
}

// class is the entity's kind or, where it says more, its type. Systems and components of type service are services.
func (e *entity) class() string {
	kindOf := strings.ToLower(e.kindOf)
	switch e.ref.kind {
	case systemEntity:
		return event.ServiceClass
	case componentEntity, resourceEntity:
		return cmp.Or(kindOf, e.ref.kind)
	}
	return e.ref.kind
}

// check reports what every entity must have.
func (e *entity) check(r *strict.Reader, n *yaml.Node) {
	if e.name == "" {
		r.ProblemAt(n, "metadata.name", "missing", "")
		return
	}
	if _, err := parseRef(e.name, e.ref.kind, e.ref.namespace); err != nil || strings.Contains(e.name, "/") {
		r.ProblemAt(n, "metadata.name", fmt.Sprintf("must hold neither : nor / (got %q)", clip(e.name)), "")
	}
}
