package main

import (
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"

	"quantbench/harness"
)

func (c *command) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version, and what this processor offers",
		Example: "  bench version",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			host, level := harness.Host()
			_, err := fmt.Fprintf(c.stdout, "bench %s, engine %s\n%s, %s kernels\n", version(), harness.EngineVersion, host, level)
			return err
		},
	}
}

// version is the module's version as the Go tool stamped it.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}
