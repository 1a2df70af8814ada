package deadletters

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
)

// All returns the letters, oldest first. A line that a crash cut off is left out. An error ends the sequence.
func (s *Store) All() iter.Seq2[Letter, error] {
	return func(yield func(Letter, error) bool) {
		s.mu.Lock()
		files := slices.Clone(s.files)
		s.mu.Unlock()
		for _, f := range files {
			if !readFile(f, yield) {
				return
			}
		}
	}
}

// readFile yields f's letters and tells whether to go on.
func readFile(f file, yield func(Letter, error) bool) bool {
	open, err := os.Open(f.path)
	if errors.Is(err, os.ErrNotExist) {
		return true // dropped meanwhile
	}
	if err != nil {
		yield(Letter{}, fmt.Errorf("dead letters: read: %w", err))
		return false
	}
	defer open.Close()
	lines := bufio.NewReader(io.LimitReader(open, f.bytes))
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return true
		}
		if err != nil {
			yield(Letter{}, fmt.Errorf("dead letters: read: %w", err))
			return false
		}
		var l Letter
		if json.Unmarshal(line, &l) == nil && !yield(l, nil) {
			return false
		}
	}
}
