package reports

import (
	"cmp"
	"embed"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

//go:embed sql/*.sql
var files embed.FS

// ErrUnknown says that the catalogue has no report of that name.
var ErrUnknown = errors.New("reports: there is no report of that name")

// ErrWaits says that a report is defined, but its facts are not recorded yet.
var ErrWaits = errors.New("reports: this report cannot be run yet")

// Catalogue is all reports.
type Catalogue struct {
	reports []*Report // by id, then name
}

// Open reads the reports of this binary. An error is a mistake in one of their files.
func Open() (*Catalogue, error) {
	text, err := files.ReadFile("sql/fragments.sql")
	if err != nil {
		return nil, err
	}
	shared, err := readFragments(string(text))
	if err != nil {
		return nil, err
	}
	entries, err := files.ReadDir("sql")
	if err != nil {
		return nil, err
	}
	c := &Catalogue{}
	for _, e := range entries {
		if e.Name() == "fragments.sql" {
			continue
		}
		text, err := files.ReadFile("sql/" + e.Name())
		if err != nil {
			return nil, err
		}
		r, err := parse(e.Name(), string(text), shared)
		if err != nil {
			return nil, err
		}
		if _, err := c.Find(r.Name); err == nil {
			return nil, fmt.Errorf("reports: sql/%s: name: %s is that of another report", e.Name(), r.Name)
		}
		c.reports = append(c.reports, r)
	}
	slices.SortStableFunc(c.reports, func(a, b *Report) int {
		return cmp.Or(cmp.Compare(a.number(), b.number()), cmp.Compare(a.Name, b.Name))
	})
	return c, nil
}

// number is what a report is sorted by; those without one come last.
func (r *Report) number() int {
	n, err := strconv.Atoi(strings.TrimPrefix(r.ID, "R"))
	if err != nil {
		return 1 << 20
	}
	return n
}

// List returns all reports by id, those that cannot be run yet as well.
func (c *Catalogue) List() []*Report { return slices.Clone(c.reports) }

// Find returns a report by its name, or by its id where only one has it.
func (c *Catalogue) Find(name string) (*Report, error) {
	var found []*Report
	for _, r := range c.reports {
		if r.Name == name {
			return r, nil
		}
		if strings.EqualFold(r.ID, name) {
			found = append(found, r)
		}
	}
	switch len(found) {
	case 0:
		return nil, fmt.Errorf("%w: %q", ErrUnknown, name)
	case 1:
		return found[0], nil
	}
	var them []string
	for _, r := range found {
		them = append(them, r.Name)
	}
	return nil, fmt.Errorf("%w: %s is any of %s", ErrUnknown, name, strings.Join(them, ", "))
}

// Pack returns the reports of a pack, in order.
func (c *Catalogue) Pack(pack string) []*Report {
	var in []*Report
	for _, r := range c.reports {
		if slices.Contains(r.Packs, pack) && r.Waits == "" {
			in = append(in, r)
		}
	}
	return in
}
