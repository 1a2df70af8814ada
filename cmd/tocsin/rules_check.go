package main

import "github.com/spf13/cobra"

func newRulesCheckCommand() *cobra.Command {
	json := false
	cmd := &cobra.Command{
		Use:   "check FILE|FOLDER…",
		Short: "Check rule files together; all problems at once, exit code 2 when there are any",
		Long: `Check rule files together, over the shipped rules. A folder stands for the *.yml and *.yaml files in it. All problems come at once, each as
file:line:col with a hint; exit code 2 when the daemon would not take them. Warnings do not change the exit code.`,
		Example: "  tocsin rules check rules/\n  tocsin rules check rules/db.yml rules/web.yml --json",
		RunE: func(cmd *cobra.Command, args []string) error {
			return checkRuleFiles(newPrinter(cmd, json, false), args)
		},
	}
	addFindingsJSON(cmd, &json)
	return cmd
}

func checkRuleFiles(p *printer, names []string) error {
	if len(names) == 0 {
		return usage("which files?", "name rule files or a folder of them, as in `tocsin rules check rules/`")
	}
	patterns := rulePatterns(names)
	if len(patterns) == 0 {
		return usage("no rule file in "+names[0], "rule files end in .yml or .yaml")
	}
	set, files, err := namedRules(patterns)
	found := problems(err, "")
	if err == nil {
		found = problems(set.Warnings.Err(), "")
		for i := range found {
			found[i].Warning = true
		}
	}
	wrong, err := showFindings(p, found, func() string { return checkedRules(set, files) })
	if err != nil {
		return err
	}
	if wrong > 0 {
		p.note("%s", plural(wrong, "error", "errors"))
		return said(exitUsage)
	}
	return nil
}
