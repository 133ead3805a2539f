package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"quantbench/datasets"
	"quantbench/harness"
	"quantbench/harness/diagnose"
	"quantbench/harness/doctor"
	"quantbench/harness/table"
	"quantbench/models/caffe"
)

func (c *command) doctorCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "doctor [CONFIG]",
		Short: "Find what will go wrong between network, calibration table and NVDLA, before running",
		Long: `doctor examines the networks of a configuration, or one network with its table,
without running anything. Every finding has a code (see bench explain), a place,
the numbers that prove it, and a remedy. With --log it explains what
nvdla_compiler or nvdla_runtime printed.

Exit codes: 0 no errors (notes and warnings do not count), 2 errors, 5 a file is
missing. With --strict warnings count as errors.`,
		Example: `  bench doctor                      # the shipped experiment
  bench doctor mine.yaml --tables out/tables
  bench doctor --prototxt deploy.prototxt --caffemodel net.caffemodel --table int8.json
  bench doctor --prototxt deploy.prototxt --format sarif > doctor.sarif
  bench doctor --log compile.log`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			means, err := cmd.Flags().GetFloat32Slice("mean")
			if err != nil {
				return err
			}
			return c.doctor(cmd.Context(), args, means)
		},
	}
	f := cmd.Flags()
	f.String("prototxt", "", "examine this network instead of a configuration")
	f.String("caffemodel", "", "its weights; without them factors, biases and filters are not examined")
	f.String("table", "", "its calibration table, in any format that bench table reads")
	f.String("tables", "", "folder of a configuration's tables, as bench run writes them")
	f.String("target", "nv_small", "nv_small, nv_large or nv_full")
	f.String("mode", "per-kernel", "per-kernel or per-filter")
	f.String("profile", "fast-math", "profile of nvdla_compiler")
	f.String("informat", "ncxhwx", "ncxhwx, nchw or nhwc (a picture; nvdla_compiler's default)")
	f.String("input", doctor.RuntimeInput, "who quantizes pictures: nvdla_runtime by its fixed map, or quantized by the table")
	f.Float32Slice("mean", nil, "mean that the network was trained with: one value, or one a channel")
	f.Float32("scale", 0, "factor that the network was trained with: input = (pixel - mean) * scale")
	f.StringSlice("log", nil, "explain these logs of nvdla_compiler or nvdla_runtime instead")
	f.String("format", "text", "text, json, sarif or junit")
	f.Bool("strict", false, "count warnings as errors")
	f.String("cache", cacheDir(), "folder that keeps finished cells")
	f.IntP("jobs", "j", defaultJobs(), "picture blocks to run at a time")
	for _, hidden := range []string{"cache", "jobs"} { // for the environment of a configuration
		_ = f.MarkHidden(hidden)
	}
	return cmd
}

func (c *command) doctor(ctx context.Context, args []string, means []float32) error {
	if f := c.settings.GetString("format"); f != "text" && f != "json" && f != "sarif" && f != "junit" {
		return usage("unknown format %q%s", f, diagnose.DidYouMean(f, []string{"text", "json", "sarif", "junit"}))
	}
	var found []diagnose.Finding
	var err error
	switch logs := c.settings.GetStringSlice("log"); {
	case len(logs) > 0:
		found, err = examineLogs(logs)
	case c.settings.GetString("prototxt") != "":
		if len(args) > 0 {
			return usage("give a configuration or --prototxt, not both")
		}
		found, err = c.examineNetwork(means)
	case c.settings.GetString("caffemodel") != "" || c.settings.GetString("table") != "":
		return usage("--caffemodel and --table need --prototxt")
	default:
		found, err = c.examineConfig(ctx, args)
	}
	if err != nil {
		return err
	}
	if err := c.writeFindings(found, "bench doctor"); err != nil {
		return err
	}
	return c.verdict(found)
}

// verdict is the exit code of findings.
func (c *command) verdict(found []diagnose.Finding) error {
	worst := diagnose.Worst(found)
	if worst == diagnose.Error || worst == diagnose.Warning && c.settings.GetBool("strict") {
		return &exitError{exitUsage, errors.New("")}
	}
	return nil
}

func (c *command) writeFindings(found []diagnose.Finding, title string) error {
	switch c.settings.GetString("format") {
	case "json":
		return diagnose.JSON(c.stdout, found)
	case "sarif":
		return diagnose.SARIF(c.stdout, title, found, doctor.Rules())
	case "junit":
		return diagnose.JUnit(c.stdout, title, found, c.settings.GetBool("strict"))
	}
	return diagnose.Text(c.stdout, found)
}

func examineLogs(files []string) ([]diagnose.Finding, error) {
	var found []diagnose.Finding
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		found = append(found, doctor.ExamineLog(f, string(data))...)
	}
	return doctor.Sort(found), nil
}

// examineNetwork examines the files named by flags. Mistakes in them are
// findings; a file that is missing is an error.
func (c *command) examineNetwork(means []float32) ([]diagnose.Finding, error) {
	get := c.settings.GetString
	net, err := caffe.Read(get("prototxt"), get("caffemodel"))
	if err != nil {
		return unreadable(err)
	}
	s := doctor.Subject{Network: net, Input: get("input"), Target: get("target"), Mode: get("mode"), Profile: get("profile"), InputFormat: get("informat")}
	if s.Input != doctor.RuntimeInput && s.Input != doctor.Quantized {
		return nil, usage("unknown input %q%s", s.Input, diagnose.DidYouMean(s.Input, []string{doctor.RuntimeInput, doctor.Quantized}))
	}
	if scale := float32(c.settings.GetFloat64("scale")); scale != 0 || len(means) > 0 {
		s.Preprocess = &datasets.Preprocess{Mean: means, Scale: scale}
		in := net.Input().Out
		if err := s.Preprocess.Check(in.C, in.H, in.W); err != nil {
			return nil, usage("--mean, --scale: %w", err)
		}
	}
	if path := get("table"); path != "" {
		if s.Table, err = readTable(path); err != nil {
			return unreadable(err)
		}
	}
	return doctor.Examine(s), nil
}

// unreadable makes a finding of a mistake in a file.
func unreadable(err error) ([]diagnose.Finding, error) {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return nil, err
	}
	return []diagnose.Finding{doctor.Unreadable(err)}, nil
}

// examineConfig examines every network of a configuration for every NVDLA
// setting that its matrix has, and its datasets' labels and pictures.
func (c *command) examineConfig(ctx context.Context, args []string) ([]diagnose.Finding, error) {
	cfg, err := loadConfig(args)
	if err != nil {
		return nil, err
	}
	exp, err := c.experiment(cfg, nil)
	if err != nil {
		return nil, err
	}
	var found []diagnose.Finding
	seen := map[diagnose.Finding]bool{}
	for _, p := range cfg.Matrix.Expand() {
		fs, err := c.examinePoint(exp, p)
		if err != nil {
			return nil, err
		}
		for _, f := range fs {
			if !seen[f] {
				seen[f] = true
				found = append(found, f)
			}
		}
	}
	pictures, err := exp.DatasetFindings(ctx)
	return doctor.Sort(append(found, pictures...)), err
}

func (c *command) examinePoint(exp *harness.Experiment, p harness.Point) ([]diagnose.Finding, error) {
	if p.Runtime != harness.NVDLA {
		return nil, nil
	}
	net, pre, err := exp.Network(p.Model)
	if err != nil {
		return unreadable(err)
	}
	s := doctor.Subject{Network: net, Preprocess: &pre, Calibrated: true, Input: p.Input, Target: p.Target, Mode: p.Mode, Profile: p.Profile}
	if s.Table, err = c.tableOf(exp, p); err != nil {
		return unreadable(err)
	}
	return doctor.Examine(s), nil
}

// tableOf is a point's table: the published one that the configuration names, or
// that which a run left in --tables. Nil if there is none yet.
func (c *command) tableOf(exp *harness.Experiment, p harness.Point) (*table.Table, error) {
	path, data, err := exp.PublishedTable(p)
	if err != nil {
		return nil, err
	}
	if data != nil {
		return table.Read(path, data)
	}
	if dir := c.settings.GetString("tables"); dir != "" {
		return readTable(filepath.Join(dir, p.Model+"-"+p.Dataset+"-"+p.Calibrator+".json"))
	}
	return nil, nil
}

func (c *command) explainCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "explain [CODE]",
		Short: "Tell what a finding's code means, what to do, and where it came up; without a code, list them",
		Example: `  bench explain NV131
  bench explain`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return explain(c.stdout, args) },
	}
}

func explain(w io.Writer, args []string) error {
	var codes []string
	for _, r := range doctor.Rules() {
		codes = append(codes, r.Code)
		if len(args) == 0 {
			fmt.Fprintf(w, "%s %-7s %s\n", r.Code, r.Severity, r.Title)
		}
	}
	if len(args) == 0 {
		return nil
	}
	r, ok := doctor.RuleOf(strings.ToUpper(args[0]))
	if !ok {
		return usage("no finding has the code %q%s", args[0], diagnose.DidYouMean(strings.ToUpper(args[0]), codes))
	}
	return r.Explain(w)
}

// lintTable examines a table alone, or with its network.
func (c *command) lintTable(path, prototxt string) error {
	t, err := readTable(path)
	if err != nil {
		return err
	}
	found := doctor.LintTable(t)
	if prototxt != "" {
		net, err := caffe.Read(prototxt, "")
		if err != nil {
			return asUsage(err)
		}
		found = doctor.CompareTable(net, t)
	}
	if err := c.writeFindings(doctor.Sort(found), "bench table lint"); err != nil {
		return err
	}
	return c.verdict(found)
}
