package cmdb

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/itsm"
)

// serviceKeys lists the attributes that a service has keys for.
func serviceKeys() (names []string) {
	for _, a := range itsm.ServiceAttributes() {
		names = append(names, a.Name)
	}
	return names
}

// attributeError says what is wrong with an attribute's value, nil when nothing is.
func attributeError(class, name, value string) error {
	switch kind := attributeKind(class, name); {
	case !fits(kind, value):
		return fmt.Errorf("must be %s", kind.Allowed())
	case len(value) > itsm.MaxCIAttributeValue:
		return fmt.Errorf("must be at most %d bytes", itsm.MaxCIAttributeValue)
	case strings.ContainsFunc(value, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }):
		return errors.New("must hold no control characters")
	}
	return nil
}

// attributeKind returns what an attribute must look like, of an asset, which anything may be, or of a service.
func attributeKind(class, name string) itsm.AttributeKind {
	named := func(a itsm.Attribute) bool { return a.Name == name }
	if i := slices.IndexFunc(itsm.AssetAttributes(), named); i >= 0 {
		return itsm.AssetAttributes()[i].Kind
	}
	if class == event.ServiceClass {
		if i := slices.IndexFunc(itsm.ServiceAttributes(), named); i >= 0 {
			return itsm.ServiceAttributes()[i].Kind
		}
	}
	return itsm.TextAttribute
}

// fits tells whether a value looks like its kind. The core looks closer: what it refuses besides, it refuses without a line.
func fits(kind itsm.AttributeKind, value string) (ok bool) {
	switch kind {
	case itsm.CriticalityAttribute:
		return slices.Contains([]string{"1", "2", "3", "4"}, value)
	case itsm.DecimalAttribute:
		whole, part, dot := strings.Cut(value, ".")
		return allOf(whole, '0', '9') && len(whole) <= 12 && (!dot || allOf(part, '0', '9') && len(part) <= 4)
	case itsm.CountAttribute:
		_, err := strconv.ParseUint(value, 10, 53)
		return err == nil
	case itsm.CurrencyAttribute:
		return allOf(value, 'A', 'Z') && len(value) == 3
	case itsm.DurationAttribute:
		last := strings.TrimLeft(value, "0123456789wdhm")
		return value != "" && value[0] >= '0' && value[0] <= '9' && (last == "" || last == "s") && !allOf(value[len(value)-1:], '0', '9')
	case itsm.LinkAttribute:
		return strings.HasPrefix(value, "https://") || strings.HasPrefix(value, "http://")
	case itsm.DateAttribute:
		_, err := time.Parse(time.DateOnly, value)
		return err == nil
	case itsm.StockAttribute:
		return slices.Contains([]string{"in_stock", "in_use", "in_repair", "disposed"}, value)
	default:
		return true
	}
}

// allOf tells whether s has bytes from low to high, and no others.
func allOf(s string, low, high byte) bool {
	for i := range len(s) {
		if s[i] < low || s[i] > high {
			return false
		}
	}
	return s != ""
}
