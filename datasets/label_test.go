package datasets

import (
	"context"
	"testing"
)

// bare hides every shortcut of a set.
type bare struct{ Dataset }

// The short ways to a picture's name and label say the same as the picture.
func TestIDAndLabel(t *testing.T) {
	ctx := context.Background()
	m, err := NewMemory(Info{Name: "x", Split: "test", Classes: []string{"a", "b"}}, 1, 1, 1, []byte{1, 2, 3, 4}, []byte{0, 1, 1, 0})
	if err != nil {
		t.Fatal(err)
	}
	part, err := Range(m, 1, 4)
	if err != nil {
		t.Fatal(err)
	}
	some, err := Select(ctx, m, []int{3, 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []Dataset{m, bare{m}, part, some} {
		n := d.Info().Len
		for i := range n {
			p, err := d.Picture(ctx, i)
			if err != nil {
				t.Fatal(err)
			}
			id, err := ID(ctx, d, i)
			label, err2 := Label(ctx, d, i)
			if err != nil || err2 != nil || id != p.ID || label != p.Label {
				t.Errorf("picture %d: %q %d, want %q %d (%v, %v)", i, id, label, p.ID, p.Label, err, err2)
			}
		}
		for _, i := range []int{-1, n} {
			if _, err := ID(ctx, d, i); err == nil {
				t.Errorf("picture %d of %d has a name", i, n)
			}
		}
	}
}
