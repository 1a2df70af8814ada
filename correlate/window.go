package correlate

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/alertmanager/pkg/labels"
	"github.com/prometheus/alertmanager/timeinterval"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/rules"
)

// window is a maintenance window made ready.
type window struct {
	event.Window
	Warned bool // of the end of the occurrence that runs

	matchers  labels.Matchers
	intervals []timeinterval.TimeInterval
	zone      *time.Location
	nextAt    event.Time // when an occurrence begins, or when to look for one again; it follows from the rest
}

const (
	// maxOccurrence bounds an occurrence of a recurring window: every mute has an end.
	maxOccurrence = 7 * event.Day
	// lookAhead is how far ahead the next occurrence is looked for at a time.
	lookAhead = event.Day
)

func newWindow(w event.Window) (*window, error) {
	out := &window{Window: w, zone: time.UTC}
	for _, m := range w.Matchers {
		match, err := labels.NewMatcher(matchType(m), m.Name, m.Value)
		if err != nil {
			return nil, err
		}
		out.matchers = append(out.matchers, match)
	}
	if w.Intervals == "" {
		return out, nil
	}
	if err := json.Unmarshal([]byte(w.Intervals), &out.intervals); err != nil {
		return nil, fmt.Errorf("time intervals: %w", err)
	}
	if len(w.ZoneData) > 0 {
		zone, err := time.LoadLocationFromTZData(w.Zone, w.ZoneData)
		if err != nil {
			return nil, fmt.Errorf("zone %s: %w", w.Zone, err)
		}
		out.zone = zone
	}
	return out, nil
}

// recurs tells whether the window has occurrences.
func (w *window) recurs() bool { return w.Intervals != "" }

// matches tells whether an alert with these labels is what the window is about.
func (w *window) matches(tenant string, ls event.Labels) bool {
	if w.Tenant != tenant || len(w.CIs) > 0 && !slices.Contains(w.CIs, ls.CI().Name) {
		return false
	}
	for _, m := range w.matchers {
		if !m.Matches(ls.Get(m.Name)) {
			return false
		}
	}
	return true
}

// holds tells whether the window's time intervals hold in the minute of at, within its bounds.
func (w *window) holds(at event.Time) bool {
	if at < w.StartsAt || w.EndsAt != 0 && at >= w.EndsAt {
		return false
	}
	if !w.recurs() {
		return true
	}
	local := at.Time().In(w.zone)
	return slices.ContainsFunc(w.intervals, func(ti timeinterval.TimeInterval) bool { return ti.ContainsTime(local) })
}

// closing returns the end of the occurrence that runs at at.
func (w *window) closing(at event.Time) event.Time {
	if !w.recurs() {
		return w.EndsAt
	}
	end := at/event.Minute*event.Minute + event.Minute
	for end < at+maxOccurrence && w.holds(end) {
		end += event.Minute
	}
	if w.EndsAt != 0 {
		end = min(end, w.EndsAt)
	}
	return end
}

// opening returns when the next occurrence begins, or when to look for it again; Never when there will be none.
func (w *window) opening(at event.Time) event.Time {
	switch {
	case w.EndsAt != 0 && w.EndsAt <= max(at, w.StartsAt): // it is over, or was ended before it began
		return event.Never
	case w.holds(at):
		return at
	case at < w.StartsAt:
		if w.holds(w.StartsAt) {
			return w.StartsAt
		}
		at = w.StartsAt
	}
	minute := at/event.Minute*event.Minute + event.Minute
	for end := minute + lookAhead; minute < end; minute += event.Minute {
		if w.holds(minute) {
			return minute
		}
	}
	return minute
}

// deadline is when something is due for the window.
func (w *window) deadline(set *rules.Settings) event.Time {
	switch {
	case w.over():
		return w.EndsAt + set.SilenceRetention
	case !w.Runs():
		return w.nextAt
	case w.warns(set):
		return w.CloseAt - set.MuteWarning
	}
	return w.CloseAt
}

// over tells whether there will be no further occurrence.
func (w *window) over() bool { return w.nextAt == event.Never && !w.Runs() }

// warns tells whether the end of the occurrence has yet to be announced; a short one is not.
func (w *window) warns(set *rules.Settings) bool {
	return !w.Warned && set.MuteWarning > 0 && w.CloseAt-w.OpenAt > set.MuteWarning
}

// setWindow makes a window, or replaces one.
func (s *State) setWindow(c *event.Command) event.Result {
	w := *c.Window
	w.Tenant, w.Actor, w.UpdatedAt, w.OpenAt, w.CloseAt = c.Tenant, c.Actor, s.meta.At, 0, 0
	if refusal := s.checkWindow(&w); refusal != nil {
		return event.Result{Err: refusal}
	}
	if w.ID != "" {
		i := s.desk.window(w.ID, c.Tenant)
		if i < 0 {
			return refuse(event.NotFound, "window "+w.ID+" not found", "`tocsin window list` lists those there are")
		}
		if s.extendWindow(i, &w) {
			return event.Result{WindowID: w.ID}
		}
		s.cutWindow(s.desk.Windows[i], c.Actor)
	} else {
		if len(s.desk.Windows) >= maxWindows {
			return refuse(event.Conflict, fmt.Sprintf("there are %d windows, the most there can be", maxWindows), "end some")
		}
		w.ID = s.newUUID()
	}
	s.emit(event.Change{Kind: event.WindowSet, Window: &w, Actor: c.Actor})
	s.reviewWindows(s.desk.Windows[s.desk.window(w.ID, w.Tenant)])
	return event.Result{WindowID: w.ID}
}

// extendWindow puts w in the place of a window that runs, if w runs now too: what both quiet stays quiet. It tells whether it did.
func (s *State) extendWindow(i int, w *event.Window) bool {
	before := s.desk.Windows[i]
	after, err := newWindow(*w)
	if err != nil || !before.Runs() || !after.holds(s.meta.At) {
		return false
	}
	firing := s.firingUnder(before, after)
	quieted := s.quieted(firing[0])
	w.OpenAt, w.CloseAt = before.OpenAt, after.closing(s.meta.At)
	s.emit(event.Change{Kind: event.WindowSet, Window: w, Actor: w.Actor})
	s.release(quieted)
	s.muteFor(firing[1])
	return true
}

func (s *State) checkWindow(w *event.Window) *event.Refusal {
	invalid := func(message, hint string) *event.Refusal {
		return &event.Refusal{Code: event.Invalid, Message: message, Hint: hint}
	}
	w.StartsAt = max(w.StartsAt, 1)
	switch {
	case w.Name == "" || w.Reason == "":
		return invalid("a window needs a name and a reason", "who finds it at night wants to know why")
	case len(w.Matchers) == 0 && len(w.CIs) == 0:
		return invalid("a window needs matchers or configuration items", "without them it would quiet everything")
	case w.EndsAt == 0 && w.Intervals == "":
		return invalid("a window that does not recur needs an end", "")
	case w.EndsAt != 0 && w.EndsAt <= max(w.StartsAt, s.meta.At):
		return invalid("the window's end must lie after its start and ahead", "")
	}
	if _, err := newWindow(*w); err != nil {
		return invalid(err.Error(), "")
	}
	return nil
}

// endWindow ends a window for good, and the occurrence that runs now.
func (s *State) endWindow(c *event.Command) event.Result {
	i := s.desk.window(c.WindowID, c.Tenant)
	if i < 0 {
		return refuse(event.NotFound, "window "+c.WindowID+" not found", "`tocsin window list` lists those there are")
	}
	s.cutWindow(s.desk.Windows[i], c.Actor)
	if w := s.desk.Windows[i].Window; w.EndsAt == 0 || w.EndsAt > s.meta.At {
		w.EndsAt, w.UpdatedAt = s.meta.At, s.meta.At
		s.emit(event.Change{Kind: event.WindowSet, Window: &w, Actor: c.Actor})
	}
	return event.Result{WindowID: c.WindowID}
}

func (d *desk) window(id, tenant string) int {
	return slices.IndexFunc(d.Windows, func(w *window) bool { return w.ID == id && w.Tenant == tenant })
}

// cutWindow ends the occurrence of a window if one runs.
func (s *State) cutWindow(w *window, actor string) {
	if w.Runs() {
		s.closeWindow(w, s.firingUnder(w)[0], actor)
	}
}

// closeWindow ends the occurrence that runs; what it quieted of what it matches rings if it still fires.
func (s *State) closeWindow(of *window, firing []uint32, actor string) {
	w := of.Window
	quieted := s.quieted(firing)
	w.OpenAt, w.CloseAt = 0, 0
	s.emit(event.Change{Kind: event.WindowEnded, Window: &w, Count: s.alertsOf(quieted), Actor: actor})
	s.release(quieted)
}

// release lets go of claims that no window quiets any more.
func (s *State) release(claims []uint32) {
	for _, claim := range claims {
		c := s.claims.At(claim)
		if c.alert == 0 || c.phase != event.Firing || s.inWindow(s.tenantOf(c.source), s.claimLabels(claim)) {
			continue
		}
		state := c.state(claim)
		state.Maintenance = false
		s.requieted(c.alert, state)
	}
}

// quieted returns those of the claims that a window quiets.
func (s *State) quieted(claims []uint32) (out []uint32) {
	for _, slot := range claims {
		if c := s.claims.At(slot); c.phase == event.Firing && c.flags&flagMaintenance != 0 {
			out = append(out, slot)
		}
	}
	return out
}

// inWindow tells whether an alert with these labels that begins now begins inside a window.
func (s *State) inWindow(tenant string, ls event.Labels) bool {
	for _, w := range s.desk.Windows {
		if w.Runs() && w.matches(tenant, ls) {
			return true
		}
	}
	return false
}

// windowsDue starts, announces the end of, ends and forgets windows.
func (s *State) windowsDue() {
	var due []*window
	for _, w := range s.desk.Windows {
		if w.deadline(s.settings()) <= s.meta.At {
			due = append(due, w)
		}
	}
	s.reviewWindows(due...)
}

// reviewWindows brings the effect of some windows in line with the time.
func (s *State) reviewWindows(list ...*window) {
	var turning []mute
	for _, w := range list {
		if s.windowTurns(w) {
			turning = append(turning, w)
		}
	}
	firing := s.firingUnder(turning...)
	for _, w := range list {
		if s.windowTurns(w) {
			s.reviewWindow(w, firing[0])
			firing = firing[1:]
		} else {
			s.reviewWindow(w, nil)
		}
	}
}

// windowTurns tells whether something is due for a window that concerns what it matches.
func (s *State) windowTurns(w *window) bool {
	if w.Runs() {
		return s.meta.At >= w.CloseAt || w.warns(s.settings()) && s.meta.At >= w.CloseAt-s.settings().MuteWarning
	}
	return !w.over() && w.holds(s.meta.At)
}

// reviewWindow brings a window's effect on the firing claims that it matches in line with the time.
func (s *State) reviewWindow(w *window, firing []uint32) {
	copied := w.Window
	switch {
	case w.over():
		if s.meta.At >= w.EndsAt+s.settings().SilenceRetention {
			s.emit(event.Change{Kind: event.WindowDropped, Window: &copied})
		}
	case !w.Runs():
		if w.holds(s.meta.At) {
			copied.OpenAt, copied.CloseAt = s.meta.At, w.closing(s.meta.At)
			s.emit(event.Change{Kind: event.WindowStarted, Window: &copied})
			s.muteFor(firing)
			return
		}
		again := *w // an occurrence was looked for, and lies further ahead
		again.nextAt = w.opening(s.meta.At)
		s.desk.Windows = replaced(s.desk.Windows, s.desk.window(w.ID, w.Tenant), &again)
	case s.meta.At >= w.CloseAt:
		s.closeWindow(w, firing, "")
	case s.windowTurns(w):
		s.emit(event.Change{Kind: event.WindowEnding, Window: &copied, Count: s.alertsOf(s.quieted(firing))})
	}
}

// muteFor quiets those of the claims that fire and are in no incident: a window quiets what begins in it, and what has begun and
// waits.
func (s *State) muteFor(claims []uint32) {
	for _, slot := range claims {
		c := s.claims.At(slot)
		if c.phase != event.Firing || c.flags&flagMaintenance != 0 || s.alerts.At(c.alert).incident != 0 {
			continue
		}
		state := c.state(slot)
		state.Maintenance = true
		s.requieted(c.alert, state)
	}
}

func (s *State) applyWindow(ch *event.Change) {
	i := s.desk.window(ch.Window.ID, ch.Window.Tenant)
	if ch.Kind == event.WindowDropped {
		s.desk.Windows = without(s.desk.Windows, i)
		return
	}
	w, err := newWindow(cloneWindow(ch.Window))
	if err != nil {
		panic(err)
	}
	w.nextAt = w.opening(ch.At)
	w.Warned = ch.Kind == event.WindowEnding
	s.desk.Windows = replaced(s.desk.Windows, i, w)
	s.watchBy(w.deadline(s.settings()))
}

// cloneWindow copies a window whose texts alias a record.
func cloneWindow(in *event.Window) event.Window {
	out := *in
	out.Matchers = slices.Clone(in.Matchers)
	for i := range out.Matchers {
		m := &out.Matchers[i]
		m.Name, m.Value = clone(m.Name), clone(m.Value)
	}
	out.CIs = slices.Clone(in.CIs)
	for i := range out.CIs {
		out.CIs[i] = clone(out.CIs[i])
	}
	for _, text := range []*string{&out.ID, &out.Tenant, &out.Name, &out.Intervals, &out.Zone, &out.Reason, &out.CreatedBy, &out.Actor} {
		*text = clone(*text)
	}
	out.ZoneData = slices.Clone(in.ZoneData)
	return out
}
