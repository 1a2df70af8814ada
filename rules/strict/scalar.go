package strict

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"gopkg.in/yaml.v3"
)

// Scalar reads one word, number or text and hands it to set as it is written. What set returns as an error is a problem of
// the value: "must be …".
func Scalar(set func(text string) error) Value {
	return scalar(set, func(text string) string { return fmt.Sprintf(" (got %q)", clip(text)) })
}

// Secret is Scalar for what must not be repeated in a message.
func Secret(set func(text string) error) Value {
	return scalar(set, func(string) string { return "" })
}

func scalar(set func(text string) error, quote func(text string) string) Value {
	return func(r *Reader, n *yaml.Node) {
		n, ok := r.follow(n)
		if !ok {
			return
		}
		if n.Kind != yaml.ScalarNode {
			r.Problem(n, "must be a single value", got(n))
			return
		}
		if isNull(n) {
			r.Problem(n, "has no value", "leave the key out to get the default")
			return
		}
		if err := set(n.Value); err != nil {
			hint := ""
			if h, ok := errors.AsType[*hinted](err); ok {
				hint = h.hint
			}
			r.Problem(n, err.Error()+quote(n.Value), hint)
		}
	}
}

// hinted is an error of a value that knows what was probably meant.
type hinted struct {
	message, hint string
}

func (h *hinted) Error() string { return h.message }

// MustBeOneOf is the error of a word that is none of a few.
func MustBeOneOf(word string, words []string) error {
	return &hinted{"must be one of " + strings.Join(words, ", "), near(word, words)}
}

// Text reads any text, empty or not.
func Text[S ~string](dst *S) Value {
	return Scalar(func(s string) error {
		*dst = S(s)
		return nil
	})
}

// Word reads a text that is not empty.
func Word[S ~string](dst *S) Value {
	return Scalar(func(s string) error {
		if strings.TrimSpace(s) == "" {
			return errors.New("must not be empty")
		}
		*dst = S(s)
		return nil
	})
}

// OneOf reads one of a few words.
func OneOf[S ~string](dst *S, words ...S) Value {
	return Scalar(func(s string) error {
		if !slices.Contains(words, S(s)) {
			list := make([]string, len(words))
			for i, w := range words {
				list[i] = string(w)
			}
			return MustBeOneOf(s, list)
		}
		*dst = S(s)
		return nil
	})
}

// Bool reads true or false.
func Bool(dst *bool) Value {
	return Scalar(func(s string) error {
		if s != "true" && s != "false" {
			return errors.New("must be true or false")
		}
		*dst = s == "true"
		return nil
	})
}

// Int reads a whole number between low and high, both included.
func Int[I ~int | ~int32 | ~int64](dst *I, low, high I) Value {
	return Scalar(func(s string) error {
		v, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return errors.New("must be a whole number")
		}
		if v < int64(low) || v > int64(high) {
			return fmt.Errorf("must be between %d and %d", low, high)
		}
		*dst = I(v)
		return nil
	})
}

// Duration reads a duration as ParseDuration does; dst counts in unit.
func Duration[D ~int64](dst *D, unit, low, high time.Duration) Value {
	return Scalar(func(s string) error {
		d, err := ParseDuration(s, low, high)
		if err != nil {
			return err
		}
		*dst = D(d / unit)
		return nil
	})
}

// ParseDuration reads a duration as Prometheus writes it (90s, 5m, 1h30m, 1d), between low and high, both included.
func ParseDuration(s string, low, high time.Duration) (time.Duration, error) {
	d, err := model.ParseDuration(s)
	switch {
	case err != nil:
		return 0, errors.New("must be a duration such as 90s, 5m, 1h30m or 1d")
	case time.Duration(d) < low:
		return 0, fmt.Errorf("must be at least %s", model.Duration(low))
	case time.Duration(d) > high:
		return 0, fmt.Errorf("must be at most %s", model.Duration(high))
	}
	return time.Duration(d), nil
}

// Size reads a number of bytes such as 512, 4MiB or 50GB, between low and high, both included.
func Size[B ~int64](dst *B, low, high B) Value {
	return Scalar(func(s string) error {
		v, err := parseSize(s)
		switch {
		case err != nil:
			return err
		case v < int64(low):
			return fmt.Errorf("must be at least %s", FormatSize(int64(low)))
		case v > int64(high):
			return fmt.Errorf("must be at most %s", FormatSize(int64(high)))
		}
		*dst = B(v)
		return nil
	})
}

type sizeUnit struct {
	name  string
	bytes int64
}

// sizeUnits lists the units, the greatest first, so that FormatSize finds the shortest form.
func sizeUnits() []sizeUnit {
	return []sizeUnit{
		{"TiB", 1 << 40}, {"TB", 1e12}, {"GiB", 1 << 30}, {"GB", 1e9},
		{"MiB", 1 << 20}, {"MB", 1e6}, {"KiB", 1 << 10}, {"kB", 1e3}, {"KB", 1e3}, {"B", 1},
	}
}

func parseSize(s string) (int64, error) {
	digits := strings.TrimRight(s, "TGMKkiB ")
	unit := sizeUnit{bytes: 1}
	if name := strings.TrimSpace(s[len(digits):]); name != "" {
		i := slices.IndexFunc(sizeUnits(), func(u sizeUnit) bool { return u.name == name })
		if i < 0 {
			return 0, errors.New("must end in B, kB, KiB, MB, MiB, GB, GiB, TB or TiB")
		}
		unit = sizeUnits()[i]
	}
	v, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || v < 0 {
		return 0, errors.New("must be a size such as 512KiB, 4MiB or 50GB")
	}
	if v > (1<<63-1)/unit.bytes {
		return 0, errors.New("must be less than 8388608TiB")
	}
	return v * unit.bytes, nil
}

// FormatSize writes a number of bytes in the greatest unit that divides it.
func FormatSize(v int64) string {
	for _, u := range sizeUnits() {
		if v >= u.bytes && v%u.bytes == 0 {
			return strconv.FormatInt(v/u.bytes, 10) + u.name
		}
	}
	return strconv.FormatInt(v, 10) + "B"
}
