package rules

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

// only leaves out all that is shipped about labels and items.
const only = "disable: [kubernetes.yml, node.yml, network.yml, blackbox.yml, severity words]\n"

func normalised(t testing.TB, s *Set, pairs ...string) string {
	t.Helper()
	in := &Input{Labels: labelSet(t, pairs...)}
	before := in.Labels.String()
	ls, changed := s.Normalise(in, &Scratch{})
	require.Equal(t, before, in.Labels.String(), "what clients see stays")
	require.Equal(t, changed, !ls.Equal(in.Labels))
	sorted, duplicate := event.SortLabels(ls.Clone())
	require.Empty(t, duplicate)
	require.Equal(t, sorted.String(), ls.String())
	return ls.String()
}

func TestLabelsAreNormalisedRuleByRule(t *testing.T) {
	s := mustParse(t, only+`
tables:
  - name: sites
    columns: [code, site, zip]
    rows: [[fra, Frankfurt, ""], [nyc, New York, "10001"]]
  - name: owners
    values: {shop: web, bank: {value: core, pager: b}}
normalise:
  - name: words
    match: [prio!=""]
    map: {label: prio, into: severity, values: {"1": critical, "2": major}, default: info}
  - name: old names
    rename: {hostname: host, none: host}
  - name: site of a host
    match: [site=""]
    derive: {from: host, matching: '([a-z]{3})-(.+)', labels: {code: $1, short: "$2.$team", number: "${2}$$"}}
  - name: site by its code
    match: [code!=""]
    look_up: {table: sites, key: code, into: {site: site, zip: zip}}
    drop: [code, number]
  - name: owner
    if: labels.service == "bank" || labels.service == "shop"
    look_up: {table: owners, key: service, into: {team: value, pager: pager}}
    set: {routed: by service}
`)
	require.True(t, s.HasNormalise())
	require.Equal(t, `{host="fra-db-3", site="Frankfurt"}`, normalised(t, s, "hostname", "fra-db-3", "host", "old"))
	require.Equal(t, `{host="nyc-db-3", short="db-3.dba", site="New York", team="dba", zip="10001"}`, normalised(t, s, "host", "nyc-db-3", "team", "dba"))
	require.Equal(t, `{host="x"}`, normalised(t, s, "host", "x"))
	require.Equal(t, `{prio="1", severity="critical"}`, normalised(t, s, "prio", "1", "severity", "5"))
	require.Equal(t, `{prio="9", severity="info"}`, normalised(t, s, "prio", "9"), "the default")
	require.Equal(t, `{routed="by service", service="shop", team="web"}`, normalised(t, s, "service", "shop", "team", "old"))
	require.Equal(t, `{pager="b", routed="by service", service="bank", team="core"}`, normalised(t, s, "service", "bank"))
	require.Equal(t, `{}`, normalised(t, s))
}

func TestAMapWithoutADefaultLeavesOtherValues(t *testing.T) {
	s := mustParse(t, only+"normalise: [{name: a, map: {label: env, into: stage, values: {prd: prod}}}]")
	require.Equal(t, `{env="prd", stage="prod"}`, normalised(t, s, "env", "prd"))
	require.Equal(t, `{env="test", stage="test"}`, normalised(t, s, "env", "test"))
	require.Equal(t, `{a="b"}`, normalised(t, s, "a", "b"))
}

func TestNormalisingAllocatesNothingWhereNoRuleApplies(t *testing.T) {
	s := mustParse(t)
	in := &Input{Labels: labelSet(t, "alertname", "A", "instance", "i", "job", "shop", "severity", "critical")}
	scratch := &Scratch{}
	require.Zero(t, testing.AllocsPerRun(100, func() { s.Normalise(in, scratch) }))
	ls, changed := s.Normalise(in, scratch)
	require.False(t, changed)
	require.Same(t, &in.Labels[0], &ls[0], "the same slice")
}

func TestTheShippedRulesNormaliseWhatSendersWrite(t *testing.T) {
	s := mustParse(t)
	for _, c := range []struct {
		name   string
		labels []string
		want   string
	}{
		{"severity words", []string{"severity", "crit"}, `{severity="critical"}`},
		{"known words stay", []string{"severity", "page"}, `{severity="page"}`},
		{"a Deployment's pod", []string{"namespace", "shop", "pod", "web-front-6bdf9c8d47-x2x9p"}, `{namespace="shop", pod="web-front-6bdf9c8d47-x2x9p", workload="web-front"}`},
		{"a pod of another kind", []string{"namespace", "shop", "pod", "redis-0"}, `{namespace="shop", pod="redis-0"}`},
		{"a StatefulSet", []string{"namespace", "shop", "statefulset", "redis"}, `{namespace="shop", statefulset="redis", workload="redis"}`},
		{"what kube-state-metrics tells of", []string{"alertname", "KubeDeploymentReplicasMismatch", "deployment", "web", "instance", "10.0.0.1:8080", "job", "kube-state-metrics", "namespace", "shop", "service", "kube-state-metrics"},
			`{alertname="KubeDeploymentReplicasMismatch", deployment="web", job="kube-state-metrics", namespace="shop", workload="web"}`},
		{"kube-state-metrics itself", []string{"alertname", "TargetDown", "instance", "10.0.0.1:8080", "job", "kube-state-metrics"}, `{alert_kind="unreachable", alertname="TargetDown", instance="10.0.0.1:8080", job="kube-state-metrics"}`},
		{"the node exporter", []string{"alertname", "NodeFilesystemAlmostOutOfSpace", "instance", "node-3:9100", "job", "node-exporter", "namespace", "monitoring", "pod", "node-exporter-x2x9p", "service", "node-exporter"},
			`{alertname="NodeFilesystemAlmostOutOfSpace", host="node-3", instance="node-3:9100", job="node-exporter", namespace="monitoring"}`},
		{"a host of a service", []string{"instance", "db-3:9100", "job", "node", "service", "shop"}, `{host="db-3", instance="db-3:9100", job="node", service="shop"}`},
		{"an interface", []string{"ifDescr", "GigabitEthernet0/1", "ifName", "Gi0/1", "sysName", "sw-1"}, `{ifDescr="GigabitEthernet0/1", ifName="Gi0/1", interface="Gi0/1", sysName="sw-1", sysname="sw-1"}`},
		{"a trap", []string{"sysName", "sw-1", "trap_oid", "1.3.6.1.6.3.1.1.5.3"}, `{alertname="linkDown", severity="major", sysName="sw-1", sysname="sw-1", trap_oid="1.3.6.1.6.3.1.1.5.3"}`},
		{"a trap that says how bad it is", []string{"severity", "critical", "trap_oid", "1.3.6.1.6.3.1.1.5.3"}, `{alertname="linkDown", severity="critical", trap_oid="1.3.6.1.6.3.1.1.5.3"}`},
		{"a probe", []string{"instance", "https://shop.example.org:8443/health?x=1", "job", "blackbox"}, `{host="shop.example.org", instance="https://shop.example.org:8443/health?x=1", job="blackbox"}`},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, normalised(t, s, c.labels...)) })
	}
}
