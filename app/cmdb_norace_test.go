//go:build !race

package app

// estateItems is the estate that the goals are about: 50,000 items with 250,000 relations.
const estateItems = 50_000
