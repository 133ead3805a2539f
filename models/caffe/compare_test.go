package caffe

import (
	"bytes"
	"testing"
)

// What CompareWeights has nothing to say of, ReadWeights takes, and the other way
// round, but for weights that are left over.
func FuzzCompareWeights(f *testing.F) {
	net := withWeights(f, twoByThree)
	var b bytes.Buffer
	if err := WriteWeights(&b, net); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add(sub(2, text(4, "ip"), integer(5, 14), sub(6, legacy(1, 1, 2, 3), unpacked(1, 2, 3, 4, 5, 6))))
	f.Add(sub(2, text(4, "other"), integer(5, 14), sub(6, legacy(1, 1, 2, 3), unpacked(1, 2, 3, 4, 5, 6))))
	f.Fuzz(func(t *testing.T, data []byte) {
		net, err := ParseNetwork("f", []byte(twoByThree))
		if err != nil {
			t.Fatal(err)
		}
		list, err := CompareWeights(net, "w", data)
		fatal := err != nil
		for _, m := range list {
			fatal = fatal || m.Kind == NoWeights || m.Kind == OtherShape
			if (m.Layer == nil) != (m.Kind == NoLayer) || m.Text == "" {
				t.Errorf("%+v", m)
			}
		}
		if read := ReadWeights(net, "w", data); (read != nil) != fatal {
			t.Errorf("compared: %v %v; read: %v", list, err, read)
		}
	})
}
