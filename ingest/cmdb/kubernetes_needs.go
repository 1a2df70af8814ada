package cmdb

import (
	"strconv"
	"strings"
)

// needs returns how many pods each workload needs by the budgets over it; one that no budget tells of needs one.
func (m *manifests) needs() map[*object]uint16 {
	needs := map[*object]uint16{}
	workloads := m.byNamespace(func(o *object) bool { return isWorkload(o.kind) })
	for _, b := range m.objects {
		if b.kind != budgetKind || b.selects {
			continue
		}
		for _, o := range m.pick(b, workloads) {
			needs[o] = max(needs[o], b.minimum(o))
		}
	}
	return needs
}

// minimum returns how many pods of workload w must be up as the budget o has it, 0 when that is not known or no more than one.
// Shares are rounded up, as Kubernetes does. More than there are would be an outage for ever.
func (o *object) minimum(w *object) uint16 {
	replicas := w.replicas
	if replicas == notSet && w.kind != daemonSetKind {
		replicas = 1
	}
	n, ok := scaled(o.minAvailable, replicas)
	if !ok {
		if n, ok = scaled(o.maxUnavailable, replicas); !ok || replicas == notSet {
			return 0
		}
		n = replicas - n
	}
	if replicas != notSet {
		n = min(n, replicas)
	}
	if n <= 1 {
		return 0
	}
	return uint16(min(n, 1<<16-1))
}

// scaled reads 3 or 50% of replicas.
func scaled(s string, replicas int) (n int, ok bool) {
	number, share := strings.CutSuffix(s, "%")
	n, err := strconv.Atoi(number)
	switch {
	case err != nil || n < 0 || n > 1<<31-1:
		return 0, false
	case !share:
		return n, true
	}
	return (n*replicas + 99) / 100, replicas != notSet
}
