package datasets

import (
	"context"
	"crypto/sha256"
	"testing"
)

func set(t *testing.T, name string, pixels, labels []byte) Dataset {
	t.Helper()
	d, err := NewMemory(Info{Name: name, Split: "x", Classes: []string{"a", "b"}}, 1, 1, 2, pixels, labels)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// summedSet is a set of files with known sums, whose pictures cannot be read.
type summedSet struct {
	flawed
	sums []byte
}

func (s summedSet) FileSum(i int) ([sha256.Size]byte, bool) {
	return [sha256.Size]byte{s.sums[i]}, true
}

func (s summedSet) ID(i int) (string, error) { return ID(context.Background(), s.flawed.Dataset, i) }

func (s summedSet) Label(i int) (int, error) { return Label(context.Background(), s.flawed.Dataset, i) }

func TestOverlaps(t *testing.T) {
	ctx := context.Background()
	cal := set(t, "cal", []byte{1, 1, 2, 2, 1, 1}, []byte{0, 1, 0})
	eval := set(t, "eval", []byte{3, 3, 2, 2, 1, 1, 3, 3, 1, 1}, []byte{0, 1, 1, 0, 1})
	o, err := FindOverlaps(ctx, cal, eval)
	if err != nil || o.Calibration != 3 || o.Evaluation != 5 {
		t.Fatal(err)
	}
	want := []Overlap{{"cal/x/00001", "eval/x/00001", 1, 1}, {"cal/x/00000", "eval/x/00002", 0, 1}, {"cal/x/00000", "eval/x/00004", 0, 1}}
	if len(o.Pictures) != 3 || o.Pictures[0] != want[0] || o.Pictures[1] != want[1] || o.Pictures[2] != want[2] {
		t.Errorf("%+v", o.Pictures)
	}
	if len(o.Repeated) != 2 || o.Repeated[0] != (Overlap{"eval/x/00000", "eval/x/00003", 0, 0}) || o.Repeated[1].B != "eval/x/00004" {
		t.Errorf("%+v", o.Repeated)
	}
	// Files are compared by their sums, without reading a picture.
	files := func(d Dataset, sums ...byte) Part { return Part{summedSet{flawed{d}, sums}, 0, len(sums)} }
	if o, err := OverlapsOf(ctx, files(cal, 1, 2, 1), files(eval, 3, 2, 1, 3, 1)); err != nil || len(o.Pictures) != 3 || o.Pictures[1] != want[1] || len(o.Repeated) != 2 {
		t.Errorf("%+v %v", o, err)
	}
	if o, err := OverlapsOf(ctx, Part{cal, 1, 2}, Part{eval, 0, 1}); err != nil || len(o.Pictures) != 0 || o.Calibration != 1 || o.Evaluation != 1 {
		t.Errorf("%+v %v", o, err)
	}
	// The same bytes in another shape are another picture.
	tall, _ := NewMemory(Info{Name: "tall", Classes: []string{"a"}}, 1, 2, 1, []byte{1, 1}, []byte{0})
	if o, err := FindOverlaps(ctx, cal, tall); err != nil || len(o.Pictures) != 0 {
		t.Errorf("%+v %v", o, err)
	}
	for _, pair := range [][2]Dataset{{flawed{cal}, eval}, {cal, flawed{eval}}} {
		if _, err := FindOverlaps(ctx, pair[0], pair[1]); err == nil {
			t.Error("a damaged picture went unnoticed")
		}
	}
}
