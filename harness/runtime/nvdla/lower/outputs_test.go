package lower_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"quantbench/harness/runtime/nvdla/lower"
	"quantbench/harness/runtime/nvdla/simulate"
	"quantbench/models"
)

// TestOutputs runs every lowered case on the simulator and compares with what
// NVIDIA's C-model wrote.
func TestOutputs(t *testing.T) {
	dirs, _ := filepath.Glob(filepath.Join(benchData(t), "nvdla-cases", "*", "input.i8"))
	counts := tally{}
	for _, d := range dirs {
		dir := filepath.Dir(d)
		input, err := os.ReadFile(d)
		if err != nil {
			t.Fatal(err)
		}
		net := loadCase(t, dir)
		scales := tableOf(t, net, filepath.Join(dir, "calib.json"))
		for _, c := range configurations(t, dir) {
			if !c.compiles {
				continue
			}
			t.Run(filepath.Base(dir)+"/"+c.name, func(t *testing.T) {
				counts.group(c)[0]++
				compareOutput(t, net, scales, c, signed(input))
				if !t.Failed() {
					counts.group(c)[1]++
				}
			})
		}
	}
	counts.print(t)
}

func signed(b []byte) []int8 {
	out := make([]int8, len(b))
	for i, v := range b {
		out[i] = int8(v)
	}
	return out
}

func compareOutput(t *testing.T, net *models.Network, scales []float32, c configuration, input []int8) {
	files, _ := filepath.Glob(filepath.Join(c.dir, "output.*.dimg"))
	if len(files) == 0 {
		t.Skip("the driver refused to run it: no output was recorded")
	}
	want, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	p, _, err := lower.Lower(net, scales, c.options)
	if err != nil {
		t.Fatal(err)
	}
	m, err := simulate.New(p)
	if err != nil {
		t.Fatal(err)
	}
	got, err := m.Run(input)
	if err != nil {
		t.Fatal(err)
	}
	if g, w := fmt.Sprint(got), fmt.Sprint(strings.Fields(string(want))); g != w {
		t.Errorf("output %.200s, the C-model wrote %.200s", g, w)
	}
}
