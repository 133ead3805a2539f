package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"quantbench/harness/diagnose"
	"quantbench/harness/modelcheck"
	"quantbench/harness/modelstore"
)

func (c *command) modelCheckCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check [NAME]",
		Short: "Verify a network's files, and tell which runtimes refuse it",
		Long: `Compares the files of a network with the catalogue (size, checksum), the prototxt
with the caffemodel (weights that are missing, left over, of another shape or not
finite), and asks every runtime whether it takes the network. Without NAME and
--prototxt, every network of the catalogue that is on this machine is checked.

Each finding has a code (bench explain). Exit codes: 0 no errors, 1 errors were
found, 5 a file is missing. With --strict warnings count as errors.`,
		Example: "  bench model check\n  bench model check squeezenet-v1.1 --runtime fp32,tensorrt-int8\n  bench model check --prototxt deploy.prototxt --caffemodel net.caffemodel",
		Args:    cobra.MaximumNArgs(1),
		RunE:    func(_ *cobra.Command, args []string) error { return c.modelCheck(args) },
	}
	f := cmd.Flags()
	modelFlags(f)
	f.StringSlice("runtime", modelcheck.Runtimes, "runtimes that have to take the network")
	f.String("target", "nv_small", "nv_small, nv_large or nv_full")
	f.String("mode", "per-kernel", "per-kernel or per-filter")
	f.String("format", "text", "text, json, sarif or junit")
	f.Bool("strict", false, "count warnings as errors")
	return cmd
}

func (c *command) modelCheck(args []string) error {
	get := c.settings.GetString
	o := modelcheck.Options{Dirs: dataDirs(), Runtimes: c.settings.GetStringSlice("runtime"), Target: get("target"), Mode: get("mode")}
	for _, r := range o.Runtimes {
		if !slices.Contains(modelcheck.Runtimes, r) {
			return usage("unknown runtime %q%s", r, diagnose.DidYouMean(r, modelcheck.Runtimes))
		}
	}
	if formats := []string{"text", "json", "sarif", "junit"}; !slices.Contains(formats, get("format")) {
		return usage("unknown format %q%s", get("format"), diagnose.DidYouMean(get("format"), formats))
	}
	sources, err := c.toCheck(args)
	if err != nil {
		return err
	}
	var found []diagnose.Finding
	for _, s := range sources {
		list, err := modelcheck.Check(s, o)
		if err != nil {
			return err
		}
		if len(sources) > 1 {
			fmt.Fprintf(c.stderr, "%s: %s\n", s.Title(), tally(list))
		}
		found = append(found, list...)
	}
	if err := c.writeFindings(found, "bench model check"); err != nil {
		return err
	}
	if worst := diagnose.Worst(found); worst == diagnose.Error || worst == diagnose.Warning && c.settings.GetBool("strict") {
		return &exitError{exitFailed, errors.New("")}
	}
	return nil
}

// toCheck is the network that the arguments name, or all that are at hand.
func (c *command) toCheck(args []string) ([]modelstore.Source, error) {
	if len(args) > 0 || c.settings.GetString("prototxt") != "" || c.settings.GetString("caffemodel") != "" {
		s, err := c.modelSource(args)
		return []modelstore.Source{s}, err
	}
	var list []modelstore.Source
	for _, l := range modelstore.List(dataDirs()) {
		if l.State != modelstore.Absent {
			list = append(list, modelstore.Source{Name: l.Name})
		}
	}
	return list, nil
}

func tally(list []diagnose.Finding) string {
	return fmt.Sprintf("%d errors, %d warnings, %d notes", diagnose.Count(list, diagnose.Error), diagnose.Count(list, diagnose.Warning), diagnose.Count(list, diagnose.Note))
}
