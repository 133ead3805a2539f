package record

import (
	"bytes"
	"os"
	"slices"
	"testing"
)

// guesses are predictions that differ from picture to picture.
func guesses(from, n int) []Prediction {
	list := make([]Prediction, n)
	for i := range list {
		list[i] = Prediction{Class: uint16(from + i), Tied: 1, Best: (from+i)%2 == 0, Margin: float32(from + i)}
	}
	return list
}

const partialKey = "abcdef0123456789"

func openPartialStore(t *testing.T) *Store {
	t.Helper()
	s, err := OpenStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func add(t *testing.T, p *Partial, from, n int) {
	t.Helper()
	if err := p.Add(from, guesses(from, n)); err != nil {
		t.Fatal(err)
	}
}

// Blocks are there for the next process as soon as they are added, in any order,
// and from several processes.
func TestPartial(t *testing.T) {
	s := openPartialStore(t)
	a, b := s.Partial(partialKey, 150, 64), s.Partial(partialKey, 150, 64)
	add(t, a, 128, 22)
	add(t, b, 0, 64)
	c := s.Partial(partialKey, 150, 64) // nothing was closed: killed
	if c.Pictures() != 86 {
		t.Errorf("%d pictures", c.Pictures())
	}
	for from, n := range map[int]int{0: 64, 128: 22} {
		if got, ok := c.Block(from); !ok || !slices.Equal(got, guesses(from, n)) {
			t.Errorf("block %d: %v %v", from, ok, got)
		}
	}
	if _, ok := c.Block(64); ok {
		t.Error("a block that was never added")
	}
	if err := c.Remove(); err != nil {
		t.Fatal(err)
	}
	if n := s.Partial(partialKey, 150, 64).Pictures(); n != 0 {
		t.Errorf("%d pictures after Remove", n)
	}
	if err := c.Add(63, nil); err == nil {
		t.Error("no block begins at 63")
	}
}

// Another number of pictures, other blocks and damage count as nothing there.
func TestPartialDamage(t *testing.T) {
	s := openPartialStore(t)
	p := s.Partial(partialKey, 150, 64)
	for from := 0; from < 150; from += 64 {
		add(t, p, from, min(64, 150-from))
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(p.path)
	if err != nil {
		t.Fatal(err)
	}
	if n := s.Partial(partialKey, 151, 64).Pictures() + s.Partial(partialKey, 150, 32).Pictures(); n != 0 {
		t.Errorf("%d pictures of another cell", n)
	}
	record := p.recordSize()
	for _, tt := range []struct {
		name string
		data []byte
		want int
	}{
		{"whole", whole, 150},
		{"cut in the last block", whole[:len(whole)-1], 128},
		{"cut after the first", whole[:partialHead+record], 64},
		{"one bit", flip(whole, partialHead+record+100), 64 + 22},
		{"hole", slices.Concat(whole[:partialHead], make([]byte, record), whole[partialHead+record:]), 64 + 22},
		{"head", flip(whole, 9), 0},
		{"empty", nil, 0},
	} {
		if err := os.WriteFile(p.path, tt.data, 0o644); err != nil {
			t.Fatal(err)
		}
		q := s.Partial(partialKey, 150, 64)
		if q.Pictures() != tt.want {
			t.Errorf("%s: %d pictures, want %d", tt.name, q.Pictures(), tt.want)
		}
		for from := 0; from < 150; from += 64 {
			if _, ok := q.Block(from); !ok {
				add(t, q, from, min(64, 150-from))
			}
		}
		if err := q.Close(); err != nil {
			t.Fatal(err)
		}
		if mended, _ := os.ReadFile(p.path); !bytes.Equal(mended, whole) {
			t.Errorf("%s: not mended", tt.name)
		}
	}
}

func flip(b []byte, at int) []byte {
	c := bytes.Clone(b)
	c[at] ^= 4
	return c
}

func FuzzPartial(f *testing.F) {
	f.Add([]byte(partialMagic), 150)
	f.Fuzz(func(t *testing.T, data []byte, pictures int) {
		pictures &= 1023
		s := openPartialStore(t)
		p := s.Partial(partialKey, pictures, 64)
		add(t, p, 0, min(64, pictures))
		if err := os.WriteFile(p.path, append(p.head(), data...), 0o644); err != nil {
			t.Fatal(err)
		}
		if n := s.Partial(partialKey, pictures, 64).Pictures(); n > pictures {
			t.Errorf("%d of %d pictures", n, pictures)
		}
	})
}
