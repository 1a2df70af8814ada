package event

// ByTopology is the rule of what topology, a component and time group. Its key is a number that means nothing to people.
const ByTopology = "topology"

// TreeLabel is the only label of such a key.
const TreeLabel = "tree"

// SharedLabels returns what the alerts of a group share, as people are shown it: the key of its rule, unless topology groups it.
func SharedLabels(rule string, key Labels) Labels {
	if rule == ByTopology && len(key) == 1 && key[0].Name == TreeLabel {
		return nil
	}
	return key
}
