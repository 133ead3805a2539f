package caffe

import (
	"bytes"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"quantbench/models"
)

// equal compares networks without places and warnings; From by name.
var equal = cmp.Options{
	cmpopts.IgnoreFields(models.Network{}, "File", "Warnings"),
	cmpopts.IgnoreTypes(models.Pos{}),
	cmpopts.EquateNaNs(),
	cmp.Comparer(func(a, b []float32) bool { return slices.EqualFunc(a, b, sameBits) && (a == nil) == (b == nil) }),
	cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".From" }, cmp.Transformer("names", func(from []*models.Layer) []string {
		out := []string{}
		for _, l := range from {
			out = append(out, l.Name)
		}
		return out
	})),
}

func sameBits(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) }

// sameAfterWriting writes the network, reads it back and compares.
func sameAfterWriting(t *testing.T, net *models.Network) {
	t.Helper()
	var text, weights bytes.Buffer
	if err := WriteNetwork(&text, net); err != nil {
		t.Fatal(err)
	}
	back, err := ParseNetwork("written.prototxt", text.Bytes())
	if err != nil {
		t.Fatalf("%v\n%s", err, text.String())
	}
	if weighted(net) {
		if err := WriteWeights(&weights, net); err != nil {
			t.Fatal(err)
		}
		if err := ReadWeights(back, "written.caffemodel", weights.Bytes()); err != nil {
			t.Fatal(err)
		}
	}
	if d := cmp.Diff(net, back, equal); d != "" {
		t.Errorf("reading back differs (-had +got):\n%s\n%s", d, text.String())
	}
	if len(back.Warnings) > 0 {
		t.Errorf("warnings about what was written: %v", back.Warnings)
	}
}

func weighted(net *models.Network) bool {
	for _, l := range net.Layers {
		if l.Weights != nil {
			return true
		}
	}
	return false
}
