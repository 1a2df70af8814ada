package event

// ByTopology is the rule of what topology, a component and time group.
const ByTopology = "topology"

// TreeLabel is the label of its keys that holds a number which means nothing to people.
const TreeLabel = "tree"

// SharedLabels returns what the alerts of a group share, as people are shown it: the key of its rule, without the number of a tree.
func SharedLabels(rule string, key Labels) Labels {
	if rule != ByTopology {
		return key
	}
	var shown Labels
	for _, l := range key {
		if l.Name != TreeLabel {
			shown = append(shown, l)
		}
	}
	return shown
}
