package scenario

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// walk reads a JSON value element by element, so that one that is wrong does not hide the others and each is told with its line. The
// value is a list, whose elements each[""] takes, or lists under keys; other is told of keys that none takes.
func walk(text []byte, each map[string]func(line int, text []byte), other func(line int, key string)) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	first, err := dec.Token()
	if err != nil {
		return placed(err, text)
	}
	if take := each[""]; take != nil {
		if first != json.Delim('[') {
			return errors.New("must be a list")
		}
		err = elements(dec, text, take)
	} else {
		if first != json.Delim('{') {
			return errors.New("must be a mapping of keys and values")
		}
		err = members(dec, text, each, other)
	}
	if err != nil {
		return placed(err, text)
	}
	if rest := bytes.TrimSpace(text[dec.InputOffset():]); len(rest) > 0 {
		return errors.New("there is something behind its end")
	}
	return nil
}

// placed is an error of the reading, where it is one of the text with its place in all of it: the decoder counts from where it was.
func placed(err error, text []byte) error {
	if len(bytes.TrimSpace(text)) == 0 {
		return errors.New("is empty")
	}
	if whole := json.Unmarshal(text, new(any)); whole != nil {
		return whole
	}
	return err
}

func members(dec *json.Decoder, text []byte, each map[string]func(int, []byte), other func(int, string)) error {
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return err
		}
		take := each[key.(string)] // nothing else can stand there
		if take == nil {
			other(lineAt(text, dec.InputOffset()), key.(string))
			if err := dec.Decode(new(json.RawMessage)); err != nil {
				return err
			}
			continue
		}
		switch begin, err := dec.Token(); {
		case err != nil:
			return err
		case begin == nil:
			continue
		case begin != json.Delim('['):
			return fmt.Errorf("%s must be a list", key)
		}
		if err := elements(dec, text, take); err != nil {
			return err
		}
	}
	_, err := dec.Token()
	return err
}

// elements reads those of the list that has been begun, and its end.
func elements(dec *json.Decoder, text []byte, take func(int, []byte)) error {
	at, line := int64(0), 1
	for dec.More() {
		var element json.RawMessage
		if err := dec.Decode(&element); err != nil {
			return err
		}
		begin := dec.InputOffset() - int64(len(element))
		line += bytes.Count(text[at:begin], []byte("\n"))
		at = begin
		take(line, element)
	}
	_, err := dec.Token()
	return err
}

func lineAt(text []byte, offset int64) int { return 1 + bytes.Count(text[:offset], []byte("\n")) }

// plainWords says what is wrong with a JSON text to people who never saw the program.
func plainWords(err error) string {
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		return "not JSON: " + e.Error()
	}
	e, ok := errors.AsType[*json.UnmarshalTypeError](err)
	if !ok {
		return err.Error()
	}
	words := map[string]string{"string": "a text", "map": "a mapping", "struct": "a mapping", "slice": "a list", "object": "a mapping", "array": "a list", "bool": "true or false", "number": "a number"}
	is, _, _ := strings.Cut(e.Value, " ")
	text := fmt.Sprintf("must be %s, and is %s", words[e.Type.Kind().String()], words[is])
	if e.Field != "" {
		return strings.ToLower(e.Field[:1]) + e.Field[1:] + ": " + text
	}
	return text
}

// misspelt names a key of a JSON mapping that is nearly one of those known, and which; "" when there is none. Other keys are free.
func misspelt(text []byte, known ...string) string {
	var said map[string]json.RawMessage
	if err := json.Unmarshal(text, &said); err != nil {
		return ""
	}
	keys := make([]string, 0, len(said))
	for key := range said {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		if hint := meant(key, known); hint != "" {
			return fmt.Sprintf("unknown key %q; %s", key, hint)
		}
	}
	return ""
}

// meant asks whether a word was meant to be one of those known; "" when it is one, or nearly none.
func meant(word string, known []string) string {
	for _, k := range known {
		if strings.EqualFold(word, k) {
			return ""
		}
	}
	for _, k := range known {
		if near(letters(word), letters(k)) {
			return fmt.Sprintf("did you mean %q?", k)
		}
	}
	return ""
}

// letters leaves out what people write between words.
func letters(word string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "", " ", "").Replace(word))
}

// near tells whether one letter more, less or otherwise, or two that changed places, makes one word of the other. Words of two letters
// are near to too many.
func near(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if a == b {
		return true
	}
	if len(a) < 3 || len(b)-len(a) > 1 {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	switch {
	case len(a) < len(b):
		return a[i:] == b[i+1:]
	case i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]:
		return true
	}
	return a[i+1:] == b[i+1:]
}
