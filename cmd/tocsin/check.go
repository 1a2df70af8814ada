package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tocsin-noc/tocsin/internal/auth"
	"github.com/tocsin-noc/tocsin/internal/auth/webconfig"
	"github.com/tocsin-noc/tocsin/internal/config"
	"github.com/tocsin-noc/tocsin/internal/outbound"
	"github.com/tocsin-noc/tocsin/internal/terminal"
	"github.com/tocsin-noc/tocsin/notify/receivers"
	"github.com/tocsin-noc/tocsin/notify/settings"
	"github.com/tocsin-noc/tocsin/rules/strict"
)

// checkFlags say which files to check.
type checkFlags struct {
	configs, notify []string
	json            bool
}

func newCheckCommand() *cobra.Command {
	f := &checkFlags{}
	cmd := &cobra.Command{
		Use:   "check [FILE…]",
		Short: "Check configuration and rules; all problems at once, exit code 2 when there are any",
		Long: `Check configuration files with everything they name: rules, tokens, web configuration, who is told. All problems come at once, each as
file:line:col with a hint; exit code 2 when the daemon would not start. Warnings do not change the exit code. Rule files by themselves:
` + "`tocsin rules check`" + `.`,
		Example: "  tocsin check tocsin.yml\n  tocsin check --notify notify.yml",
		RunE:    func(cmd *cobra.Command, args []string) error { return f.run(cmd, args) },
	}
	cmd.Flags().StringSliceVar(&f.configs, "config", nil, "configuration; the same as the argument `FILE`")
	cmd.Flags().StringSliceVar(&f.notify, "notify", nil, "`FILES` that say who is told, without a configuration")
	addFindingsJSON(cmd, &f.json)
	return cmd
}

func addFindingsJSON(cmd *cobra.Command, dst *bool) {
	cmd.Flags().BoolVar(dst, "json", false, "print JSON: one finding per line")
}

func (f *checkFlags) run(cmd *cobra.Command, args []string) error {
	p := newPrinter(cmd, f.json, false)
	files := append(f.configs, args...)
	if len(files)+len(f.notify) == 0 {
		return usage("which file?", "name the configuration, as in `tocsin check tocsin.yml`; without one the daemon runs on its defaults, and they are right")
	}
	wrong := 0
	for _, file := range files {
		n, err := showFindings(p, checkConfig(file), func() string { return configSummary(file) })
		if err != nil {
			return err
		}
		wrong += n
	}
	for _, file := range f.notify {
		n, err := showFindings(p, checkNotify(file), func() string { return file + ": says who is told" })
		if err != nil {
			return err
		}
		wrong += n
	}
	if wrong > 0 {
		p.note("%s", plural(wrong, "error", "errors"))
		return said(exitUsage)
	}
	return nil
}

// checkConfig is config.Check and, when the file can be read, the files that config leaves to others.
func checkConfig(file string) []config.Problem {
	found := config.Check(file)
	c, err := config.Load(file)
	if err != nil {
		return found // Check has said it
	}
	if c.Auth.TokenFile != "" {
		_, err := auth.LoadTokens(c.Auth.TokenFile)
		found = append(found, problems(err, c.Auth.TokenFile)...)
	}
	if c.WebConfigFile != "" {
		_, err := webconfig.Load(c.WebConfigFile)
		found = append(found, problems(err, c.WebConfigFile)...)
	}
	if c.NotifyFile != "" {
		found = append(found, checkNotify(c.NotifyFile)...)
		if c.ExternalURL == "" {
			found = append(found, config.Problem{Warning: true, Problem: strict.Problem{
				Place: strict.Place{File: file}, Key: "external_url", Message: "is not set: messages have no links",
				Hint: "write how people reach the daemon, as in https://tocsin.example.org",
			}})
		}
	}
	return found
}

// checkNotify checks the file that says who is told, and warns when nobody will be on call.
func checkNotify(file string) []config.Problem {
	text, err := os.ReadFile(file)
	if err != nil {
		return problems(err, file)
	}
	s, err := settings.Parse(file, text)
	if err != nil {
		return problems(err, file)
	}
	found := append(problems(s.Warnings.Err(), file), unreachable(s, file)...)
	for i := range s.Teams {
		team, now := &s.Teams[i], time.Now()
		if q := &team.Quiet; q.Holds(now) && q.Holds(q.Ends(now)) {
			found = append(found, config.Problem{Problem: strict.Problem{Place: strict.Place{File: file}, Key: "teams", Message: fmt.Sprintf(
				"team %s: its quiet hours last for a week and more: what may wait comes once a week", team.Name),
				Hint: "name the hours that are quiet, as in {start_time: '22:00', end_time: '24:00'}"}})
		}
		if len(team.Rotation) == 0 {
			continue
		}
		for _, gap := range team.Schedule(nil).Gaps(now, now.AddDate(0, 0, 14)) {
			found = append(found, config.Problem{Problem: strict.Problem{Place: strict.Place{File: file}, Key: "teams", Message: fmt.Sprintf(
				"team %s: nobody is on call %s – %s", team.Name, local(gap.From, team.Zone.String()), local(gap.Until, team.Zone.String())),
				Hint: "everybody in the team will be told then"}})
		}
	}
	for i := range found {
		found[i].Warning = true
	}
	return found
}

// unreachable returns the receivers whose address outbound refuses as it stands, without asking how names resolve.
func unreachable(s *settings.Settings, file string) (found []config.Problem) {
	policy, err := outbound.New(s.Allow)
	if err != nil {
		return problems(err, file)
	}
	for i := range s.Receivers {
		r := &s.Receivers[i]
		for _, host := range receivers.Hosts(&r.Spec) {
			if err := policy.Judge(host); err != nil {
				found = append(found, config.Problem{Problem: strict.Problem{
					Place: strict.Place{File: file}, Key: "receivers", Message: "receiver " + r.Name + ": nothing can be sent: " + strings.TrimPrefix(err.Error(), "outbound: "),
				}})
			}
		}
	}
	return found
}

// problems turns an error into findings; one without places of its own is the file's.
func problems(err error, file string) []config.Problem {
	if err == nil {
		return nil
	}
	several, ok := errors.AsType[strict.Errors](err)
	if !ok {
		several = strict.Errors{{Place: strict.Place{File: file}, Message: err.Error()}}
	}
	found := make([]config.Problem, len(several))
	for i, p := range several {
		found[i] = config.Problem{Problem: p}
	}
	return found
}

// finding is a problem for machines.
type finding struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Col     int    `json:"col"`
	Key     string `json:"key"`
	Message string `json:"message"`
	Hint    string `json:"hint"`
	Warning bool   `json:"warning"`
}

// showFindings prints what was found, and a summary when nothing is wrong. It returns the number of errors.
func showFindings(p *printer, found []config.Problem, summary func() string) (wrong int, err error) {
	for _, f := range found {
		if !f.Warning {
			wrong++
		}
		if p.json {
			err = p.value(finding{f.Place.File, f.Place.Line, f.Place.Col, f.Key, f.Message, f.Hint, f.Warning})
		} else {
			showFinding(p, f)
		}
		if err != nil {
			return wrong, err
		}
	}
	if wrong == 0 && !p.json {
		p.line("%s %s", p.paint(terminal.Green, "ok:"), summary())
	}
	return wrong, nil
}

func showFinding(p *printer, f config.Problem) {
	hint := f.Hint
	f.Hint = ""
	style := terminal.Red
	if f.Warning {
		style = terminal.Yellow
	}
	p.line("%s", p.paint(style, f.String()))
	if hint != "" {
		p.line("  hint: %s", hint)
	}
}

// configSummary says in a line what a file without errors sets up.
func configSummary(file string) string {
	c, err := config.Load(file)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%s: listens on %s, data in %s, %s, %s; %s", file, c.Listen, c.Data,
		plural(len(c.Sources), "source", "sources"), plural(len(c.Kafka), "Kafka cluster", "Kafka clusters"), rulesSummary(c))
}

func rulesSummary(c *config.Config) string {
	set, files, _, err := readRules(c)
	if err != nil {
		return err.Error()
	}
	from := "shipped with Tocsin"
	if files > 0 {
		from = "from " + plural(files, "file", "files")
	}
	return fmt.Sprintf("%s and %s, %s", plural(len(set.Grouping), "grouping rule", "grouping rules"),
		plural(len(set.Inhibit), "inhibition rule", "inhibition rules"), from)
}
