package zoo_test

import (
	"testing"

	"quantbench/models"
	"quantbench/models/caffe"
	"quantbench/models/zoo"
)

// The shipped networks open with all their weights. (Parameters count BatchNorm's
// statistics, too; README.md states the trained ones.)
func TestShipped(t *testing.T) {
	want := map[string]struct{ layers, parameters int }{"lenet5": {9, 431080}, "resnet18": {86, 200189}}
	if len(zoo.Models) != len(want) {
		t.Fatalf("%d networks ship", len(zoo.Models))
	}
	for _, m := range zoo.Models {
		net, err := caffe.ReadFS(zoo.Files(), m.Prototxt, m.Caffemodel)
		if err != nil {
			t.Fatal(err)
		}
		w := want[m.Name]
		if len(net.Layers) != w.layers || net.Parameters() != w.parameters || len(net.Warnings) > 0 {
			t.Errorf("%s: %d layers, %d parameters, %v", m.Name, len(net.Layers), net.Parameters(), net.Warnings)
		}
		if in, out := net.Input().Out, net.Output().Out; in != (models.Shape{C: 1, H: 28, W: 28}) || out.Len() != 10 {
			t.Errorf("%s: %s to %s", m.Name, in, out)
		}
		if got, ok := zoo.Named(m.Name); !ok || got != m {
			t.Errorf("Named(%q) = %+v, %v", m.Name, got, ok)
		}
	}
	if _, ok := zoo.Named("alexnet"); ok {
		t.Error("a network that does not ship was found")
	}
}
