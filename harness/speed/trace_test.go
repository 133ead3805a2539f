package speed

import (
	"fmt"
	"testing"

	"quantbench/harness/runtime"
	"quantbench/models"
)

// TestTraceGroup: several pictures at once show what one after the other does.
func TestTraceGroup(t *testing.T) {
	net, _ := Shape("lenet5")
	Randomize(net)
	const n = 5
	pixels, size := Pictures(net, n), net.Input().Out.Len()
	for _, name := range Runtimes() {
		p, err := Prepare(net, name)
		if err != nil {
			t.Fatal(err)
		}
		w := p.NewWorker()
		one, many := map[string]string{}, map[string]string{}
		for i := range n {
			err := w.(runtime.Tracer).Trace(pixels[i*size:][:size], func(l *models.Layer, values []float32, clipped int) {
				one[l.Name] += fmt.Sprint(i, clipped, values)
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		err = w.(runtime.GroupTracer).TraceGroup(pixels, func(l *models.Layer, picture int, values []float32, clipped int) {
			many[l.Name] += fmt.Sprint(picture, clipped, values)
		})
		if err != nil || len(one) < 5 {
			t.Fatalf("%s: %d layers, %v", name, len(one), err)
		}
		for l, want := range one {
			if many[l] != want {
				t.Errorf("%s: layer %s of pictures one by one and of all at once differ", name, l)
			}
		}
	}
}
