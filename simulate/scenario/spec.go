package scenario

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tocsin-noc/tocsin/event"
)

// Spec says what to make up. Shares are between 0 and 1.
type Spec struct {
	Seed   uint64     // of the estate and of all that happens in it
	Run    uint64     // another one is another run of the same estate
	CIs    int        // how many items, at least MinCIs
	Start  event.Time // of the stream
	System string     // value of the label system, "" to leave it out

	Faults  int           // how many
	Every   time.Duration // mean time from one to the next; they come as a Poisson process
	Overlap time.Duration // if not 0: each fault begins so long before the last alert of the one before begins, instead
	Pairs   bool          // every second one only: two overlap, and the next two come a time after them, Every in the mean
	Quiet   time.Duration // without faults: how long the stream is
	Hop     time.Duration // mean time until what rests on a broken item is hit
	Core    bool          // faults hit core switches only, and nothing holds them up

	SilentRoots float64       // share of faults whose root itself says nothing
	Noise       float64       // share of the lines that belong to no fault
	NoiseEvery  time.Duration // without faults: mean time from one noise alert to the next
	Flapping    float64       // share of alerts that go up and down several times
	Uncleared   float64       // share of alerts whose end nobody says
	Twins       float64       // share of senders that are HA pairs: each alert comes from both
	Lost        float64       // share of lines that never arrive
	Late        float64       // share of senders whose clock is wrong and whose lines are under way for up to minutes
	Missing     float64       // share of the relations that topology.json lacks
}

// MinCIs is the smallest number of items that makes an estate.
const MinCIs = 200

// DefaultStart is when streams begin that are told nothing else.
func DefaultStart() event.Time { return event.FromTime(time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)) }

// Preset is a Spec with a name.
type Preset struct {
	Name  string
	Words string // for people
	Spec  Spec
}

// Presets lists those there are. The load grows from light to heavy; those that follow are medium with one thing that goes wrong. How
// often faults come, how many, and how many senders are late was chosen by what simple methods reach; docs/evaluation.md says how.
func Presets() []Preset {
	light := Spec{
		CIs: 2500, Faults: 60, Every: time.Hour, Hop: 9 * time.Second, SilentRoots: .3, Noise: .03, Flapping: .02, Uncleared: .2, Twins: .25, Lost: .01,
	}
	medium := light
	medium.Faults, medium.Every, medium.SilentRoots, medium.Noise, medium.Flapping, medium.Lost = 150, 270*time.Second, .4, .05, .03, .02
	heavy := medium
	heavy.Faults, heavy.Every, heavy.SilentRoots, heavy.Noise, heavy.Flapping = 70, 40*time.Second, .5, .25, .05
	late, noise, chain, missing := medium, medium, medium, medium
	late.Late, noise.Noise, missing.Missing = .1, .1, .1
	chain.Overlap, chain.Hop = 60*time.Second, 20*time.Second
	pairs := chain
	pairs.Pairs, pairs.Every = true, 30*time.Minute
	null := Spec{CIs: 2500, Quiet: 24 * time.Hour, NoiseEvery: 20 * time.Second}
	storm := Spec{CIs: 50_000, Faults: 4, Every: 10 * time.Minute, Hop: 4 * time.Second, Core: true, SilentRoots: 1, Noise: .01, Uncleared: 1, Lost: .01}
	list := []Preset{
		{"light", "a fault every hour", light},
		{"medium", "a fault every four and a half minutes, 5 % noise", medium},
		{"heavy", "a fault every 40 s, a quarter noise, half of the roots silent", heavy},
		{"late", "medium; a tenth of the senders have wrong clocks and slow lines", late},
		{"noise10", "medium with 10 % noise", noise},
		{"overlap60", "medium; slower, and faults come in pairs that overlap by 60 s", pairs},
		{"chain60", "medium; slower, and each fault overlaps the one before by 60 s", chain},
		{"missing10", "medium; a tenth of the relations is not known", missing},
		{"null", "a day without any fault", null},
		{"storm", "core switches fail under 50,000 items", storm},
	}
	for i := range list {
		list[i].Spec.Start, list[i].Spec.Seed = DefaultStart(), 1
	}
	return list
}

// PresetNames lists the names, as a person would.
func PresetNames() string {
	var names []string
	for _, p := range Presets() {
		names = append(names, p.Name)
	}
	return strings.Join(names, ", ")
}

// FindPreset returns the preset of that name.
func FindPreset(name string) (Spec, bool) {
	list := Presets()
	i := slices.IndexFunc(list, func(p Preset) bool { return p.Name == name })
	if i < 0 {
		return Spec{}, false
	}
	return list[i].Spec, true
}

// check returns what is wrong with a spec.
func (s *Spec) check() error {
	switch {
	case s.CIs < MinCIs:
		return fmt.Errorf("scenario: an estate needs at least %d items (got %d)", MinCIs, s.CIs)
	case s.Faults < 0, s.Faults > 0 && (s.Every <= 0 || s.Hop <= 0):
		return fmt.Errorf("scenario: %d faults need a time from one to the next, and for a hop (got %s, %s)", s.Faults, s.Every, s.Hop)
	case s.Faults == 0 && (s.Quiet <= 0 || s.NoiseEvery <= 0):
		return fmt.Errorf("scenario: a stream without faults needs a length and noise")
	case s.Start <= 0:
		return fmt.Errorf("scenario: the stream needs a start")
	}
	for name, v := range map[string]float64{
		"silent roots": s.SilentRoots, "noise": s.Noise, "flapping": s.Flapping, "uncleared": s.Uncleared, "twins": s.Twins,
		"lost": s.Lost, "late": s.Late, "missing": s.Missing,
	} {
		if v < 0 || v > 1 || name == "noise" && v > .9 {
			return fmt.Errorf("scenario: %s must be a share between 0 and 1, noise at most 0.9 (got %g)", name, v)
		}
	}
	return nil
}
