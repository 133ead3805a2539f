package nvdla_test

import (
	"math"
	"testing"

	"quantbench/datasets"
	"quantbench/harness/runtime"
	"quantbench/harness/runtime/emulated"
	"quantbench/harness/runtime/nvdla"
	"quantbench/harness/runtime/nvdla/lower"
	"quantbench/models"
	"quantbench/models/caffe"
)

// TestTraceOnce: whatever operations a profile makes of a layer, a trace shows
// its result once, in whole steps of its own scale.
func TestTraceOnce(t *testing.T) {
	const dir = "../../../models/zoo/resnet18/"
	net, err := caffe.Read(dir+"deploy.prototxt", dir+"resnet18.caffemodel")
	if err != nil {
		t.Fatal(err)
	}
	scales := make([]float32, len(net.Layers))
	for i := range scales {
		scales[i] = 0.02 + 0.001*float32(i%7)
	}
	for _, profile := range []lower.Profile{lower.Basic, lower.Default, lower.FastMath} {
		p, err := nvdla.Runtime{Target: "nv_small", Profile: profile}.Prepare(runtime.Model{Network: net, Preprocess: datasets.Preprocess{Scale: 1. / 256}, Scales: scales})
		if err != nil {
			t.Fatal(err)
		}
		steps, seen := p.(emulated.Grid).Steps(), map[string]bool{}
		err = p.NewWorker().(runtime.Tracer).Trace(make([]byte, net.Input().Out.Len()), func(l *models.Layer, values []float32, _ int) {
			if seen[l.Name] {
				t.Errorf("%s: %s is shown twice", profile, l.Name)
			}
			seen[l.Name] = true
			for _, v := range values {
				if q := float64(v / steps[l.Index]); math.Abs(q-math.Round(q)) > 1e-3 || q < -128.01 || q > 127.01 {
					t.Errorf("%s: %s has %g, which is no int8 step of %g", profile, l.Name, v, steps[l.Index])
					return
				}
			}
		})
		if err != nil || len(seen) < 10 {
			t.Errorf("%s: %d layers shown: %v", profile, len(seen), err)
		}
	}
}
