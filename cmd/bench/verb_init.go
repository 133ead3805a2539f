package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"quantbench/configs"
	"quantbench/harness/diagnose"
	"quantbench/harness/record"
)

func (c *command) initCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "init FILE",
		Short: "Write a configuration to start from",
		Example: `  bench init mine.yaml
  bench init mine.yaml --from default`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return c.init(args[0]) },
	}
	cmd.Flags().String("from", "default", "shipped configuration to copy")
	return cmd
}

// init copies a shipped configuration; it never overwrites a file.
func (c *command) init(path string) error {
	name := c.settings.GetString("from")
	data, ok := configs.Named(name)
	if !ok {
		return usage("no configuration called %q ships with bench%s", name, diagnose.DidYouMean(name, configs.Names()))
	}
	if _, err := os.Stat(path); err == nil {
		return usage("%s exists already; choose another name or remove it", path)
	}
	if err := record.WriteFile(path, data); err != nil {
		return err
	}
	fmt.Fprintf(c.stderr, "wrote %s; next: bench plan %s\n", path, path)
	return nil
}
