package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/tocsin-noc/tocsin/internal/config"
	"github.com/tocsin-noc/tocsin/internal/terminal"
	"github.com/tocsin-noc/tocsin/rules"
	"github.com/tocsin-noc/tocsin/rules/strict"
)

func newRulesCommand() *cobra.Command {
	return newParent("rules", "Check, test and try rules, and show those in force", "  tocsin rules check rules/\n  tocsin rules test tests/\n  tocsin rules show --config tocsin.yml",
		newRulesCheckCommand(), newRulesShowCommand(), newRulesTestCommand(), newRulesBacktestCommand(), newRulesShadowCommand())
}

// rulePatterns turns names of files and folders into patterns; a folder stands for the rule files in it.
func rulePatterns(names []string) (patterns []string) {
	for _, name := range names {
		if info, err := os.Stat(name); err == nil && info.IsDir() {
			for _, suffix := range []string{"*.yml", "*.yaml"} {
				if found, err := filepath.Glob(filepath.Join(name, suffix)); err == nil && len(found) > 0 {
					patterns = append(patterns, found...)
				}
			}
			continue
		}
		patterns = append(patterns, name)
	}
	return patterns
}

// rulesShow says which rules to show.
type rulesShow struct {
	config string
	json   bool
}

func newRulesShowCommand() *cobra.Command {
	f := &rulesShow{}
	cmd := &cobra.Command{
		Use:   "show [FILE|FOLDER…]",
		Short: "Show the rules in force, each with its place",
		Long: `Show the rules in force: those of the files, or of the configuration's rule files, over the shipped ones; each kind in the order in which
its rules are tried. Without files these are the shipped rules.`,
		Example: "  tocsin rules show\n  tocsin rules show --config tocsin.yml\n  tocsin rules show rules/ --json",
		RunE:    func(cmd *cobra.Command, args []string) error { return f.run(cmd, args) },
	}
	cmd.Flags().StringVar(&f.config, "config", "", "configuration `FILE` whose rule files are shown")
	cmd.Flags().BoolVar(&f.json, "json", false, "print JSON: one rule per line")
	return cmd
}

// shownRule is a rule for machines.
type shownRule struct {
	Section string `json:"section"`
	Name    string `json:"name"`
	File    string `json:"file"`
	Line    int    `json:"line"`
	Shipped bool   `json:"shipped"`
}

// load reads the rules that are asked for.
func (f *rulesShow) load(names []string) (*rules.Set, error) {
	if f.config == "" {
		set, _, err := namedRules(rulePatterns(names))
		if err != nil {
			return nil, wrongRules("rules", err)
		}
		return set, nil
	}
	if len(names) > 0 {
		return nil, usage("files and a configuration", "name one of the two")
	}
	c, err := config.Load(f.config)
	var set *rules.Set
	if err == nil {
		set, _, _, err = readRules(c)
	}
	if err != nil {
		return nil, &fault{code: exitUsage, message: err.Error(), hint: "`tocsin check " + f.config + "` shows all that is wrong", cause: err}
	}
	return set, nil
}

func (f *rulesShow) run(cmd *cobra.Command, args []string) error {
	p := newPrinter(cmd, f.json, false)
	set, err := f.load(args)
	if err != nil {
		return err
	}
	if f.json {
		for _, r := range set.Rules() {
			if err := p.value(shownRule{r.Section, r.Name, r.Place.File, r.Place.Line, r.Shipped}); err != nil {
				return err
			}
		}
		return nil
	}
	table := terminal.NewTable("SECTION", "RULE", "PLACE")
	for _, r := range set.Rules() {
		table.Add(terminal.Text(r.Section), terminal.Text(r.Name), terminal.Text(r.Place.String()))
	}
	if err := p.table(table, ""); err != nil {
		return err
	}
	p.note("version %s", set.Version)
	return nil
}

// readRules reads and compiles the rule files that c names, and tells how many there are.
func readRules(c *config.Config) (set *rules.Set, files int, unmatched strict.Errors, err error) {
	texts, unmatched, err := c.ReadRules()
	if err != nil {
		return nil, 0, nil, err
	}
	set, err = rules.Parse(texts)
	return set, len(texts), unmatched, err
}

// namedRules is readRules for files that were typed just now: one that is not there is an error.
func namedRules(patterns []string) (set *rules.Set, files int, err error) {
	set, files, unmatched, err := readRules(&config.Config{RuleFiles: patterns})
	if missing := unmatched.Err(); missing != nil {
		return nil, 0, missing
	}
	return set, files, err
}

// ruleCount says how many rules the files of a set hold.
func ruleCount(set *rules.Set) string {
	n := 0
	for _, r := range set.Rules() {
		if !r.Shipped && r.Place.Line > 0 {
			n++
		}
	}
	return plural(n, "rule", "rules")
}

// checkedRules is what a check of rule files says when nothing is wrong.
func checkedRules(set *rules.Set, files int) string {
	return fmt.Sprintf("%s, %s, %s", plural(files, "file", "files"), ruleCount(set), plural(len(set.Warnings), "warning", "warnings"))
}
