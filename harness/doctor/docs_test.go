package doctor

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the table of codes in docs/doctor.md")

// TestDocs compares the table of codes in the manual with the rules.
func TestDocs(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "doctor.md")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- codes -->\n", "<!-- end of codes -->"
	before, rest, ok := strings.Cut(string(text), begin)
	old, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no %q and %q", path, begin, end)
	}
	var b strings.Builder
	b.WriteString("| code | severity | what | what to do | where it came up |\n|---|---|---|---|---|\n")
	for _, r := range Rules() {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", r.Code, r.Severity, cell(r.Title), cell(r.Do), cell(strings.Join(r.Sources, ", ")))
	}
	switch {
	case old == b.String():
	case *update:
		if err := os.WriteFile(path, []byte(before+begin+b.String()+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("%s has another table than the rules; run go test ./harness/doctor -run Docs -update", path)
	}
}

func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
