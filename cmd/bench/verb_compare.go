package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"quantbench/harness/compare"
	"quantbench/harness/record"
	"quantbench/reports"
)

func (c *command) compareCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "compare A B [RESULTS [RESULTS2]]",
		Short: "Test any two cells on the same pictures",
		Long: `Compares cells picture by picture: how many only the one or only the other has
right, the difference with its 95 % interval, and the exact p of McNemar's test. A is
the reference. B is looked for in RESULTS2 if that is given. RESULTS is a
results.json of bench run or bench import (out/results.json if not given), with the
predictions beside it.

A and B are IDs of cells, or words between slashes that name one cell only:
tensorrt-int8/entropy2. --all compares every two cells of each model and dataset, or
with --reference all cells with that one; p is then corrected for the number of
comparisons (Holm).`,
		Example: `  bench compare fp32 tensorrt-int8 out/results.json
  bench compare nvdla-int8/per-filter nvdla-int8/per-kernel out/results.json
  bench compare lenet5/fp32 lenet5/fp32 before/results.json after/results.json
  bench compare --all --reference fp32 out/results.json --json`,
		Args: cobra.MaximumNArgs(4),
		RunE: func(_ *cobra.Command, args []string) error { return c.compare(args) },
	}
	f := cmd.Flags()
	f.Bool("all", false, "many comparisons at once, with corrected p")
	f.String("reference", "", "with --all: the cell that all others are compared with")
	f.Bool("common", false, "where the pictures differ, compare on the common ones")
	f.Bool("json", false, "print JSON")
	return cmd
}

func (c *command) compare(args []string) error {
	var pairs []compare.Pair
	var err error
	if c.settings.GetBool("all") {
		pairs, err = c.allPairs(args)
	} else {
		pairs, err = c.onePair(args)
	}
	if err != nil {
		return err
	}
	list, err := compare.Pairs(pairs, c.settings.GetBool("common"))
	if err != nil {
		return usage("%w", err)
	}
	if c.settings.GetBool("json") {
		e := json.NewEncoder(c.stdout)
		e.SetIndent("", "  ")
		return e.Encode(list)
	}
	return reports.Comparisons(c.stdout, list)
}

// onePair finds A and B.
func (c *command) onePair(args []string) ([]compare.Pair, error) {
	if len(args) < 2 {
		return nil, usage("give two cells to compare, or --all; see `bench compare --help`")
	}
	if c.settings.GetString("reference") != "" {
		return nil, usage("--reference belongs to --all; of two cells the first is the reference")
	}
	files := args[2:]
	if len(files) == 0 {
		files = []string{defaultResults}
	}
	var pair [2]compare.Cell
	for i, selector := range args[:2] {
		cells, err := readCells(files[min(i, len(files)-1)])
		if err != nil {
			return nil, err
		}
		if pair[i], err = cells.find(selector); err != nil {
			return nil, err
		}
	}
	return []compare.Pair{{A: pair[0], B: pair[1]}}, nil
}

// allPairs are the pairs of --all.
func (c *command) allPairs(args []string) ([]compare.Pair, error) {
	if len(args) > 1 {
		return nil, usage("--all takes one results file, found %d arguments", len(args))
	}
	file := defaultResults
	if len(args) == 1 {
		file = args[0]
	}
	cells, err := readCells(file)
	if err != nil {
		return nil, err
	}
	pairs := compare.WithinGroups(cells.list)
	if r := c.settings.GetString("reference"); r != "" {
		ref, err := cells.find(r)
		if err != nil {
			return nil, err
		}
		pairs = compare.AgainstReference(ref, cells.list)
	}
	if len(pairs) == 0 {
		return nil, usage("%s: nothing to compare: no two cells with a result are of one dataset", file)
	}
	return pairs, nil
}

// defaultResults is what bench run writes.
var defaultResults = filepath.Join("out", "results.json")

// cells are those of one results file.
type cells struct {
	file string
	run  *record.Run
	list []compare.Cell
}

func readCells(file string) (*cells, error) {
	run, err := readRun(file)
	if err != nil {
		return nil, err
	}
	path := record.AnswersPath(file)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &exitError{exitMissing, fmt.Errorf("%s does not exist; bench run and bench import write the predictions beside %s, and a run that is in the cache writes them at once", path, file)}
	}
	if err != nil {
		return nil, err
	}
	answers, err := record.ReadAnswers(path, data)
	if err != nil {
		return nil, usage("%w", err)
	}
	list, err := compare.Of(run, answers)
	if err != nil {
		return nil, usage("%s: %w", file, err)
	}
	return &cells{file, run, list}, nil
}

// find is the cell that a selector means.
func (x *cells) find(selector string) (compare.Cell, error) {
	c, err := record.Select(x.run.Cells, selector)
	if err != nil {
		return compare.Cell{}, usage("%s: %w", x.file, err)
	}
	for _, cell := range x.list {
		if cell.ID == c.ID {
			return cell, nil
		}
	}
	return compare.Cell{}, usage("%s: cell %s has no predictions", x.file, c.ID)
}
