package speed

import (
	"strings"
	"testing"
)

// TestWinograd: fp32 is measured with Winograd's convolutions if asked to and
// says so; the integer runtimes have none.
func TestWinograd(t *testing.T) {
	net, _ := Shape("resnet20-cifar10")
	Randomize(net)
	r, err := Measure(net, Options{Runtime: "fp32", Winograd: true, Threads: 1, Batch: 16})
	if err != nil {
		t.Fatal(err)
	}
	if !r.Winograd || len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "16 of 22 layers") {
		t.Errorf("winograd %v, warnings %q", r.Winograd, r.Warnings)
	}
	if _, err := Measure(net, Options{Runtime: "nvdla-int8", Winograd: true, Threads: 1, Batch: 1}); err == nil {
		t.Error("nvdla-int8 was measured with Winograd's convolutions")
	}
}
