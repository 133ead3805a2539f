package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"quantbench/harness"
	"quantbench/harness/answers"
	"quantbench/harness/diagnose"
	"quantbench/harness/record"
	"quantbench/reports"
)

func (c *command) importCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "import FILE...",
		Short: "Take over what other programs answered",
		Long: `Reads answers of other programs, a cell a file: MLPerf accuracy logs, CSV with a
header, or JSON lines (image_id, label, pred, margin); gzipped or not. Labels are
those in the files, of --labels (lines of a picture's name and its class, such as
val.txt), or of --dataset.

Writes results.json, which every report reads, and beside it the predictions,
which bench compare needs. A configuration takes the same files as ` + "`imports`" + `, to
stand beside cells that bench ran.`,
		Example: `  bench import mlperf_log_accuracy.json --labels val.txt --model resnet50 --dataset imagenet
  bench import fp32.csv int8.csv --model mine --runtime fp32 --runtime "my int8" --reference fp32`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return c.importFiles(cmd, args) },
	}
	f := cmd.Flags()
	f.String("format", "", "mlperf, csv or jsonl; found out if not given")
	f.String("data-type", "", "of an MLPerf log: int32, float32 or int64; found out if not given")
	f.String("labels", "", "file of labels")
	f.Int("classes", 0, "how many classes there are; 0 is the largest label and one")
	f.String("model", "", "what the network is called")
	f.String("dataset", "", "what the pictures are called; one of `bench data list` brings its labels")
	f.StringArray("runtime", nil, "what ran the network, once for each file; the file's name if not given")
	f.StringArray("calibrator", nil, "what calibrated it, once for each file")
	f.String("reference", "", "runtime, or cell, with which the others are paired; fp32 if there is one")
	f.Bool("partial", false, "allow pictures without an answer")
	f.String("cache", cacheDir(), "folder that keeps finished cells")
	f.StringP("output", "o", "results.json", "results file to write")
	f.BoolP("quiet", "q", false, "no table")
	return cmd
}

func (c *command) importFiles(cmd *cobra.Command, files []string) error {
	specs, err := c.importSpecs(cmd, files)
	if err != nil {
		return err
	}
	c.settings.Set("jobs", 1)
	display := newProgress(c.stderr, true)
	exp, err := c.experiment(&harness.Config{Version: 1, File: "bench import", Imports: specs}, display.observe)
	if err != nil {
		return err
	}
	if err := brokenImport(exp.Plan()); err != nil {
		return err
	}
	run, err := exp.Run(cmd.Context())
	if err != nil {
		return err
	}
	run.Manifest = manifest(run.Manifest, nil)
	run.Manifest.Command = "bench import " + strings.Join(files, " ")
	out := c.settings.GetString("output")
	if err := c.writeImport(cmd.Context(), exp, run, out); err != nil {
		return err
	}
	if !c.settings.GetBool("quiet") {
		if err := reports.Terminal(c.stdout, run); err != nil {
			return err
		}
		fmt.Fprintf(c.stderr, "results: %s\n", out)
	}
	return failedCells(run)
}

// writeImport writes the results and, beside them, the predictions.
func (c *command) writeImport(ctx context.Context, exp *harness.Experiment, run *record.Run, out string) error {
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return err
	}
	var b bytes.Buffer
	if err := reports.JSON(&b, run); err != nil {
		return err
	}
	if err := record.WriteFile(out, b.Bytes()); err != nil {
		return err
	}
	return writeAnswers(ctx, exp, record.AnswersPath(out))
}

// writeAnswers writes the predictions of all cells of a run.
func writeAnswers(ctx context.Context, exp *harness.Experiment, path string) error {
	list, err := exp.Answers(ctx)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := record.WriteAnswers(&b, list); err != nil {
		return err
	}
	return record.WriteFile(path, b.Bytes())
}

// importSpecs makes a cell of each file.
func (c *command) importSpecs(cmd *cobra.Command, files []string) ([]harness.ImportSpec, error) {
	runtimes, _ := cmd.Flags().GetStringArray("runtime")
	calibrators, _ := cmd.Flags().GetStringArray("calibrator")
	one := harness.ImportSpec{
		Format: c.settings.GetString("format"), DataType: c.settings.GetString("data-type"), Labels: c.settings.GetString("labels"),
		Classes: c.settings.GetInt("classes"), Partial: c.settings.GetBool("partial"),
		Model: c.settings.GetString("model"), Dataset: c.settings.GetString("dataset"), Reference: c.settings.GetString("reference"),
	}
	switch {
	case one.Model == "":
		return nil, usage("--model is missing; it names the network that gave the answers")
	case len(runtimes) > 0 && len(runtimes) != len(files):
		return nil, usage("%d files and %d times --runtime; give it once for each file, in their order", len(files), len(runtimes))
	case len(calibrators) > 0 && len(calibrators) != len(files):
		return nil, usage("%d files and %d times --calibrator; give it once for each file, in their order", len(files), len(calibrators))
	case one.Format != "" && !known(one.Format, answers.Formats):
		return nil, usage("unknown format %q%s", one.Format, diagnose.DidYouMean(one.Format, answers.Formats))
	case one.DataType != "" && !known(one.DataType, answers.Encodings):
		return nil, usage("unknown data type %q%s", one.DataType, diagnose.DidYouMean(one.DataType, answers.Encodings))
	}
	if one.Dataset == "" {
		one.Dataset = "pictures"
		if one.Labels != "" {
			one.Dataset = stem(one.Labels)
		}
	}
	var specs []harness.ImportSpec
	for i, f := range files {
		s := one
		s.File, s.Runtime = f, stem(f)
		if len(runtimes) > 0 {
			s.Runtime = runtimes[i]
		}
		if len(calibrators) > 0 {
			s.Calibrator = calibrators[i]
		}
		for _, t := range specs {
			if t.Runtime == s.Runtime && t.Calibrator == s.Calibrator {
				return nil, usage("%s and %s would both be the cell %q; give each its own --runtime", t.File, s.File, s.Runtime)
			}
		}
		specs = append(specs, s)
	}
	return specs, nil
}

func known(name string, list []string) bool {
	for _, n := range list {
		if n == name {
			return true
		}
	}
	return false
}

// stem is a file's name without folders and the endings of formats.
func stem(file string) string {
	name := filepath.Base(file)
	for _, ending := range []string{".gz", ".json", ".jsonl", ".csv", ".txt"} {
		name = strings.TrimSuffix(name, ending)
	}
	return name
}

// brokenImport is the error of the first file that cannot be read.
func brokenImport(plan []harness.PlannedCell) error {
	for _, p := range plan {
		switch {
		case p.Key != "":
		case p.Broken:
			return usage("%s", p.Skip)
		default:
			return &exitError{exitMissing, errors.New(p.Skip)}
		}
	}
	return nil
}
