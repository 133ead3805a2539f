package main

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/tw"
	"github.com/spf13/cobra"

	"quantbench/harness/record"
	"quantbench/harness/table"
	"quantbench/models"
	"quantbench/models/caffe"
)

func (c *command) tableCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "table",
		Short: "Show, check, repair, convert and compare calibration tables",
		Long: `table works on calibration tables of every common kind: TensorRT's cache,
nvdla_compiler's JSON, ncnn's and caffe-int8-convert-tools' table, ONNX Runtime's
calibration.json, QDQ scales, AIMET's encodings and PPQ's config. The kind is told
by the file's content.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(c.tableShowCommand(), c.tableLintCommand(), c.tableFixCommand(), c.tableConvertCommand(), c.tableDiffCommand())
	return cmd
}

func (c *command) tableLintCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "lint FILE",
		Short: "Check a table, alone or against its network",
		Long: `lint tells what is wrong with a table: lines that are no rows, names given twice,
scales that no tensor can have, reciprocals; with --prototxt also missing, extra
and shifted rows and scales that do not go together. bench explain CODE tells more.

Exit codes: 0 no errors, 2 errors (with --strict also warnings), 5 missing file.`,
		Example: `  bench table lint int8.json --prototxt deploy.prototxt
  bench table lint calibration.cache --format json`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return c.lintTable(args[0], c.settings.GetString("prototxt"))
		},
	}
	cmd.Flags().String("prototxt", "", "the network")
	cmd.Flags().String("format", "text", "text, json, sarif or junit")
	cmd.Flags().Bool("strict", false, "count warnings as errors")
	return cmd
}

func (c *command) tableFixCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "fix --prototxt P --cache C -o JSON",
		Short: "Give each row of a TensorRT cache its Caffe layer, and write nvdla_compiler's JSON",
		Long: `TensorRT names a tensor after its blob only where the last layer writes it; every
earlier in-place layer is an "(Unnamed Layer* N)". fix finds each row's layer by
number and blob, prints which rule decided, and refuses to go on if a row or a
layer is left over.

With --by-position row i goes to layer i of the prototxt instead, as scripts often
do. That is right only if an Input layer comes first and every other layer makes
one TensorRT layer; a warning names each layer for which it is wrong.`,
		Example: `  bench table fix --prototxt deploy.prototxt --cache calibration.cache -o int8.json`,
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return c.tableFix(c.settings.GetString("prototxt"), c.settings.GetString("cache"), c.settings.GetString("output"))
		},
	}
	cmd.Flags().String("prototxt", "", "the network")
	cmd.Flags().String("cache", "", "TensorRT's calibration cache")
	cmd.Flags().StringP("output", "o", "-", "JSON table to write; - is standard output")
	cmd.Flags().Bool("by-position", false, "give row i to layer i, and say where that is wrong")
	required(cmd, "prototxt", "cache")
	return cmd
}

// required marks flags of ours.
func required(cmd *cobra.Command, names ...string) {
	for _, name := range names {
		if err := cmd.MarkFlagRequired(name); err != nil {
			panic(err) // a flag of ours is misspelt
		}
	}
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
	fix := table.Fix
	if c.settings.GetBool("by-position") {
		fix = table.ByPosition
	}
	fixed, err := fix(net, t)
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
	return c.writeTable(output, data)
}

// writeTable writes a file, or standard output for "-".
func (c *command) writeTable(output string, data []byte) error {
	if output == "-" {
		_, err := c.stdout.Write(data)
		return err
	}
	return record.WriteFile(output, data)
}

func (c *command) tableConvertCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "convert FILE --to FORMAT",
		Short: "Write a table in another format",
		Long: `convert reads a table of any kind and writes it as tensorrt, nvdla, ncnn,
onnxruntime, qdq, aimet or ppq. Scales keep their 32 bits; where another program
would round them, convert says so.

The formats name rows differently: TensorRT after blobs and layer numbers, NVDLA
after layers, ncnn after the layers that read a tensor. With --prototxt rows get
the names of the format; without it they keep theirs, which ncnn's tables cannot.
--partial allows a table that does not tell every layer's scale.`,
		Example: `  bench table convert net.table --to nvdla --prototxt deploy.prototxt --partial -o int8.json
  bench table convert calibration.cache --to onnxruntime -o calibration.json`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return c.tableConvert(args[0]) },
	}
	cmd.Flags().String("to", "", "format to write")
	cmd.Flags().String("prototxt", "", "the network, to name rows as the format does")
	cmd.Flags().String("caffemodel", "", "its weights, for ncnn's weight rows")
	cmd.Flags().Bool("partial", false, "write what the table tells, even if layers are missing")
	cmd.Flags().StringP("output", "o", "-", "file to write; - is standard output")
	required(cmd, "to")
	return cmd
}

func (c *command) tableConvert(path string) error {
	to := table.Format(c.settings.GetString("to"))
	if !slices.Contains(table.Formats, to) {
		return usage("unknown format %q; known are %q", to, table.Formats)
	}
	t, err := readTable(path)
	if err != nil {
		return err
	}
	var net *models.Network
	if p := c.settings.GetString("prototxt"); p != "" {
		if net, err = caffe.Read(p, c.settings.GetString("caffemodel")); err != nil {
			return asUsage(err)
		}
	}
	out, warnings, err := table.Rekey(net, t, to, c.settings.GetBool("partial"))
	c.warn(t.Warnings)
	c.warn(warnings)
	if err != nil {
		return asUsage(err)
	}
	data, err := table.Write(out, to)
	if err != nil {
		return asUsage(err)
	}
	fmt.Fprintf(c.stderr, "%s: %s, %d rows, to %s, %d rows\n", path, t.Format, len(t.Rows), to, len(out.Rows))
	if note := table.Rounding(to); note != "" {
		fmt.Fprintf(c.stderr, "note: %s\n", note)
	}
	return c.writeTable(c.settings.GetString("output"), data)
}

func (c *command) tableDiffCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "diff A B",
		Short: "Compare two tables name by name, bit for bit",
		Long: `diff lists the names whose scales differ, or that only one table has. The formats
may differ; names must agree, so convert with --prototxt first if they do not.

Exit codes: 0 equal, 1 different, 2 a table cannot be read, 5 missing file.`,
		Example: `  bench table diff old.cache new.cache`,
		Args:    cobra.ExactArgs(2),
		RunE:    func(_ *cobra.Command, args []string) error { return c.tableDiff(args[0], args[1]) },
	}
}

func (c *command) tableDiff(a, b string) error {
	ta, err := readTable(a)
	if err != nil {
		return err
	}
	tb, err := readTable(b)
	if err != nil {
		return err
	}
	diffs, equal := table.Diff(ta, tb)
	if len(diffs) > 0 {
		grid := newGrid(c.stdout)
		grid.Header("name", "A", "B", "B/A")
		for _, d := range diffs {
			if err := grid.Append(difference(d)...); err != nil {
				return err
			}
		}
		if err := grid.Render(); err != nil {
			return err
		}
	}
	fmt.Fprintf(c.stdout, "%d equal, %d different\n", equal, len(diffs))
	if len(diffs) > 0 {
		return &exitError{exitFailed, errors.New("")}
	}
	return nil
}

func difference(d table.Difference) []any {
	side := func(r *table.Row) string {
		if r == nil {
			return "-"
		}
		return fmt.Sprintf("%.9g", r.Scale)
	}
	ratio := ""
	if d.A != nil && d.B != nil {
		ratio = fmt.Sprintf("%.6g", d.B.Scale/d.A.Scale)
	}
	return []any{d.Name, side(d.A), side(d.B), ratio}
}

// readTable reads a table of any format, told by its content.
func readTable(path string) (*table.Table, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	t, err := table.Read(path, data)
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
