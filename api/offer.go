package api

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/auth"
	"github.com/tocsin-noc/tocsin/itsm"
)

// OfferQuery is what a caller says of their trouble.
type OfferQuery struct {
	Service string `query:"service" maxLength:"200" doc:"id of the service they cannot use"`
	CI      string `query:"ci" maxLength:"200" doc:"id of the configuration item that is ill"`
	Text    string `query:"text" maxLength:"1000" doc:"in their own words"`
}

// OfferList holds the running incidents that a caller may mean.
type OfferList struct {
	Offers []Offer `json:"offers" doc:"the likeliest first, at most 10"`
}

// Offer is one running incident that a caller may mean.
type Offer struct {
	Incident Incident `json:"incident"`
	Why      []string `json:"why" doc:"what speaks for it"`
	Reported uint32   `json:"reported" doc:"how many others report it"`
	Sentence string   `json:"sentence" example:"38 others report this."`
}

const (
	maxOffers  = 10
	minWord    = 3  // letters of a word that says something
	maxWords   = 20 // of a caller that are looked for
	ofService  = 40 // the incident hurts that service
	ofCI       = 40 // it is about that item
	ofWord     = 5  // a word of theirs stands in its title
	ofLabel    = 3  // … in a label that its alerts share
	ofReport   = 3  // … in what another caller said
	mostByWord = 30 // what words can come to, so that they never outweigh a service
)

// Offer lists running incidents that a caller may mean: those that hurt what they name, and those in which their words stand. It only
// reads.
func (d *Desk) Offer(ctx context.Context, q *OfferQuery) (*OfferList, error) {
	said := spoken(q.Text)
	if q.Service == "" && q.CI == "" && len(said) == 0 {
		return nil, invalid("say what the trouble is", "give service, ci or text")
	}
	v, err := d.engine.View(ctx)
	if err != nil {
		return nil, failure(err)
	}
	p := auth.FromContext(ctx)
	s, why := &sieve[event.IncidentID]{limit: maxOffers}, map[event.IncidentID][]string{}
	looked := 0
	for r := range v.OpenRows() {
		if looked++; looked%1024 == 0 && ctx.Err() != nil {
			return nil, failure(ctx.Err())
		}
		if !event.InTenant(p.Tenant, r.Tenant()) {
			continue
		}
		if score, reasons := likeness(r, q, said); score > 0 {
			why[r.ID] = reasons
			s.add(rank{-score, uint64(r.ID)}, r.ID)
		}
	}
	return &OfferList{items(s, func(id event.IncidentID) Offer {
		i, _ := v.Incident(id)
		shown := d.seenBy(p, v, i, countedOnLists)
		return Offer{shown, why[id], shown.Reported, reportedText(shown.Reported)}
	})}, nil
}

func reportedText(n uint32) string {
	switch n {
	case 0:
		return "Nobody else has reported this yet."
	case 1:
		return "1 other reports this."
	}
	return fmt.Sprintf("%d others report this.", n)
}

// likeness says how much speaks for an incident, and what. Among equals the one that more people report comes first.
func likeness(r *correlate.Row, q *OfferQuery, said []string) (score int64, why []string) {
	i := r.Incident()
	if q.Service != "" && (touchesService(&i.IncidentState, q.Service) || i.Labels.Get("service") == q.Service) {
		score, why = score+ofService, append(why, "it hurts "+q.Service)
	}
	if q.CI != "" && (i.CI == q.CI || i.Labels.CI().Name == q.CI) {
		score, why = score+ofCI, append(why, "it is about "+q.CI)
	}
	if byWord, words := wordsIn(&i.IncidentState, said); byWord > 0 {
		score, why = score+min(byWord, mostByWord), append(why, "it speaks of "+strings.Join(words, ", "))
	}
	if score == 0 {
		return 0, nil
	}
	score *= 1000
	if itsm.MajorRuns(&i.IncidentState) {
		score += 500
	}
	if i.Dossier != nil {
		score += int64(min(i.Dossier.Reported, 400))
	}
	return score, why
}

// wordsIn looks for a caller's words in an incident.
func wordsIn(i *event.IncidentState, said []string) (score int64, found []string) {
	if len(said) == 0 {
		return 0, nil
	}
	title := strings.ToLower(i.Title)
	for _, w := range said {
		at := int64(0)
		switch {
		case strings.Contains(title, w):
			at = ofWord
		case slices.ContainsFunc(shared(i), func(l event.Label) bool { return contains(w, l.Value) }):
			at = ofLabel
		case i.Dossier != nil && slices.ContainsFunc(i.Dossier.Reports, func(r event.Report) bool { return contains(w, r.Text) }):
			at = ofReport
		}
		if at > 0 {
			score, found = score+at, append(found, w)
		}
	}
	return score, found
}

// spoken returns the words of a text that say something, in lower case and each once.
func spoken(text string) (words []string) {
	for w := range strings.FieldsFuncSeq(strings.ToLower(text), func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) }) {
		if len([]rune(w)) >= minWord && !slices.Contains(words, w) && !idle(w) && len(words) < maxWords {
			words = append(words, w)
		}
	}
	return words
}

// idle are words that stand in every second call.
func idle(w string) bool {
	switch w {
	case "the", "and", "not", "can", "cannot", "does", "doesn", "don", "work", "works", "working", "with", "for", "have", "has", "are", "was", "our", "your",
		"down", "error", "problem", "please", "since", "when", "nothing", "there", "this", "that", "any":
		return true
	}
	return false
}
