package main

import (
	"github.com/spf13/cobra"

	"github.com/tocsin-noc/tocsin/history/chdb"
)

func newHistoryInstallCommand() *cobra.Command {
	var from string
	cmd := &cobra.Command{
		Use:   "install",
		Short: "Fetch the ClickHouse library that the embedded history runs on",
		Long: `Fetch the ClickHouse library that the embedded history runs on, about 180 MB, and put it into the cache folder ($TOCSIN_CACHE, or tocsin in
the user's cache folder). npm says where it lies, with its own settings of registry and proxies; the digest is in this binary, and nothing
else is installed. What is there already is left alone.

--from takes it from a file: the package as "npm pack" makes it, or the library itself. The digest is checked all the same.`,
		Example: "  tocsin history install\n  tocsin history install --from chdb-lib-linux-x64-gnu-" + chdb.Version + ".tgz",
		Args:    cobra.NoArgs,
	}
	cmd.Flags().StringVar(&from, "from", "", "`FILE` that holds the package or the library")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		p := newPrinter(cmd, false, false)
		path, err := chdb.Install(cmd.Context(), chdb.InstallOptions{From: from, Progress: cmd.ErrOrStderr()})
		if err != nil {
			return err
		}
		p.line("%s", path)
		return nil
	}
	return cmd
}
