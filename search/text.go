package search

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// A token is one word of a text, folded: lower case, no diacritics. A word in CamelCase gives its parts as well, at the same place,
// so that "filesystem" finds NodeFilesystemFull.
type token struct {
	word       string
	position   int // counts words from 1
	start, end int // bytes of the text as it was
}

// maxWord bounds a token; what is longer is cut, in texts and in queries alike.
const maxWord = 128

// tokens returns a text's words in their order. Letters, digits and what hangs on them make a word; every ideograph is one of its own.
func tokens(text string) []token {
	out := make([]token, 0, len(text)/6+1)
	position := 0
	for at := 0; at < len(text); {
		r, size := utf8.DecodeRuneInString(text[at:])
		if !letter(r) {
			at += size
			continue
		}
		start := at
		at += size
		if !ideograph(r) {
			at = wordEnd(text, at)
		}
		position++
		out = appendWord(out, text, start, at, position)
	}
	return out
}

func wordEnd(text string, at int) int {
	for at < len(text) {
		r, size := utf8.DecodeRuneInString(text[at:])
		if !letter(r) && !unicode.Is(unicode.M, r) || ideograph(r) {
			break
		}
		at += size
	}
	return at
}

func appendWord(out []token, text string, start, end, position int) []token {
	word := fold(text[start:end])
	if word == "" {
		return out
	}
	out = append(out, token{word, position, start, end})
	from := start
	for _, cut := range humps(text[start:end]) {
		if part := fold(text[from : start+cut]); part != word {
			out = append(out, token{part, position, from, start + cut})
		}
		from = start + cut
	}
	return out
}

// humps returns where the parts of a word in CamelCase end, nil when it has but one.
func humps(word string) (ends []int) {
	var before rune
	for i, r := range word {
		next, _ := utf8.DecodeRuneInString(word[i+utf8.RuneLen(max(r, 0)):])
		switch {
		case i == 0 || !unicode.IsUpper(r):
		case unicode.IsLower(before), unicode.IsUpper(before) && unicode.IsLower(next):
			ends = append(ends, i)
		}
		before = r
	}
	if ends == nil {
		return nil
	}
	return append(ends, len(word))
}

func letter(r rune) bool {
	if r < utf8.RuneSelf {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
	}
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsNumber(r))
}

func ideograph(r rune) bool {
	return r >= 0x2e80 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana)
}

// fold brings a word into the form that is compared.
func fold(word string) string {
	if len(word) > maxWord {
		word = strings.ToValidUTF8(word[:maxWord], "")
	}
	for i := range len(word) {
		if word[i] >= utf8.RuneSelf {
			return foldSlow(word)
		}
	}
	return strings.ToLower(word)
}

func foldSlow(word string) string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(word) {
		if unicode.Is(unicode.M, r) {
			continue
		}
		r = unicode.ToLower(unicode.ToUpper(r)) // both ways: final sigma, dotless i
		if plain, ok := undecomposed(r); ok {
			b.WriteString(plain)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// undecomposed returns the plain form of letters that Unicode does not take apart.
func undecomposed(r rune) (string, bool) {
	switch r {
	case 'ß':
		return "ss", true
	case 'æ':
		return "ae", true
	case 'œ':
		return "oe", true
	case 'ø':
		return "o", true
	case 'đ', 'ð':
		return "d", true
	case 'ł':
		return "l", true
	case 'þ':
		return "th", true
	}
	return "", false
}
