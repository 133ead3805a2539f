package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"quantbench/configs"
	"quantbench/harness"
	"quantbench/harness/record"
	"quantbench/reports"
)

func (c *command) runCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "run [CONFIG]",
		Short: "Run a matrix and write the report",
		Long: `Runs every cell of the matrix that has not been run yet, and writes report.html,
results.json, results.csv, report.md and the calibration tables to the output
folder. CONFIG is a YAML file, or the name of a shipped one (default).

A cell is kept in the cache under a key of everything that its result depends
on. Interrupt the run at any time: the same command goes on from there.`,
		Example: `  bench run
  bench run mine.yaml -o out/mine --jobs 4`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return c.run(cmd.Context(), args) },
	}
	f := cmd.Flags()
	f.StringP("output", "o", "out", "folder for the report and results")
	f.String("cache", cacheDir(), "folder that keeps finished cells")
	f.IntP("jobs", "j", defaultJobs(), "picture blocks to run at a time")
	f.String("picture-cache", "20GB", "disk space in the cache for decoded pictures of large datasets; 0 decodes them anew for each cell")
	f.BoolP("quiet", "q", false, "no progress, no table")
	f.StringSlice("certificate", nil, "certificate of bench nvdla verify that the report carries")
	f.Bool("no-timing", false, "leave measured latencies out, so that two runs give the same bytes")
	return cmd
}

func (c *command) run(ctx context.Context, args []string) error {
	cfg, err := loadConfig(args)
	if err != nil {
		return err
	}
	for _, name := range c.settings.GetStringSlice("certificate") {
		path, err := filepath.Abs(name)
		if err != nil {
			return err
		}
		cfg.Certificates = append(cfg.Certificates, path)
	}
	quiet := c.settings.GetBool("quiet")
	display := newProgress(c.stderr, quiet)
	exp, err := c.experiment(cfg, display.observe)
	if err != nil {
		return err
	}
	out := c.settings.GetString("output")
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	result, err := exp.Run(ctx)
	display.close()
	if err != nil {
		return err
	}
	result.Manifest = manifest(result.Manifest, args)
	if err := writeOutput(out, result); err != nil {
		return err
	}
	if err := exp.WriteTables(ctx, filepath.Join(out, "tables")); err != nil {
		return err
	}
	if err := writeAnswers(ctx, exp, record.AnswersPath(filepath.Join(out, "results.json"))); err != nil {
		return err
	}
	if !quiet {
		if err := reports.Terminal(c.stdout, result); err != nil {
			return err
		}
		fmt.Fprintf(c.stderr, "%s\nreport: %s\n", display.summary(), filepath.Join(out, "report.html"))
	}
	return failedCells(result)
}

// experiment sets a configuration into this program's environment.
func (c *command) experiment(cfg *harness.Config, observe func(harness.Event)) (*harness.Experiment, error) {
	store, err := record.OpenStore(c.settings.GetString("cache"))
	if err != nil {
		return nil, err
	}
	jobs := c.settings.GetInt("jobs")
	if jobs < 1 {
		return nil, usage("--jobs is %d; it must be at least 1", jobs)
	}
	pictures, err := byteSize(c.settings.GetString("picture-cache"))
	if err != nil {
		return nil, usage("--picture-cache: %w", err)
	}
	env := harness.Environment{PictureCache: pictures, DataDirs: dataDirs(), Getenv: os.Getenv, Clock: harness.SystemClock{}, Jobs: jobs, Observe: observe, NoTiming: c.settings.GetBool("no-timing")}
	return harness.New(cfg, env, store), nil
}

// loadConfig reads the configuration named on the command line: a file, or a
// shipped one.
func loadConfig(args []string) (*harness.Config, error) {
	name := "default"
	if len(args) > 0 {
		name = args[0]
	}
	if data, ok := configs.Named(name); ok {
		return harness.ParseConfig("configs/"+name+".yaml", data)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		if os.IsNotExist(err) {
			return nil, usage("%s: no such configuration file, and none of this name ships (%s)", name, strings.Join(configs.Names(), ", "))
		}
		return nil, err
	}
	return harness.ParseConfig(name, data)
}

// byteSize reads a number of bytes: "20GB", "500 MB", "1GiB", "0". Empty is 0.
func byteSize(s string) (int64, error) {
	number := strings.TrimRight(s, "KMGTiBkb ")
	unit := strings.ToUpper(strings.TrimSpace(s[len(number):]))
	factors := map[string]float64{"": 1, "B": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12, "KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30, "TIB": 1 << 40}
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseFloat(number, 64)
	factor, ok := factors[unit]
	if err != nil || !ok || !(n >= 0) || n*factor > 1<<60 {
		return 0, fmt.Errorf("%q is no size; write 20GB, 500MB or 0", s)
	}
	return int64(n * factor), nil
}

// writeOutput writes a run in every format, each file at once or not at all.
func writeOutput(dir string, run *record.Run) error {
	for name, report := range map[string]reports.Reporter{
		"report.html": reports.HTML, "results.json": reports.JSON, "results.csv": reports.CSV, "report.md": reports.Markdown,
	} {
		var b bytes.Buffer
		if err := report(&b, run); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := record.WriteFile(filepath.Join(dir, name), b.Bytes()); err != nil {
			return err
		}
	}
	return nil
}

// manifest adds what only the program knows: itself, the host, the command
// without the flags that do not change the result.
func manifest(m record.Manifest, args []string) record.Manifest {
	m.Version = version()
	m.Host, m.Instruction = harness.Host()
	if info, ok := debug.ReadBuildInfo(); ok {
		m.Go = info.GoVersion
	}
	m.Command = strings.Join(append([]string{"bench run"}, args...), " ")
	return m
}

// failedCells is the error of a run that has failed cells.
func failedCells(run *record.Run) error {
	failed := 0
	for _, cell := range run.Cells {
		if cell.Status == record.Failed {
			failed++
		}
	}
	if failed == 0 {
		return nil
	}
	return &exitError{exitFailed, fmt.Errorf("%d of %d cells failed; their reasons are in the report", failed, len(run.Cells))}
}
