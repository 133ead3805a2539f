package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/tw"
	"github.com/spf13/cobra"

	"quantbench/harness/record"
	"quantbench/harness/table"
	"quantbench/models/caffe"
)

func (c *command) tableCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "table",
		Short: "Show calibration tables, and give their rows Caffe layers",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(c.tableShowCommand(), c.tableFixCommand())
	return cmd
}

func (c *command) tableShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "show FILE",
		Short:   "Print the rows of a TensorRT cache or an NVDLA JSON table",
		Example: "  bench table show out/tables/lenet5-fashion-mnist-entropy2.cache",
		Args:    cobra.ExactArgs(1),
		RunE:    func(_ *cobra.Command, args []string) error { return c.tableShow(args[0]) },
	}
}

func (c *command) tableShow(path string) error {
	t, err := readTable(path)
	if err != nil {
		return err
	}
	if t.Header != "" {
		fmt.Fprintln(c.stdout, t.Header)
	}
	grid := newGrid(c.stdout)
	grid.Header("row", "name", "scale", "hex", "range")
	for i, r := range t.Rows {
		if err := grid.Append(fmt.Sprint(i), r.Name, fmt.Sprintf("%.9g", r.Scale), fmt.Sprintf("%08x", r.Bits()), fmt.Sprintf("±%.4g", 127*r.Scale)); err != nil {
			return err
		}
	}
	if err := grid.Render(); err != nil {
		return err
	}
	c.warn(t.Warnings)
	return nil
}

func (c *command) tableFixCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "fix --prototxt P --cache C -o JSON",
		Short: "Give each row of a TensorRT cache its Caffe layer, and write nvdla_compiler's JSON",
		Long: `TensorRT names a tensor after its blob only where the last layer writes it; every
earlier in-place layer is an "(Unnamed Layer* N)". fix finds each row's layer by
number and blob, prints which rule decided, and refuses to go on if a row or a
layer is left over.`,
		Example: "  bench table fix --prototxt deploy.prototxt --cache calibration.cache -o int8.json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return c.tableFix(c.settings.GetString("prototxt"), c.settings.GetString("cache"), c.settings.GetString("output"))
		},
	}
	cmd.Flags().String("prototxt", "", "the network")
	cmd.Flags().String("cache", "", "TensorRT's calibration cache")
	cmd.Flags().StringP("output", "o", "-", "JSON table to write; - is standard output")
	for _, name := range []string{"prototxt", "cache"} {
		if err := cmd.MarkFlagRequired(name); err != nil {
			panic(err) // a flag of ours is misspelt above
		}
	}
	return cmd
}

func (c *command) tableFix(prototxt, cache, output string) error {
	net, err := caffe.Read(prototxt, "")
	if err != nil {
		return asUsage(err)
	}
	t, err := readTable(cache)
	if err != nil {
		return err
	}
	fixed, err := table.Fix(net, t)
	if err != nil {
		return asUsage(err)
	}
	grid := newGrid(c.stderr)
	grid.Header("layer", "row", "scale", "rule", "evidence")
	for _, a := range fixed.Assignments {
		if err := grid.Append(a.Layer.Name, a.Row.Name, fmt.Sprintf("%.9g", a.Row.Scale), a.Rule, a.Evidence); err != nil {
			return err
		}
	}
	if err := grid.Render(); err != nil {
		return err
	}
	c.warn(fixed.Warnings)
	data, err := table.WriteJSON(fixed.JSON())
	if err != nil {
		return err
	}
	if output == "-" {
		_, err = c.stdout.Write(data)
		return err
	}
	return record.WriteFile(output, data)
}

// readTable reads a table in either form, by its content.
func readTable(path string) (*table.Table, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	read := table.ReadCache
	if s := strings.TrimSpace(string(data)); strings.HasPrefix(s, "{") || filepath.Ext(path) == ".json" {
		read = table.ReadJSON
	}
	t, err := read(path, data)
	return t, asUsage(err)
}

// asUsage gives errors of the user's files the exit code of a usage error;
// missing files keep theirs.
func asUsage(err error) error {
	if err == nil || errors.Is(err, os.ErrNotExist) {
		return err
	}
	return &exitError{exitUsage, err}
}

// warn prints warnings on standard error.
func (c *command) warn(warnings []error) {
	for _, w := range warnings {
		fmt.Fprintf(c.stderr, "warning: %v\n", w)
	}
}

// newGrid is a table of plain ASCII that changes neither case nor words.
func newGrid(w interface{ Write([]byte) (int, error) }) *tablewriter.Table {
	return tablewriter.NewTable(w, tablewriter.WithHeaderAutoFormat(tw.Off), tablewriter.WithRowAutoWrap(tw.WrapNone),
		tablewriter.WithSymbols(tw.NewSymbols(tw.StyleASCII)))
}
