package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// calibrationStep is a block of commands in docs/calibration.md, or a comment
// after one that says what its output must show.
var calibrationStep = regexp.MustCompile("(?s)```sh\n(.*?)```|<!-- shows: (.*?) -->")

// TestCalibrationDoc runs every command of docs/calibration.md in a fresh folder
// and looks for what the document says that they print. Those on real data need
// BENCH_DATA; the long ones are left out with -short.
func TestCalibrationDoc(t *testing.T) {
	text, err := os.ReadFile("../../docs/calibration.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	t.Chdir(dir)
	t.Setenv("XDG_CACHE_HOME", filepath.Join(dir, ".cache"))
	output, commands, shown := "", 0, 0
	for _, step := range calibrationStep.FindAllStringSubmatch(string(text), -1) {
		if step[2] != "" {
			if output != "" && !regexp.MustCompile(step[2]).MatchString(output) {
				t.Errorf("no %q in\n%s", step[2], output)
			}
			shown++
			continue
		}
		output = ""
		for _, line := range strings.Split(strings.TrimSpace(strings.ReplaceAll(step[1], "\\\n", " ")), "\n") {
			args, ok := strings.CutPrefix(line, "bench ")
			switch commands++; {
			case !ok:
				t.Errorf("a command that no test runs: %q", line)
			case strings.Contains(line, "$BENCH_DATA") && os.Getenv("BENCH_DATA") == "":
				t.Logf("not run, because BENCH_DATA is not set and the data is not part of the repository: bench %s", args)
			case (strings.Contains(line, "cifar10") || strings.HasPrefix(args, "run")) && testing.Short():
				t.Logf("not run, because it takes minutes: bench %s", args)
			default:
				output = program(t, os.ExpandEnv(args))
			}
		}
	}
	if commands < 4 || shown < 3 {
		t.Errorf("%d commands, %d claims: the document's blocks are not found any more", commands, shown)
	}
}
