package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"quantbench/harness/diagnose"
	"quantbench/harness/modelstore"
	"quantbench/models/catalogue"
)

func (c *command) modelCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "model",
		Short: "List, get, inspect, check and fold networks",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	list := &cobra.Command{
		Use: "list", Short: "List the networks known by name, and where they are", Example: "  bench model list\n  bench model list --json", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return c.modelList() },
	}
	list.Flags().Bool("json", false, "print all that is known as JSON")
	cmd.AddCommand(list, c.modelGetCommand(), c.modelInspectCommand(), c.modelFoldCommand(), c.modelCheckCommand())
	return cmd
}

// modelList prints the catalogue, with what is on this machine.
func (c *command) modelList() error {
	shelf := modelstore.List(dataDirs())
	if c.settings.GetBool("json") {
		return c.printJSON(shelf)
	}
	grid := newGrid(c.stdout)
	grid.Header("name", "what", "input", "known top-1", "licence", "state")
	for _, s := range shelf {
		if err := grid.Append(s.Name, s.Title, s.Input.String(), s.Accuracy(), s.Licence, s.State); err != nil {
			return err
		}
	}
	return grid.Render()
}

// knownModel refuses a name that the catalogue does not have.
func knownModel(name string) (catalogue.Entry, error) {
	if e, ok := catalogue.Named(name); ok {
		return e, nil
	}
	return catalogue.Entry{}, usage("no network is called %q%s", name, diagnose.DidYouMean(name, catalogue.Names()))
}

// say prints to standard output.
func (c *command) say(format string, args ...any) { fmt.Fprintf(c.stdout, format, args...) }

// printJSON prints a value as indented JSON.
func (c *command) printJSON(v any) error {
	out := json.NewEncoder(c.stdout)
	out.SetIndent("", "  ")
	return out.Encode(v)
}
