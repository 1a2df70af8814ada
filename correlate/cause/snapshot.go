package cause

import "github.com/tocsin-noc/tocsin/internal/flat"

// View is a book as it was at one moment.
type View struct {
	counts     flat.SlabView[count]
	byHash     flat.IndexView
	proofs     flat.SlabView[proof]
	byProof    flat.IndexView
	suspects   flat.SlabView[suspect]
	bySuspect  flat.IndexView
	clusters   flat.SlabView[running]
	components flat.SlabView[learned]
}

// View returns the book as it is now. The owner calls it between steps.
func (b *Book) View() *View {
	return &View{
		b.counts.View(), b.byHash.View(), b.proofs.View(), b.byProof.View(), b.suspects.View(), b.bySuspect.View(), b.clusters.View(),
		b.components.View(),
	}
}

// Save writes the view as part of a snapshot.
func (v *View) Save(w *flat.Writer) error {
	for _, save := range []func() error{
		func() error { return v.counts.Save(w, "cause_counts") },
		func() error { return v.byHash.Save(w, "cause_by_hash") },
		func() error { return v.proofs.Save(w, "cause_proofs") },
		func() error { return v.byProof.Save(w, "cause_by_proof") },
		func() error { return v.suspects.Save(w, "cause_suspects") },
		func() error { return v.bySuspect.Save(w, "cause_by_suspect") },
		func() error { return v.clusters.Save(w, "cause_clusters") },
		func() error { return v.components.Save(w, "cause_components") },
	} {
		if err := save(); err != nil {
			return err
		}
	}
	return nil
}

// Load reads what Save wrote.
func (b *Book) Load(r *flat.Reader) error {
	for _, load := range []func() error{
		func() error { return b.counts.Load(r, "cause_counts") },
		func() error { return b.byHash.Load(r, "cause_by_hash") },
		func() error { return b.proofs.Load(r, "cause_proofs") },
		func() error { return b.byProof.Load(r, "cause_by_proof") },
		func() error { return b.suspects.Load(r, "cause_suspects") },
		func() error { return b.bySuspect.Load(r, "cause_by_suspect") },
		func() error { return b.clusters.Load(r, "cause_clusters") },
		func() error { return b.components.Load(r, "cause_components") },
	} {
		if err := load(); err != nil {
			return err
		}
	}
	for cluster := uint32(1); cluster < b.clusters.Len(); cluster++ {
		b.front(cluster)
	}
	return nil
}

// Record is how often people judged the causes that were named in a component, and how often they agreed.
type Record struct{ Judged, Right, Clusters uint32 }

// Record returns the record of a component.
func (v *View) Record(component uint32) Record {
	if component >= v.components.Len() {
		return Record{}
	}
	c := v.components.At(component)
	return Record{c.judged, c.right, c.clusters}
}
