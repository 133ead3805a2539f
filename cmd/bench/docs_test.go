package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"quantbench/harness/compute/kernel"
)

// notRun are the lines of the documents' sh blocks that no test runs.
var notRun = map[string]bool{"go test ./...": true}

var (
	shBlock     = regexp.MustCompile("(?s)```sh\n(.*?)```")
	outputBlock = regexp.MustCompile("(?s)<!-- output of: bench (.*?) -->\n```text\n(.*?)```")
)

// program runs bench in this process with a cache of the test's own.
func program(t *testing.T, line string) (stdout string) {
	t.Helper()
	var out, log bytes.Buffer
	args := strings.Fields(line)
	if code := execute(context.Background(), args, &out, &log); code != exitOK {
		t.Fatalf("bench %s: exit code %d\n%s", line, code, log.String())
	}
	return out.String()
}

// TestReadme runs every command of the README in a fresh folder, the shipped
// experiment included, and compares the table that it shows. -update rewrites it.
func TestReadme(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the whole shipped experiment")
	}
	path, err := filepath.Abs("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	t.Chdir(dir)
	t.Setenv("XDG_CACHE_HOME", filepath.Join(dir, ".cache"))
	for _, block := range shBlock.FindAllSubmatch(readme, -1) {
		for line := range strings.Lines(string(block[1])) {
			line = strings.TrimSpace(line)
			args, ok := strings.CutPrefix(line, "go run ./cmd/bench ")
			switch {
			case ok:
				program(t, args)
			case !notRun[line]:
				t.Errorf("README has a command that no test runs: %q", line)
			}
		}
	}
	updated := outputBlock.ReplaceAllFunc(readme, func(old []byte) []byte {
		m := outputBlock.FindSubmatch(old)
		got := program(t, string(m[1]))
		if kernel.Level() == "go" {
			t.Log("plain Go rounds fp32 differently, so the table may differ in single pictures; not compared")
			return old
		}
		if string(m[2]) == got {
			return old
		}
		if !*update {
			t.Errorf("README shows another output of bench %s; run go test ./cmd/bench -run Readme -update\n%s", m[1], got)
		}
		return []byte("<!-- output of: bench " + string(m[1]) + " -->\n```text\n" + got + "```")
	})
	if *update {
		if err := os.WriteFile(path, updated, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestLinks: every relative link of the documents leads to a file.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#]+)\)`)
	docs, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, doc := range append(docs, "../../README.md", "../../CHANGELOG.md", "../../THIRD_PARTY.md") {
		text, err := os.ReadFile(doc)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllSubmatch(text, -1) {
			target := string(m[1])
			if strings.Contains(target, "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(doc), target)); err != nil {
				t.Errorf("%s links to %s, which is not there", doc, target)
			}
		}
	}
}

// TestHelp: every verb has a short text, an example, and is in docs/cli.md.
func TestHelp(t *testing.T) {
	doc, err := os.ReadFile("../../docs/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	c := &command{}
	for _, verb := range c.root().Commands() {
		if verb.Short == "" || verb.Example == "" && !verb.HasSubCommands() {
			t.Errorf("%s has no short text or no example", verb.Name())
		}
		if !bytes.Contains(doc, []byte("| `"+verb.Name())) {
			t.Errorf("docs/cli.md does not list %s", verb.Name())
		}
		for _, sub := range verb.Commands() {
			if sub.Short == "" || sub.Example == "" {
				t.Errorf("%s %s has no short text or no example", verb.Name(), sub.Name())
			}
		}
	}
}
