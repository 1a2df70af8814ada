package strict

import (
	"fmt"
	"strings"
)

// suggest names the key that was probably meant, or all keys when there are few.
func suggest(word string, fields []Field) string {
	keys := make([]string, len(fields))
	for i, f := range fields {
		keys[i] = f.Key
	}
	return Suggest(word, keys)
}

// Suggest is a hint for a word that is not known: the one that was probably meant, else those there are.
func Suggest(word string, known []string) string {
	if hint := near(word, known); hint != "" || len(known) == 0 {
		return hint
	}
	return "known here: " + strings.Join(known, ", ")
}

// near names the word that was probably meant, "" when none is near. A third of the letters may be wrong, or two of a word of at least
// four; of a short one every other would be near.
func near(word string, known []string) string {
	word = strings.ToLower(word)
	limit := max(2, len(word)/3)
	if len(word) < 4 {
		limit = 1
	}
	best, bestAt := limit+1, ""
	for _, k := range known {
		d := distance(word, strings.ToLower(k))
		if len(word) > 1 && strings.HasPrefix(k, word) {
			d = min(d, limit)
		}
		if d < best && d < len(word) {
			best, bestAt = d, k
		}
	}
	if bestAt == "" {
		return ""
	}
	return fmt.Sprintf("did you mean %q?", bestAt)
}

// distance counts the letters to insert, delete, replace or swap with their neighbour to get from a to b.
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, last, row = last, row, before
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(b)]
}
