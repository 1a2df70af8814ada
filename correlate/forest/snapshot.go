package forest

import "github.com/tocsin-noc/tocsin/internal/flat"

// View is a forest as it was at one moment, to be saved.
type View struct {
	items       flat.SlabView[item]
	clusters    flat.SlabView[cluster]
	components  flat.SlabView[component]
	tenants     flat.SlabView[tenant]
	roots       flat.SlabView[rootRef]
	bursts      flat.SlabView[burst]
	byComponent flat.IndexView
}

// View returns the forest as it is now. The owner calls it between steps.
func (f *Forest) View() *View {
	return &View{
		f.items.View(), f.clusters.View(), f.components.View(), f.tenants.View(), f.roots.View(), f.bursts.View(), f.byComponent.View(),
	}
}

// Save writes the view as part of a snapshot.
func (v *View) Save(w *flat.Writer) error {
	for _, save := range []func() error{
		func() error { return v.items.Save(w, "forest_items") },
		func() error { return v.clusters.Save(w, "forest_clusters") },
		func() error { return v.components.Save(w, "forest_components") },
		func() error { return v.tenants.Save(w, "forest_tenants") },
		func() error { return v.roots.Save(w, "forest_roots") },
		func() error { return v.bursts.Save(w, "forest_bursts") },
		func() error { return v.byComponent.Save(w, "forest_by_component") },
	} {
		if err := save(); err != nil {
			return err
		}
	}
	return nil
}

// Load reads what Save wrote.
func (f *Forest) Load(r *flat.Reader) error {
	for _, load := range []func() error{
		func() error { return f.items.Load(r, "forest_items") },
		func() error { return f.clusters.Load(r, "forest_clusters") },
		func() error { return f.components.Load(r, "forest_components") },
		func() error { return f.tenants.Load(r, "forest_tenants") },
		func() error { return f.roots.Load(r, "forest_roots") },
		func() error { return f.bursts.Load(r, "forest_bursts") },
		func() error { return f.byComponent.Load(r, "forest_by_component") },
	} {
		if err := load(); err != nil {
			return err
		}
	}
	return nil
}

// Component is what is learned of a component, for people.
type Component struct {
	Tenant, Name flat.Sym
	Alpha        uint32 // millionths
	Items        uint32 // that alarmed in it
	Open         uint32 // clusters
}

// Components lists the components.
func (v *View) Components() (list []Component) {
	for slot := uint32(1); slot < v.components.Len(); slot++ {
		if c := v.components.At(slot); c.hash != 0 {
			list = append(list, Component{v.tenants.At(c.tenant).name, c.name, c.alpha(), c.items, c.clusters})
		}
	}
	return list
}
