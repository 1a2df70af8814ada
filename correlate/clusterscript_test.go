package correlate

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/flat"
)

// describePlace says why an alert's item is where it is, when topology or an environment had a say.
func describePlace(d *event.Placement) string {
	if d == nil {
		return ""
	}
	switch d.Kind {
	case event.PlaceEdge:
		if d.Edge == event.NoScore {
			return " (below " + d.FromID + ")"
		}
		return fmt.Sprintf(" (rests on %s, %d hops, after %s, %s)", d.FromID, d.Hops, d.Gap.Duration(), nats(d.Edge))
	case event.PlaceNear:
		return fmt.Sprintf(" (its component shakes, after %s, %s)", d.NearGap.Duration(), nats(d.Near))
	case event.PlaceSame:
		return fmt.Sprintf(" (its item alarmed %s before)", d.Gap.Duration())
	case event.PlaceBack:
		return " (it came back)"
	case event.PlaceRoot:
		return " (a root" + rejected(d) + ")"
	default:
		return " (" + d.Kind.String() + ")"
	}
}

func rejected(d *event.Placement) (s string) {
	if d.Edge != event.NoScore {
		s += fmt.Sprintf(", %s after %s is only %s", d.FromID, d.Gap.Duration(), nats(d.Edge))
	}
	if d.Near != event.NoScore {
		s += fmt.Sprintf(", its component after %s only %s", d.NearGap.Duration(), nats(d.Near))
	}
	return s
}

func nats(milli int64) string { return fmt.Sprintf("%.1f nats", float64(milli)/1000) }

// describeCluster says what became of a cluster. What only the machine is concerned with it leaves out.
func (p *player) describeCluster(name string, ch *event.Change) string {
	switch {
	case ch.Kind == event.ComponentAdded || ch.Kind == event.ClusterSettled:
		return ""
	case ch.Causes != nil:
		var words []string
		for _, c := range ch.Causes.Candidates {
			words = append(words, c.CI+" "+nats(c.Score))
		}
		if ch.Causes.Verdict != event.NoVerdict {
			words = append(words, fmt.Sprintf("%s says %s, %s", ch.Causes.VerdictBy, ch.Causes.Verdict, ch.Causes.VerdictOn))
		}
		if ch.Causes.Confident {
			name += " (confident)"
		}
		return fmt.Sprintf("%s %s: %s", name, ch.Causes.Incident, strings.Join(words, ", "))
	case ch.Place.Kind == event.PlaceVirtual:
		return fmt.Sprintf("silent root %s: %d roots beneath it, %s", ch.Place.FromID, ch.Place.Roots, nats(ch.Place.Edge))
	case ch.Place.Kind == event.PlaceHand && ch.Kind == event.ClusterParted:
		return ""
	case ch.Kind == event.ItemPlaced:
		return fmt.Sprintf("%s: what began it%s", name, describePlace(ch.Place))
	default:
		return fmt.Sprintf("%s: %d alerts of %d items, %s", name, ch.Place.Alerts, ch.Place.Items, nats(ch.Place.Near))
	}
}

// dumpClusters is all that grouping and ranking remember.
func dumpClusters(v *View) string {
	var b bytes.Buffer
	w := flat.NewWriter(&b)
	for _, save := range []func(*flat.Writer) error{v.forest.Save, v.causes.Save, func(w *flat.Writer) error { return v.placed.Save(w, "placements") }} {
		if err := save(w); err != nil {
			return err.Error()
		}
	}
	if err := w.Close(); err != nil {
		return err.Error()
	}
	for i := range v.Incidents() {
		if c, ok := v.Causes(i.ID); ok {
			fmt.Fprintf(&b, "%s %+v\n", i.ID, c)
		}
	}
	return b.String()
}

// verdict carries out `verdict INC-1 right|wrong|other by NAME [ITEM]`.
func (p *player) verdict(rest string) {
	f := strings.Fields(rest)
	c := event.Command{
		Kind: event.JudgeCause, Incident: uint64(p.id(f[0])), Actor: f[3],
		Number: map[string]uint32{"right": uint32(event.CauseRight), "wrong": uint32(event.CauseWrong), "other": uint32(event.CauseOther)}[f[1]],
	}
	if len(f) > 4 {
		c.Text = f[4]
	}
	p.do(c)
}

// components prints what is learned of each component.
func (p *player) components() {
	for _, c := range p.state.View().Components("main") {
		fmt.Fprintf(&p.out, "    | %s: alpha %.3f, %d items alarmed, %d groups open, %d learned, causes right %d of %d\n",
			c.Name, float64(c.Alpha)/1e6, c.Items, c.Open, c.Learned, c.Right, c.Judged)
		p.placed(&c.Placed)
	}
}

// placed prints how the items of a component came where they are.
func (p *player) placed(n *Placements) {
	var words []string
	for kind := event.PlaceSame; kind <= event.PlaceHand; kind++ {
		if n[kind] > 0 {
			words = append(words, fmt.Sprintf("%s %d", kind, n[kind]))
		}
	}
	share, ok := n.Coverage()
	if ok {
		words = append(words, fmt.Sprintf("coverage %.3f", float64(share)/1e6))
	}
	fmt.Fprintf(&p.out, "    |   %s\n", strings.Join(words, ", "))
}
