package harness

import (
	"strings"
	"testing"

	"quantbench/harness/record"
)

const twice = `
version: 1
models: [{name: direct, zoo: resnet18}, {name: faster, zoo: resnet18, winograd: true}]
datasets: [{name: fashion-mnist, images: 70, calibration: {images: 10, batch: 10}}]
matrix: {runtime: [fp32, tensorrt-int8], calibrator: minmax}
`

// TestWinograd: the setting is part of the key of fp32 cells and of no other,
// and the result says that it was used.
func TestWinograd(t *testing.T) {
	e := experiment(t, t.TempDir(), twice, nil)
	keys := map[string]string{}
	for _, c := range e.Plan() {
		keys[c.Point.Model+" "+c.Point.Runtime] = c.Key
	}
	if keys["direct fp32"] == keys["faster fp32"] || keys["direct tensorrt-int8"] != keys["faster tensorrt-int8"] {
		t.Errorf("keys %v", keys)
	}
	e = experiment(t, t.TempDir(), strings.Replace(twice, "[fp32, tensorrt-int8]", "fp32", 1), nil)
	run := mustRun(t, e)
	for i, c := range run.Cells {
		used := i == 1
		if c.Status != record.OK || run.Models[i].Winograd != used {
			t.Fatalf("%s: %s %s, model %+v", c.Model, c.Status, c.Reason, run.Models[i])
		}
		noted := len(c.Findings) > 0 && c.Findings[0].Code == "RT002" && strings.Contains(c.Findings[0].Fact, "Winograd")
		if noted != used || strings.Contains(c.Latency.Note, "Winograd") != used {
			t.Errorf("%s: findings %v, latency %+v", c.Model, c.Findings, c.Latency)
		}
	}
	if d := run.Cells[0].Correct - run.Cells[1].Correct; d < -1 || d > 1 {
		t.Errorf("%d against %d correct", run.Cells[0].Correct, run.Cells[1].Correct)
	}
}
