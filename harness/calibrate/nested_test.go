package calibrate

import (
	"reflect"
	"strings"
	"testing"
)

// first shows a source's first n pictures only.
func (s toySource) first(n int) toySource {
	s.pictures = s.pictures[:n]
	return s
}

// TestNestedEqualsEachAlone: one run for several sizes gives what a run for each
// size gives, with ranges that grow from picture to picture.
func TestNestedEqualsEachAlone(t *testing.T) {
	grown := 0
	for seed := range uint64(30) {
		src := randomSource(seed)
		batch := 1 + int(seed%4)
		o := Options{Batch: batch, SkipFirst: seed%5 == 0, DropPartial: seed%2 == 0, Workers: 1 + int(seed%3)}
		sizes := []int{2 * batch, 4 * batch, 23}
		all, err := CollectNested(t.Context(), src, o, sizes)
		if err != nil {
			t.Fatal(err)
		}
		for k, size := range sizes {
			want, err := Collect(t.Context(), src.first(size), o)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(all[k], want) {
				t.Errorf("seed %d: %d of 23 pictures counted in one run differ from a run of their own", seed, size)
			}
		}
		if all[0].Layers[0].AbsMax() < all[2].Layers[0].AbsMax() {
			grown++
		}
	}
	if grown < 10 {
		t.Errorf("the range grew after the first size in %d of 30 runs only; the test shows little", grown)
	}
}

func TestNestedErrors(t *testing.T) {
	src := randomSource(1)
	for _, c := range []struct {
		sizes []int
		want  string
	}{
		{nil, "must ascend"}, {[]int{8, 4}, "must ascend"}, {[]int{4, 24}, "be there"},
		{[]int{6, 12}, "6 pictures end within a batch of 4"},
	} {
		if _, err := CollectNested(t.Context(), src, Options{Batch: 4}, c.sizes); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("sizes %v: error %v, want %q", c.sizes, err, c.want)
		}
	}
}
