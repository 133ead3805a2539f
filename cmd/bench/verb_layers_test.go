package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"quantbench/harness/compute/kernel"
)

// TestLayersDoc runs the commands of docs/layers.md and compares the output that
// it shows; -update rewrites it.
func TestLayersDoc(t *testing.T) {
	if testing.Short() {
		t.Skip("runs cells of both shipped networks on all pictures")
	}
	path, err := filepath.Abs("../../docs/layers.md")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	t.Chdir(dir)
	t.Setenv("XDG_CACHE_HOME", filepath.Join(dir, ".cache"))
	for _, block := range shBlock.FindAllSubmatch(doc, -1) {
		for line := range strings.Lines(string(block[1])) {
			args, ok := strings.CutPrefix(strings.TrimSpace(line), "bench ")
			if !ok {
				t.Errorf("a command that no test runs: %q", line)
				continue
			}
			if out := program(t, args); !strings.Contains(out, "Errors over 32 pictures") {
				t.Errorf("bench %s prints\n%s", args, out)
			}
		}
	}
	shown := outputBlock.FindSubmatch(doc)
	if shown == nil {
		t.Fatal("the document shows no output")
	}
	got := program(t, string(shown[1]))
	switch {
	case string(shown[2]) == got:
	case *update:
		text := strings.Replace(string(doc), string(shown[2]), got, 1)
		if string(shown[2]) == "" {
			text = strings.Replace(string(doc), "```text\n```", "```text\n"+got+"```", 1)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	case kernel.Level() == "go":
		t.Log("plain Go rounds fp32 differently; not compared")
	default:
		t.Errorf("docs/layers.md shows another output of bench %s; run go test ./cmd/bench -run LayersDoc -update\n%s", shown[1], got)
	}
}
