package event

import (
	"slices"
	"strings"

	"github.com/cespare/xxhash/v2"
)

// Label is one name and its value.
type Label struct{ Name, Value string }

// Labels is a set of labels: sorted by name, names unique, no empty value. The same shape serves annotations.
type Labels []Label

// Get returns the value of name, "" when there is none.
func (ls Labels) Get(name string) string {
	for i := range ls {
		if ls[i].Name == name {
			return ls[i].Value
		}
	}
	return ""
}

// Equal tells whether both sets hold the same labels.
func (ls Labels) Equal(other Labels) bool { return slices.Equal(ls, other) }

// Clone returns a deep copy that shares no memory with ls; events alias the buffer they were read from.
func (ls Labels) Clone() Labels {
	out := make(Labels, len(ls))
	for i, l := range ls {
		out[i] = Label{strings.Clone(l.Name), strings.Clone(l.Value)}
	}
	return out
}

// Map returns the set as a map, never nil.
func (ls Labels) Map() map[string]string {
	m := make(map[string]string, len(ls))
	for _, l := range ls {
		m[l.Name] = l.Value
	}
	return m
}

// String returns the set as a Prometheus selector, as in {alertname="DiskFull", instance="db-3"}.
func (ls Labels) String() string {
	var b strings.Builder
	b.WriteByte('{')
	for i, l := range ls {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(l.Name)
		b.WriteString(`="`)
		b.WriteString(valueEscaper.Replace(l.Value))
		b.WriteByte('"')
	}
	b.WriteByte('}')
	return b.String()
}

var valueEscaper = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// SortLabels brings ls into the order of a label set and drops empty values. It returns the name that occurs twice, if any.
// Senders mostly sort already, so this is an insertion sort.
func SortLabels(ls Labels) (set Labels, duplicate string) {
	set = ls[:0]
	for _, l := range ls {
		if l.Value == "" {
			continue
		}
		i := len(set)
		for i > 0 && set[i-1].Name > l.Name {
			i--
		}
		if i > 0 && set[i-1].Name == l.Name {
			return nil, l.Name
		}
		set = append(set, Label{})
		copy(set[i+1:], set[i:])
		set[i] = l
	}
	return set, ""
}

const (
	fnvOffset uint64 = 14695981039346656037
	fnvPrime  uint64 = 1099511628211
	separator        = 255 // a byte that no valid UTF-8 text holds
)

// Fingerprint is the client's fingerprint: FNV-1a over the sorted label set, bit for bit as prometheus/common/model
// computes it, because Alertmanager's clients compare it.
func (ls Labels) Fingerprint() uint64 {
	h := fnvOffset
	for i := range ls {
		h = fnvString(h, ls[i].Name)
		h = (h ^ separator) * fnvPrime
		h = fnvString(h, ls[i].Value)
		h = (h ^ separator) * fnvPrime
	}
	return h
}

func fnvString(h uint64, s string) uint64 {
	for i := 0; i < len(s); i++ {
		h = (h ^ uint64(s[i])) * fnvPrime
	}
	return h
}

// VolatileLabel tells whether name is left out of Tocsin's identity of an alert: labels in which two reports of the same
// trouble differ (the replica that reports, the severity it has reached).
func VolatileLabel(name string) bool {
	switch name {
	case "replica", "prometheus_replica", "severity":
		return true
	}
	return false
}

// Identity is Tocsin's own fingerprint of an alert: xxhash over the tenant and all labels but the volatile ones.
// scratch is reused; the grown buffer is returned.
func (ls Labels) Identity(tenant string, scratch []byte) (uint64, []byte) {
	return ls.IdentityBut(nil, tenant, scratch)
}

// IdentityBut is Identity without some more labels.
func (ls Labels) IdentityBut(ignore []string, tenant string, scratch []byte) (uint64, []byte) {
	b := append(scratch[:0], tenant...)
	for i := range ls {
		if ignored(ls[i].Name, ignore) {
			continue
		}
		b = append(b, separator)
		b = append(b, ls[i].Name...)
		b = append(b, separator)
		b = append(b, ls[i].Value...)
	}
	return xxhash.Sum64(b), b
}

func ignored(name string, ignore []string) bool {
	return VolatileLabel(name) || len(ignore) > 0 && slices.Contains(ignore, name)
}

// SameIdentity tells whether both sets are one alert: equal but for the volatile labels.
func (ls Labels) SameIdentity(other Labels) bool { return ls.SameBut(nil, other) }

// SameBut tells whether both sets are equal but for the volatile labels and some more.
func (ls Labels) SameBut(ignore []string, other Labels) bool {
	i, j := 0, 0
	for {
		for i < len(ls) && ignored(ls[i].Name, ignore) {
			i++
		}
		for j < len(other) && ignored(other[j].Name, ignore) {
			j++
		}
		if i == len(ls) || j == len(other) {
			return i == len(ls) && j == len(other)
		}
		if ls[i] != other[j] {
			return false
		}
		i, j = i+1, j+1
	}
}
