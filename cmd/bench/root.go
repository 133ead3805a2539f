package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	goruntime "runtime"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/viper"
	"golang.org/x/term"

	"quantbench/datasets"
	"quantbench/harness"
)

// The exit codes. They are part of the interface: docs/cli.md lists them.
const (
	exitOK           = 0
	exitFailed       = 1 // cells failed, or another error while running
	exitUsage        = 2 // flags or configuration
	exitGateFailed   = 3
	exitInconclusive = 4
	exitMissing      = 5 // a file or dataset is not there
	exitInterrupted  = 130
)

// exitError carries an exit code with an error.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// usage marks an error as the caller's.
func usage(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

// command is one invocation: its streams and settings.
type command struct {
	stdout, stderr io.Writer
	settings       *viper.Viper
}

// execute runs the program and returns its exit code.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	c := &command{stdout: stdout, stderr: stderr, settings: viper.NewWithOptions(viper.KeyDelimiter("\x00"))}
	c.settings.SetEnvPrefix("BENCH")
	c.settings.SetEnvKeyReplacer(strings.NewReplacer("-", "_"))
	c.settings.AutomaticEnv()
	root := c.root()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	code := codeOf(err)
	if code == exitInterrupted {
		fmt.Fprintln(stderr, "bench: interrupted; what is finished is saved, and the same command goes on from there")
		return code
	}
	if msg := err.Error(); msg != "" {
		fmt.Fprintf(stderr, "bench: %s\n", strings.ReplaceAll(msg, "\n", "\nbench: "))
	}
	return code
}

// codeOf maps an error to an exit code, in this one place.
func codeOf(err error) int {
	var exit *exitError
	var config *harness.ConfigError
	var missing *datasets.MissingError
	switch {
	case errors.As(err, &exit):
		return exit.code
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.As(err, &config):
		return exitUsage
	case errors.As(err, &missing), errors.Is(err, fs.ErrNotExist):
		return exitMissing
	case strings.HasPrefix(err.Error(), "unknown command"), strings.HasPrefix(err.Error(), "required flag"):
		return exitUsage
	}
	return exitFailed
}

func (c *command) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "bench",
		Short: "Measure what int8 quantization costs a network",
		Long: `bench runs a matrix of networks, datasets, calibrators and runtimes through
calibration, calibration-table fixing and execution, and compares fp32,
TensorRT int8 (emulated) and NVDLA int8 (bit for bit) in one report.

Every flag of a verb can also be set by an environment variable, BENCH_ and the
flag's name in capitals: BENCH_CACHE, BENCH_JOBS.

Exit codes: 0 ok, 1 cells failed, 2 usage or configuration, 3 gate failed,
4 gate inconclusive, 5 missing file or dataset, 130 interrupted.`,
		Example: `  bench run                     # the shipped experiment, report in out/
  bench plan mine.yaml          # what would run, what is cached
  bench run mine.yaml -o out    # run it; a second run does nothing
  bench report out/results.json --format markdown`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		// A flag's value: the flag, then its BENCH_ variable, then the default.
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return c.settings.BindPFlags(cmd.Flags()) },
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usage("%w; see `%s --help`", err, cmd.CommandPath())
	})
	root.AddCommand(
		c.runCommand(), c.planCommand(), c.reportCommand(), c.gateCommand(), c.initCommand(),
		c.importCommand(), c.compareCommand(), c.layersCommand(),
		c.calibrateCommand(), c.tableCommand(), c.doctorCommand(), c.explainCommand(),
		c.nvdlaCommand(), c.speedCommand(), c.dataCommand(), c.modelCommand(), c.versionCommand(),
	)
	return root
}

// dataDirs are the folders in which datasets are looked for, the most specific first.
func dataDirs() []string {
	var dirs []string
	if d := os.Getenv("BENCH_DATA"); d != "" {
		dirs = append(dirs, d)
	}
	if d, err := os.UserCacheDir(); err == nil {
		dirs = append(dirs, filepath.Join(d, "quantbench", "data"))
	}
	return dirs
}

// cacheDir is where finished cells are kept unless --cache says otherwise.
func cacheDir() string {
	if d, err := os.UserCacheDir(); err == nil {
		return filepath.Join(d, "quantbench")
	}
	return ".quantbench"
}

// defaultJobs is one picture block a processor.
func defaultJobs() int { return goruntime.GOMAXPROCS(0) }

// terminal reports whether w is a terminal that understands cursor control, and
// its width.
func terminal(w io.Writer) (width int, ok bool) {
	f, isFile := w.(*os.File)
	if !isFile || os.Getenv("TERM") == "dumb" || os.Getenv("CI") != "" {
		return 0, false
	}
	width, _, err := term.GetSize(int(f.Fd()))
	return width, err == nil
}
