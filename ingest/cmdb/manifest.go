package cmdb

import (
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/rules/strict"
)

const itemsKey = "items" // of a Kubernetes List, and of Backstage's answers

// notSet says "not set" of a number that may be 0.
const notSet = -1

// object is what a Kubernetes manifest says that matters here.
type object struct {
	at          strict.Place
	kind        string // "" for one that is no item
	name        string
	namespace   string
	labels      event.Labels
	annotations event.Labels
	owners      []owner

	replicas       int // notSet: not said
	selector       event.Labels
	selects        bool // by more than labels: it is not known what
	template       event.Labels
	node           string
	claims         []string // volume claims
	backends       []string // services of an ingress
	minAvailable   string
	maxUnavailable string
}

type owner struct{ apiVersion, kind, name string }

// kinds of objects that become items, and the budget, which says how many pods a workload needs.
const (
	deploymentKind  = "Deployment"
	statefulSetKind = "StatefulSet"
	daemonSetKind   = "DaemonSet"
	replicaSetKind  = "ReplicaSet"
	podKind         = "Pod"
	serviceKind     = "Service"
	nodeKind        = "Node"
	namespaceKind   = "Namespace"
	ingressKind     = "Ingress"
	volumeClaimKind = "PersistentVolumeClaim"
	cronJobKind     = "CronJob"
	jobKind         = "Job"
	budgetKind      = "PodDisruptionBudget"
)

// knownKind returns kind when it is one of the above in its own API; other APIs have kinds of the same names.
func knownKind(apiVersion, kind string) string {
	group, _, named := strings.Cut(apiVersion, "/")
	if !named {
		group = ""
	}
	kinds := map[string][]string{
		"":                  {podKind, serviceKind, nodeKind, namespaceKind, volumeClaimKind},
		"apps":              {deploymentKind, statefulSetKind, daemonSetKind, replicaSetKind},
		"extensions":        {deploymentKind, daemonSetKind, replicaSetKind, ingressKind},
		"batch":             {cronJobKind, jobKind},
		"networking.k8s.io": {ingressKind},
		"policy":            {budgetKind},
	}
	if slices.Contains(kinds[group], kind) {
		return kind
	}
	return ""
}

func isWorkload(kind string) bool {
	switch kind {
	case deploymentKind, statefulSetKind, daemonSetKind, replicaSetKind:
		return true
	}
	return false
}

// field is shorter than strict.Field.
func field(key string, value strict.Value) strict.Field { return strict.Field{Key: key, Value: value} }

// value reads the object; what its spec means depends on its kind.
func (o *object) value() strict.Value {
	return open(
		field("metadata", open(
			field("name", strict.Text(&o.name)),
			field("namespace", strict.Text(&o.namespace)),
			field("labels", texts(&o.labels)),
			field("annotations", texts(&o.annotations)),
			field("ownerReferences", strict.List(&o.owners, (*owner).value)),
		)),
		field("spec", o.spec()))
}

func (w *owner) value() strict.Value {
	return open(field("apiVersion", strict.Text(&w.apiVersion)), field("kind", strict.Text(&w.kind)), field("name", strict.Text(&w.name)))
}

func (o *object) spec() strict.Value {
	template := field("template", open(field("metadata", open(field("labels", texts(&o.template)))), field("spec", o.podSpec())))
	switch {
	case isWorkload(o.kind):
		return open(field("replicas", strict.Int(&o.replicas, 0, 1<<31-1)), template)
	case o.kind == podKind:
		return o.podSpec()
	case o.kind == jobKind:
		return open(template)
	case o.kind == cronJobKind:
		return open(field("jobTemplate", open(field("spec", open(template)))))
	case o.kind == serviceKind:
		return open(field("selector", texts(&o.selector)))
	case o.kind == ingressKind:
		return o.ingressSpec()
	case o.kind == budgetKind:
		return open(field("minAvailable", strict.Text(&o.minAvailable)), field("maxUnavailable", strict.Text(&o.maxUnavailable)),
			field("selector", open(field("matchLabels", texts(&o.selector)), field("matchExpressions", o.selectsMore))))
	}
	return ignore
}

func (o *object) selectsMore(_ *strict.Reader, n *yaml.Node) { o.selects = len(resolve(n).Content) > 0 }

func (o *object) podSpec() strict.Value {
	var volumes []struct{}
	claim := open(field("persistentVolumeClaim", open(field("claimName", appendText(&o.claims)))))
	return open(
		field("nodeName", strict.Text(&o.node)),
		field("volumes", strict.List(&volumes, func(*struct{}) strict.Value { return claim })))
}

// ingressSpec reads the services behind an ingress, in today's form and that of extensions/v1beta1.
func (o *object) ingressSpec() strict.Value {
	backend := open(field("service", open(field("name", appendText(&o.backends)))), field("serviceName", appendText(&o.backends)))
	var rules, paths []struct{}
	path := open(field("backend", backend))
	rule := open(field("http", open(field("paths", strict.List(&paths, func(*struct{}) strict.Value { return path })))))
	return open(field("defaultBackend", backend), field("backend", backend),
		field("rules", strict.List(&rules, func(*struct{}) strict.Value { return rule })))
}

func appendText(dst *[]string) strict.Value {
	return strict.Scalar(func(s string) error {
		*dst = append(*dst, s)
		return nil
	})
}
