package imports

import (
	"embed"
	"strings"
)

//go:embed maps/*.yml
var shipped embed.FS

// ShippedNames lists the maps that come with Tocsin.
func ShippedNames() []string {
	return []string{"servicenow", "servicenow-log", "service-manager", "service-manager-log"}
}

// Shipped returns a map that comes with Tocsin, by its name.
func Shipped(name string) (file string, text []byte, ok bool) {
	for _, n := range ShippedNames() {
		if n == strings.TrimSuffix(name, ".yml") {
			text, err := shipped.ReadFile("maps/" + n + ".yml")
			return n + ".yml", text, err == nil
		}
	}
	return "", nil, false
}
