package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"quantbench/harness/diagnose"
	"quantbench/harness/record"
	"quantbench/reports"
)

var reporters = map[string]reports.Reporter{
	"terminal": reports.Terminal, "html": reports.HTML, "json": reports.JSON, "csv": reports.CSV, "markdown": reports.Markdown,
}

func (c *command) reportCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "report RESULTS",
		Short: "Render results.json in another format",
		Long: `Renders a results.json (- is standard input) as terminal, html, markdown, csv or json.

predictions (JSON lines) and mlperf (a log of MLPerf's accuracy mode) are the answers
to every picture, from the file that lies beside results.json.`,
		Example: `  bench report out/results.json
  bench report out/results.json --format markdown -o table.md
  bench report out/results.json --format mlperf --cell fp32 -o mlperf_log_accuracy.json`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return c.report(args[0]) },
	}
	cmd.Flags().StringP("format", "f", "terminal", "terminal, html, markdown, csv, json; predictions, mlperf")
	cmd.Flags().String("cell", "", "with predictions and mlperf: the cell, by ID or names such as fp32")
	cmd.Flags().StringP("output", "o", "-", "file to write; - is standard output")
	return cmd
}

func (c *command) report(path string) error {
	format := c.settings.GetString("format")
	if format == "predictions" || format == "mlperf" {
		return c.reportAnswers(path, format)
	}
	if c.settings.GetString("cell") != "" {
		return usage("--cell belongs to the formats predictions and mlperf; the others show all cells")
	}
	reporter, ok := reporters[format]
	if !ok {
		return usage("unknown format %q%s", format, diagnose.DidYouMean(format, formatNames()))
	}
	run, err := readRun(path)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := reporter(&b, run); err != nil {
		return err
	}
	return c.write(b.Bytes())
}

// write writes to --output.
func (c *command) write(data []byte) error {
	if out := c.settings.GetString("output"); out != "-" {
		return record.WriteFile(out, data)
	}
	_, err := c.stdout.Write(data)
	return err
}

func formatNames() []string {
	names := []string{"mlperf", "predictions"}
	for n := range reporters {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// readRun reads results.json, or - for standard input.
func readRun(path string) (*record.Run, error) {
	var data []byte
	var err error
	if path == "-" {
		data, err = io.ReadAll(os.Stdin)
	} else {
		data, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, err
	}
	run := new(record.Run)
	if err := json.Unmarshal(data, run); err != nil {
		line := 1 + strings.Count(string(data[:min(offset(err), len(data))]), "\n")
		return nil, usage("%s:%d: not a results file: %w", path, line, err)
	}
	if run.Schema != record.Schema {
		return nil, usage("%s: schema %d; this bench reads schema %d", path, run.Schema, record.Schema)
	}
	return run, nil
}

// offset is where a JSON error lies.
func offset(err error) int {
	switch e := err.(type) {
	case *json.SyntaxError:
		return int(e.Offset)
	case *json.UnmarshalTypeError:
		return int(e.Offset)
	}
	return 0
}

func (c *command) gateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "gate RESULTS",
		Short: "Exit 3 if a gate fails, 4 if one is inconclusive",
		Example: `  bench gate out/results.json
  bench gate out/results.json --inconclusive pass`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return c.gate(args[0]) },
	}
	cmd.Flags().String("inconclusive", "fail", "what an inconclusive gate does: fail or pass")
	return cmd
}

func (c *command) gate(path string) error {
	run, err := readRun(path)
	if err != nil {
		return err
	}
	if len(run.Gates) == 0 {
		return usage("%s: the run has no gates; set `gate: {max_loss: 1.0}` in its configuration", path)
	}
	counts := map[record.Verdict]int{}
	cells := map[string]record.Cell{}
	for _, cell := range run.Cells {
		cells[cell.ID] = cell
	}
	for _, g := range run.Gates {
		counts[g.Verdict]++
		cell := cells[g.Cell]
		fmt.Fprintf(c.stdout, "%-12s %s %s %s %s %s: %+.2f pp [%+.2f, %+.2f], limit %+.2f pp\n", g.Verdict, g.Cell, cell.Model, cell.Runtime,
			cell.Calibrator, cell.Mode, 100*cell.Difference, 100*cell.DifferenceInterval.Lo, 100*cell.DifferenceInterval.Hi, 100*g.Limit)
	}
	switch {
	case counts[record.Fail] > 0:
		return &exitError{exitGateFailed, fmt.Errorf("%d of %d gates fail", counts[record.Fail], len(run.Gates))}
	case counts[record.Inconclusive] > 0 && c.settings.GetString("inconclusive") != "pass":
		return &exitError{exitInconclusive, fmt.Errorf("%d of %d gates are inconclusive", counts[record.Inconclusive], len(run.Gates))}
	}
	return nil
}
