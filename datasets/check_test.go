package datasets

import (
	"context"
	"errors"
	"slices"
	"testing"
)

// flawed is a dataset whose picture 1 cannot be read, and whose picture 2 has a
// label that is no class.
type flawed struct{ Dataset }

func (f flawed) Picture(ctx context.Context, i int) (Picture, error) {
	p, err := f.Dataset.Picture(ctx, i)
	switch i {
	case 1:
		return p, errors.New("damaged")
	case 2:
		p.Label = 9
	}
	return p, err
}

func TestCheckAndSelect(t *testing.T) {
	ctx, d := context.Background(), flawed{small(t)}
	good, bad, err := Check(ctx, d)
	if err != nil || !slices.Equal(good, []int{0, 2}) || len(bad) != 1 || bad[0].Index != 1 {
		t.Fatalf("%v %v %v", good, bad, err)
	}
	s, err := Select(ctx, d, good)
	if err != nil || s.Info().Len != 2 || s.Info().Digest == d.Info().Digest {
		t.Fatal(err)
	}
	if p, err := s.Picture(ctx, 1); err != nil || p.ID != "toy/test/00002" {
		t.Error(p.ID, err)
	}
	if _, err := s.Picture(ctx, 2); err == nil {
		t.Error("picture 2 of 2")
	}
	if _, err := ClassCounts(ctx, s); err == nil {
		t.Error("label 9 was counted")
	}
	if n, err := ClassCounts(ctx, small(t)); err != nil || !slices.Equal(n, []int{1, 2}) {
		t.Error(n, err)
	}
	for _, bad := range [][]int{{3}, {-1}, {1}} {
		if _, err := Select(ctx, d, bad); err == nil {
			t.Errorf("%v selected", bad)
		}
	}
	if _, err := ClassCounts(ctx, d); err == nil {
		t.Error("a damaged picture was counted")
	}
	done, cancel := context.WithCancel(ctx)
	cancel()
	if _, _, err := Check(done, d); err == nil {
		t.Error("cancelled")
	}
}
