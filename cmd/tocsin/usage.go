package main

import (
	"regexp"
	"strings"
)

// usageWords puts what cobra says of a command line into words that say what to write.
func usageWords(text, command string) string {
	for _, r := range []struct{ pattern, words string }{
		{`^accepts 1 arg\(s\), received 0$`, "`" + command + "` takes an argument, and none is given"},
		{`^accepts (\d+) arg\(s\), received (\d+)$`, "`" + command + "` takes $1 argument(s), and $2 are given"},
		{`^requires at least 1 arg\(s\), only received 0$`, "`" + command + "` takes an argument, and none is given"},
		{`^requires at least (\d+) arg\(s\), only received (\d+)$`, "`" + command + "` takes at least $1 arguments, and $2 are given"},
		{`^accepts between (\d+) and (\d+) arg\(s\), received (\d+)$`, "`" + command + "` takes $1 to $2 arguments, and $3 are given"},
		{`^accepts at most (\d+) arg\(s\), received (\d+)$`, "`" + command + "` takes at most $1 argument(s), and $2 are given"},
		{`^unknown command (".*") for ".*"$`, "`" + command + "` takes no argument, and $1 is given"},
		{`^required flag\(s\) (.*) not set$`, "missing: $1"},
		{`^flag needs an argument: (?:'.' in )?(-\S+)$`, "$1 needs a value"},
		{`^unknown shorthand flag: '[0-9.]' in (-\S+)$`, `"$1" is no flag, and no span: a span cannot be negative`},
		{`^unknown shorthand flag: '.' in (-\S+)$`, "unknown flag: $1"},
		{`^invalid argument (".*") for ("|)(?:-\S, )?(--[a-z-]+)(?:"|) flag: strconv\.Parse(?:Int|Uint|Float)\b.*$`, "$3: $1 is no number"},
		{`^invalid argument (".*") for ("|)(?:-\S, )?(--[a-z-]+)(?:"|) flag: time: .*$`, "$3: $1 is no span, such as 30s or 5m"},
		{`^invalid argument (".*") for ("|)(?:-\S, )?(--[a-z-]+)(?:"|) flag: .*$`, "$3: $1 does not fit"},
	} {
		if re := regexp.MustCompile(r.pattern); re.MatchString(text) {
			return argumentWords(flagNames(re.ReplaceAllString(text, r.words), "missing: "))
		}
	}
	return groupWords(text)
}

// argumentWords settles between one and several.
func argumentWords(text string) string {
	for _, r := range [][2]string{{"takes 1 argument(s)", "takes 1 argument"}, {"takes at most 1 argument(s)", "takes at most 1 argument"}, {"argument(s)", "arguments"}, {"and 1 are given", "and 1 is given"}, {"and 0 are given", "and none is given"}} {
		text = strings.ReplaceAll(text, r[0], r[1])
	}
	return text
}

// flagNames writes "name", "role" behind a prefix as --name, --role.
func flagNames(text, prefix string) string {
	rest, ok := strings.CutPrefix(text, prefix)
	if !ok {
		return text
	}
	return prefix + "--" + strings.ReplaceAll(strings.ReplaceAll(rest, `", "`, ", --"), `"`, "")
}

// groupWords tells of flags that belong together, or exclude each other.
func groupWords(text string) string {
	flags := func(list, word string) string { return "--" + strings.Join(strings.Fields(list), word+"--") }
	if m := regexp.MustCompile(`^at least one of the flags in the group \[(.*)\] is required$`).FindStringSubmatch(text); m != nil {
		if len(strings.Fields(m[1])) == 1 {
			return "--" + m[1] + " is needed"
		}
		return "one of " + flags(m[1], ", ") + " is needed"
	}
	if m := regexp.MustCompile(`^if any flags in the group \[.*\] are set none of the others can be; \[(.*)\] were all set$`).FindStringSubmatch(text); m != nil {
		return flags(m[1], " and ") + " exclude each other"
	}
	if m := regexp.MustCompile(`^if any flags in the group \[(.*)\] are set they must all be set; missing \[(.*)\]$`).FindStringSubmatch(text); m != nil {
		return flags(m[1], " and ") + " go together: " + flags(m[2], " and ") + " is missing"
	}
	return text
}
