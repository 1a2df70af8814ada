package rules

import "sync" // pure: the same texts are the same set, whoever read them first

const (
	keptSets  = 4
	keptBytes = 64 << 10 // longer texts, with tables in them, are not worth the memory once they are out of force
)

// latest are the sets that were read last. The shell reads rules to check them, the step to take them, the state to fold them; and every
// new state reads the shipped ones.
var latest memory

type memory struct {
	mu   sync.Mutex
	sets []readSet // at most keptSets, the newest first
}

type readSet struct {
	key string // the texts
	set *Set
}

// find returns the set of these texts, nil when it is not among the latest.
func (m *memory) find(key string) *Set {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, r := range m.sets {
		if r.key == key {
			copy(m.sets[1:i+1], m.sets[:i])
			m.sets[0] = r
			return r.set
		}
	}
	return nil
}

func (m *memory) keep(key string, set *Set) {
	if len(key) > keptBytes {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sets = append([]readSet{{key, set}}, m.sets[:min(len(m.sets), keptSets-1)]...)
}
