package reports

import (
	"bytes"
	"strings"
	"testing"

	"quantbench/harness/record"
	"quantbench/reports/internal/testrun"
)

func TestLayersText(t *testing.T) {
	r := testrun.WithAnalysis(testrun.Whole())
	c := r.Cells[1]
	unused, local := 0.25, 31.24
	c.Analysis.Sensitivity.Foreign = []string{"grouped"}
	report := record.LayerReport{Cell: "tiny5 / invented", Images: 4, Analysis: c.Analysis,
		Errors: []record.LayerError{{Layer: "conv", SQNR: 30.26, Cosine: 0.5, Saturation: 0.01, Dead: 0.02, Unused: &unused, Local: &local}, {Layer: "ip", SQNR: 9}}}
	var b bytes.Buffer
	if err := Layers(&b, []record.LayerReport{report, {Cell: "another"}}); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"tiny5 / invented\n", "conv       30.3       31.2  0.50000", "1.00       2.00             25.0", "Sensitivity, emulated, on 200 pictures", "Waterfall over 10,000 pictures", "the stored cell", "not take them from one layer: grouped", "\nanother\n"} {
		if !strings.Contains(b.String(), part) {
			t.Errorf("text lacks %q:\n%s", part, b.String())
		}
	}
	for line := range strings.Lines(b.String()) {
		if strings.HasSuffix(line, " \n") {
			t.Errorf("a line ends in a space: %q", line)
		}
	}
}

// Every step of a waterfall is a row.
func TestStepsInCSV(t *testing.T) {
	r := testrun.WithAnalysis(testrun.Whole())
	r.Cells = r.Cells[:2]
	var b bytes.Buffer
	if err := CSV(&b, r); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{",step_weights,", ",step_activations,", ",step_requantization,"} {
		if !strings.Contains(b.String(), part) {
			t.Errorf("no %s in\n%s", part, b.String())
		}
	}
}
