package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const killConfig = `version: 1
models: [lenet5]
datasets: [{name: fashion-mnist, images: 2000, calibration: {images: 100}}]
matrix: {runtime: [fp32, tensorrt-int8], calibrator: [minmax, entropy2], mode: [per-filter, per-kernel]}
gate: {max_loss: 1}
`

// bench is the program as a process of its own: the test binary under its name.
func bench(t *testing.T, cache, out string) *exec.Cmd {
	t.Helper()
	config := filepath.Join(filepath.Dir(cache), "kill.yaml")
	if err := os.WriteFile(config, []byte(killConfig), 0o644); err != nil {
		t.Fatal(err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return &exec.Cmd{Path: exe, Args: []string{"bench", "run", config, "--no-timing", "--cache", cache, "-o", out}}
}

// A run that is killed with SIGKILL, as often as it takes, and started again,
// leaves the same bytes as a run that was never disturbed.
func TestKillAndResume(t *testing.T) {
	dir := t.TempDir()
	if out, err := bench(t, filepath.Join(dir, "calm"), filepath.Join(dir, "want")).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cache, out := filepath.Join(dir, "killed"), filepath.Join(dir, "got")
	kills := 0
	for try := 1; ; try++ {
		if try > 50 {
			t.Fatal("the run never ended")
		}
		cmd := bench(t, cache, out)
		var log bytes.Buffer
		cmd.Stderr = &log
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		timer := time.AfterFunc(time.Duration(try)*60*time.Millisecond, func() { cmd.Process.Kill() })
		err := cmd.Wait()
		timer.Stop()
		if err == nil {
			break
		}
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.Exited() {
			t.Fatalf("not killed, but: %v\n%s", err, log.String())
		}
		kills++
	}
	if kills == 0 {
		t.Fatal("the run ended before the first kill: the test shows nothing")
	}
	t.Logf("killed %d times", kills)
	for _, name := range []string{"report.html", "results.json", "results.csv", "report.md"} {
		want, err := os.ReadFile(filepath.Join(dir, "want", name))
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(out, name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s differs from that of an undisturbed run", name)
		}
	}
}

// Ctrl-C ends a run in order: exit code 130, and a rerun completes it.
func TestInterrupt(t *testing.T) {
	dir := t.TempDir()
	cache, out := filepath.Join(dir, "cache"), filepath.Join(dir, "out")
	cmd := bench(t, cache, out)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	buf := make([]byte, 4096)
	sent := false
	for {
		n, err := stderr.Read(buf)
		log.Write(buf[:n])
		if !sent && strings.Contains(log.String(), "calibrating") {
			sent = true
			if err := cmd.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
		}
		if err != nil {
			break
		}
	}
	err = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != exitInterrupted {
		t.Fatalf("exit code %d (%v)\n%s", code, err, log.String())
	}
	if !strings.Contains(log.String(), "the same command goes on from there") {
		t.Errorf("no word on how to go on:\n%s", log.String())
	}
	again, err := bench(t, cache, out).CombinedOutput()
	if err != nil || !strings.Contains(string(again), "from the cache") {
		t.Errorf("the rerun: %v\n%s", err, again)
	}
}
