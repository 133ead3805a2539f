package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"quantbench/harness/doctor"
)

// TestEveryCodeHasAStory: some script requires each code of networks, tables and
// logs in a command's output.
func TestEveryCodeHasAStory(t *testing.T) {
	scripts, err := filepath.Glob(filepath.Join("testdata", "script", "*.txtar"))
	if err != nil || len(scripts) == 0 {
		t.Fatal("no scripts:", err)
	}
	var lines strings.Builder
	for _, path := range scripts {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range regexp.MustCompile(`(?m)^stdout .*$`).FindAllString(string(b), -1) {
			lines.WriteString(line + "\n")
		}
	}
	for _, r := range doctor.Rules() {
		if strings.HasPrefix(r.Code, "NV") && !strings.Contains(lines.String(), r.Code) {
			t.Errorf("no script requires %s: %s", r.Code, r.Title)
		}
	}
}
