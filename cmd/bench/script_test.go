package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite the golden files inside the scripts")

// TestMain makes the test binary the bench program too, so that scripts run the
// real flags, exit codes and streams.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"bench": func() { os.Exit(run()) }})
}

// TestScripts runs the stories of testdata/script: one file a verb or behaviour.
func TestScripts(t *testing.T) {
	zoo, err := filepath.Abs("../../models/zoo")
	if err != nil {
		t.Fatal(err)
	}
	pool, err := filepath.Abs("../../harness/runtime/nvdla/loadable/testdata/pool.nvdla")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		Cmds:                scriptCommands,
		Condition: func(cond string) (bool, error) {
			if cond != "real" {
				return false, fmt.Errorf("unknown condition %q", cond)
			}
			return os.Getenv("BENCH_DATA") != "", nil
		},
		Setup: func(env *testscript.Env) error {
			env.Setenv("XDG_CACHE_HOME", filepath.Join(env.WorkDir, ".cache"))
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("REAL", os.Getenv("BENCH_DATA")) // real files, with the condition [real]
			env.Setenv("BENCH_DATA", "")
			env.Setenv("ZOO", zoo)   // the shipped networks
			env.Setenv("POOL", pool) // a small loadable: max pooling, softmax
			return nil
		},
	})
}

// exits runs a program, "exits CODE PROGRAM ARGUMENTS", and requires its exit
// code. Its output can be looked at as after exec.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARGUMENTS")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	code := 0
	var failed *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &failed) {
		code = failed.ExitCode()
	} else {
		ts.Check(err)
	}
	if code != want {
		ts.Fatalf("exit code %d, want %d", code, want)
	}
}
