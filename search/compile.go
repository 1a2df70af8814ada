package search

import (
	"context"
	"fmt"

	"github.com/blevesearch/bleve/v2/search"
	"github.com/blevesearch/bleve/v2/search/searcher"
	index "github.com/blevesearch/bleve_index_api"
)

// maxExpansion bounds the words that a prefix stands for.
const maxExpansion = 1024

// What a match in a title, and the incident's own number, count more than one in any other text. A filter counts next to nothing.
const (
	boostTitle  = 2
	boostID     = 50
	boostFilter = 1e-6
)

// compiler turns the conditions into bleve's searchers, for one tenant: each term that it asks for begins with the tenant.
type compiler struct {
	ctx     context.Context //nolint:containedctx // lives for one query
	reader  index.IndexReader
	tenant  string
	options search.SearcherOptions
	text    string // of the query, for errors
}

// query compiles all conditions into one searcher.
func (c *compiler) query(clauses []clause, f Filters) (search.Searcher, error) {
	var must, not []search.Searcher
	for i := range clauses {
		s, err := c.clause(&clauses[i])
		if err != nil {
			return nil, closeAll(err, append(must, not...))
		}
		if clauses[i].not {
			not = append(not, s)
		} else {
			must = append(must, s)
		}
	}
	for name, values := range map[string][]string{"status": f.Status, "severity": f.Severity, "team": f.Teams} {
		if len(values) == 0 {
			continue
		}
		terms := make([]string, len(values))
		for i, v := range values {
			terms[i] = term(c.tenant, name+"="+foldValue(v))
		}
		s, err := searcher.NewMultiTermSearcher(c.ctx, c.reader, terms, fieldFilter, boostFilter, c.options, false)
		if err != nil {
			return nil, closeAll(err, append(must, not...))
		}
		must = append(must, s)
	}
	if len(must) == 0 {
		s, err := searcher.NewTermSearcher(c.ctx, c.reader, term(c.tenant, ""), fieldTenant, boostFilter, c.options)
		if err != nil {
			return nil, closeAll(err, not)
		}
		must = append(must, s)
	}
	return c.boolean(must, not)
}

func closeAll(err error, list []search.Searcher) error {
	for _, s := range list {
		_ = s.Close() // frees memory; there is nothing to lose
	}
	return err
}

func (c *compiler) boolean(must, not []search.Searcher) (search.Searcher, error) {
	all, err := searcher.NewConjunctionSearcher(c.ctx, c.reader, must, c.options)
	if err != nil || len(not) == 0 {
		return all, err
	}
	none, err := searcher.NewDisjunctionSearcher(c.ctx, c.reader, not, 0, c.options)
	if err != nil {
		return nil, err
	}
	return searcher.NewBooleanSearcher(c.ctx, c.reader, all, nil, none, c.options)
}

func (c *compiler) clause(cl *clause) (search.Searcher, error) {
	var list []search.Searcher
	add := func(s search.Searcher, err error) error {
		if err == nil {
			list = append(list, s)
		}
		return err
	}
	var err error
	if cl.exact != "" {
		return c.filter(cl.field, cl.exact, boostFilter)
	}
	if cl.id != 0 {
		err = add(c.filter("id", docID(cl.id), boostID))
	}
	switch {
	case err != nil || len(cl.words) == 0:
	case cl.field == FieldLabel:
		err = add(c.words(cl, fieldLabels, cl.label+"=", 1))
	case cl.field != "":
		err = add(c.words(cl, cl.field, "", 1))
	default:
		if err = add(c.words(cl, fieldAny, "", 1)); err == nil && c.options.Score == "" && !cl.not {
			err = add(c.words(cl, FieldTitle, "", boostTitle))
		}
	}
	if err != nil {
		return nil, closeAll(err, list)
	}
	if len(list) == 1 {
		return list[0], nil
	}
	return searcher.NewDisjunctionSearcher(c.ctx, c.reader, list, 1, c.options)
}

func (c *compiler) filter(name, value string, boost float64) (search.Searcher, error) {
	return searcher.NewTermSearcher(c.ctx, c.reader, term(c.tenant, name+"="+value), fieldFilter, boost, c.options)
}

// words finds words that follow each other in one text of a field; of what is loose it finds too much.
func (c *compiler) words(cl *clause, field, before string, boost float64) (search.Searcher, error) {
	if len(cl.words) == 1 {
		return c.term(cl, field, before+cl.words[0].word, cl.prefix, boost)
	}
	var list []search.Searcher
	add := func(s search.Searcher, err error) error {
		if err == nil {
			list = append(list, s)
		}
		return err
	}
	for i := 1; i < len(cl.words); i++ {
		if err := add(c.term(cl, field+pairs, before+pair(cl.words[i-1], cl.words[i]), cl.prefix && i == len(cl.words)-1, boost)); err != nil {
			return nil, closeAll(err, list)
		}
	}
	return searcher.NewConjunctionSearcher(c.ctx, c.reader, list, c.options)
}

// loose tells whether terms alone do not say that the words follow each other, so that the record must be asked: the pairs of three
// and more may stand apart.
func (c *clause) loose() bool { return len(c.words) > 2 }

// term finds one term, or all that begin with it.
func (c *compiler) term(cl *clause, field, word string, prefix bool, boost float64) (search.Searcher, error) {
	if !prefix {
		return searcher.NewTermSearcher(c.ctx, c.reader, term(c.tenant, word), field, boost, c.options)
	}
	terms, err := c.expand(cl, field, term(c.tenant, word))
	switch {
	case err != nil:
		return nil, err
	case len(terms) == 0:
		return searcher.NewMatchNoneSearcher(c.reader)
	}
	return searcher.NewMultiTermSearcher(c.ctx, c.reader, terms, field, boost, c.options, false)
}

// expand lists the terms that begin as given.
func (c *compiler) expand(cl *clause, field, beginning string) (terms []string, err error) {
	d, err := c.reader.FieldDictPrefix(field, []byte(beginning))
	if err != nil {
		return nil, err
	}
	defer d.Close()
	for {
		e, err := d.Next()
		if err != nil || e == nil {
			return terms, err
		}
		if len(terms) == maxExpansion {
			return nil, &QueryError{c.text, cl.offset, fmt.Sprintf("more than %d words begin so", maxExpansion), "write more letters before the *"}
		}
		terms = append(terms, e.Term)
	}
}
