package html

import (
	"strings"
	"testing"

	"quantbench/harness/record"
)

// TestWinogradIsNamed: a model whose fp32 scores are not direct sums says so.
func TestWinogradIsNamed(t *testing.T) {
	for _, used := range []bool{false, true} {
		if got := describe(record.Model{Name: "net", Winograd: used}); strings.Contains(got, "Winograd") != used {
			t.Errorf("winograd %v: %q", used, got)
		}
	}
}
