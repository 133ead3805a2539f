package reports

import (
	"strings"
	"testing"

	"quantbench/harness/record"
	"quantbench/reports/internal/testrun"
)

// TestBakeoff: the text reports say which calibrators cannot be told apart, and
// the CSV names the calibration of each cell.
func TestBakeoff(t *testing.T) {
	r := testrun.WithBakeoff(small(), []string{"one", "two", "three", "last"})
	r.Cells[1].Calibration = &record.Calibration{Images: 500, Subset: 2, Main: true}
	for _, c := range []struct {
		report Reporter
		want   []string
	}{
		{Terminal, []string{"tiny5 on TensorRT: one", "calibration pictures; fp32 has 93.00 %"}},
		{Markdown, []string{"## Calibrators over pictures", "### tiny5 on NVDLA per-filter", "| last | "}},
		{CSV, []string{"calibration_images,calibration_subset", ",500,2\n", ",,\n"}},
	} {
		text := render(t, c.report, r)
		for _, want := range c.want {
			if !strings.Contains(text, want) {
				t.Errorf("%q is missing in:\n%s", want, text)
			}
		}
	}
}
