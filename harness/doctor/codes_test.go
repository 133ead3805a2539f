package doctor

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestEveryCodeIsExplained reads the program's sources: a code that a finding
// may carry can be looked up with bench explain.
func TestEveryCodeIsExplained(t *testing.T) {
	code, seen := regexp.MustCompile(`"([A-Z]{2}[0-9]{3})"`), 0
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range code.FindAllSubmatch(text, -1) {
			seen++
			if _, ok := RuleOf(string(m[1])); !ok {
				t.Errorf("%s: %s is not explained", path, m[1])
			}
		}
		return err
	})
	if err != nil || seen < 50 {
		t.Errorf("%d codes found in %s: %v", seen, root, err)
	}
}
