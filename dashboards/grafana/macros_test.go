package grafana

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// chosen is what somebody chose at the top of a board.
type chosen struct {
	from, to time.Time
	interval time.Duration       // of the panel's points
	values   map[string][]string // by variable; none: all
}

// expand does what Grafana and its ClickHouse plugin do to a question before it is sent: first the plugin's $__conditionalAll, then Grafana's
// variables, then the plugin's macros in the back end.
func (c *chosen) expand(t *testing.T, sql string) string {
	t.Helper()
	sql = c.conditions(t, sql)
	sql = regexp.MustCompile(`\$\{(\w+):(\w+)\}`).ReplaceAllStringFunc(sql, func(found string) string {
		name, format, _ := strings.Cut(strings.Trim(found, "${}"), ":")
		values := c.values[name]
		require.NotEmpty(t, values, "$%s is asked for outside of $__conditionalAll, and all are chosen", name)
		switch format {
		case "sqlstring":
			quoted := make([]string, len(values))
			for i, v := range values {
				quoted[i] = "'" + strings.ReplaceAll(v, "'", "''") + "'"
			}
			return strings.Join(quoted, ",")
		case "csv":
			return strings.Join(values, ",")
		}
		require.Fail(t, "no such format", format)
		return ""
	})
	sql = strings.ReplaceAll(sql, "$bucket", strings.Join(c.values["bucket"], ""))
	sql = regexp.MustCompile(`\$__timeInterval\((\w+)\)`).ReplaceAllString(sql,
		fmt.Sprintf("toStartOfInterval(toDateTime($1), INTERVAL %d second)", int(c.interval.Seconds())))
	for name, value := range map[string]string{
		"fromTime":   fmt.Sprintf("toDateTime(%d)", c.from.Unix()),
		"toTime":     fmt.Sprintf("toDateTime(%d)", c.to.Unix()),
		"interval_s": fmt.Sprint(int(c.interval.Seconds())),
	} {
		sql = regexp.MustCompile(`\$__`+name+`\b`).ReplaceAllString(sql, value)
	}
	require.NotContains(t, sql, "$", "a macro or a variable is left")
	return sql
}

// conditions replaces $__conditionalAll(condition, $variable) by the condition, or by 1=1 where all values of the variable are chosen. Like the
// plugin it counts parentheses and splits at commas outside of them.
func (c *chosen) conditions(t *testing.T, sql string) string {
	t.Helper()
	const macro = "$__conditionalAll("
	for {
		at := strings.LastIndex(sql, macro)
		if at < 0 {
			return sql
		}
		args, end := arguments(sql[at+len(macro):])
		require.Len(t, args, 2, sql[at:])
		phrase := args[0]
		if len(c.values[strings.TrimPrefix(strings.TrimSpace(args[1]), "$")]) == 0 {
			phrase = "1=1"
		}
		sql = sql[:at] + phrase + sql[at+len(macro)+end:]
	}
}

// arguments are those of a macro whose opening parenthesis is behind us, and where it ends.
func arguments(text string) (args []string, end int) {
	depth, begin := 1, 0
	for i, r := range text {
		switch r {
		case '(':
			depth++
		case ')':
			depth--
		}
		if depth == 0 || r == ',' && depth == 1 {
			args = append(args, text[begin:i])
			begin = i + 1
		}
		if depth == 0 {
			return args, i + 1
		}
	}
	return nil, 0
}

func TestMacrosAreWhatThePluginMakesOfThem(t *testing.T) {
	c := chosen{
		from: time.Unix(1_000, 0), to: time.Unix(2_000, 0), interval: time.Minute,
		values: map[string][]string{"tenant": {"main", "o'neil"}, "priority": {"1", "2"}, "zone": {"UTC"}},
	}
	require.Equal(t, "tenant IN ('main','o''neil') AND 1=1 AND priority IN (1,2)", c.expand(t, tenantScope+
		" AND $__conditionalAll(hasAny(services, [${service:sqlstring}]), $service) AND $__conditionalAll(priority IN (${priority:csv}), $priority)"))
	require.Equal(t, "(at >= toDateTime(1000) AND at < toDateTime(2000))", c.expand(t, within("at")))
	require.Equal(t, "toStartOfInterval(toDateTime(at), INTERVAL 60 second) / 60, 'UTC'", c.expand(t, "$__timeInterval(at) / $__interval_s, ${zone:sqlstring}"))
}

// The plugin finds a macro's end at its first closing parenthesis, and a name by its longest match.
func TestMacrosOfTheBackEndGetPlainColumnsOnly(t *testing.T) {
	known := regexp.MustCompile(`\$__(timeInterval\(\w+\)|fromTime\b|toTime\b|interval_s\b|conditionalAll\()`)
	for _, b := range Boards() {
		for _, p := range b.Panels() {
			require.NotContains(t, known.ReplaceAllString(p.SQL, ""), "$__", p.Title)
			require.NotContains(t, p.SQL, "--", "%s: a comment would swallow what Grafana appends", p.Title)
			require.NotContains(t, p.SQL, ";", p.Title)
		}
	}
}
