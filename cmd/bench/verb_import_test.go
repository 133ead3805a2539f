package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// importStep is a file, a block of commands, or a claim on the output of the
// last one in docs/import.md.
var importStep = regexp.MustCompile("(?s)<!-- file: (\\S+) -->\n```yaml\n(.*?)```|```sh\n(.*?)```|<!-- shows: (.*?) -->")

// TestImportDoc runs every command of docs/import.md in a fresh folder and looks
// for what the document says that they print. Those on real data need BENCH_DATA.
func TestImportDoc(t *testing.T) {
	text, err := os.ReadFile("../../docs/import.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	t.Chdir(dir)
	t.Setenv("XDG_CACHE_HOME", filepath.Join(dir, ".cache"))
	output, commands, shown := "", 0, 0
	for _, step := range importStep.FindAllStringSubmatch(string(text), -1) {
		switch {
		case step[1] != "":
			if err := os.WriteFile(step[1], []byte(step[2]), 0o600); err != nil {
				t.Fatal(err)
			}
		case step[4] != "":
			shown++
			if output != "" && !regexp.MustCompile(step[4]).MatchString(output) {
				t.Errorf("no %q in\n%s", step[4], output)
			}
		case strings.Contains(step[3], "$BENCH_DATA") && os.Getenv("BENCH_DATA") == "":
			t.Log("not run, because BENCH_DATA is not set and the data is not part of the repository:\n" + step[3])
		default:
			for line := range strings.Lines(strings.ReplaceAll(step[3], "\\\n", " ")) {
				args, ok := strings.CutPrefix(strings.TrimSpace(line), "bench ")
				if !ok {
					t.Fatalf("a command that no test runs: %q", line)
				}
				commands++
				output = program(t, os.ExpandEnv(args))
			}
		}
	}
	if commands < 4 || shown < 2 {
		t.Errorf("%d commands, %d claims: the document's blocks are not found any more", commands, shown)
	}
}
