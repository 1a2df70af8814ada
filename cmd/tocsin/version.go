package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set when the binary is linked (scripts/build).
var version = "unknown" //nolint:gochecknoglobals // the linker can set nothing else

// coreVersion tells this build from others in the journal: what another one decided is not decided again. A build that was
// linked without a version is known by its own digest.
func coreVersion() string {
	if version != "unknown" {
		return version
	}
	path, err := os.Executable()
	if err != nil {
		return version
	}
	binary, err := os.ReadFile(path)
	if err != nil {
		return version
	}
	return fmt.Sprintf("build-%x", sha256.Sum256(binary))[:18]
}

func newVersionCommand() *cobra.Command {
	var json bool
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Show the version of this binary",
		Example: "  tocsin version --json",
		Args:    cobra.NoArgs,
	}
	cmd.Flags().BoolVar(&json, "json", false, "print JSON")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		p := newPrinter(cmd, json, false)
		if json {
			return p.value(map[string]string{"version": version, "revision": revision(), "go": runtime.Version(), "os": runtime.GOOS, "arch": runtime.GOARCH})
		}
		p.line("tocsin %s (%s, %s/%s)", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
		return nil
	}
	return cmd
}

// revision is the commit that the binary was built from, "" when the build did not know.
func revision() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return ""
}
