package record

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func open(t *testing.T) *Store {
	t.Helper()
	s, err := OpenStore(filepath.Join(t.TempDir(), "cache"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestCellRoundTrip(t *testing.T) {
	s := open(t)
	want := &Cell{ID: "abc", Model: "m", Status: OK, Images: 2, Correct: 1}
	predictions := []Prediction{{Class: 3, Tied: 1, Best: true, Margin: 0.25}, {Class: 9, Tied: 2, Margin: 0}}
	if _, _, ok, err := s.Cell("abcdef"); ok || err != nil {
		t.Fatalf("an empty store has a cell: %v, %v", ok, err)
	}
	if err := s.PutCell("abcdef", want, predictions); err != nil {
		t.Fatal(err)
	}
	got, p, ok, err := s.Cell("abcdef")
	if !ok || err != nil || !s.HasCell("abcdef") {
		t.Fatalf("%v, %v", ok, err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(predictions, p); diff != "" {
		t.Error(diff)
	}
}

// Writers of one key at the same time leave one whole entry and nothing else.
func TestPutConcurrently(t *testing.T) {
	s := open(t)
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			if err := s.Put("kind", "aabb", map[string][]byte{"f": []byte("x")}); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if b, err := s.Get("kind", "aabb", "f"); err != nil || string(b) != "x" {
		t.Errorf("%q, %v", b, err)
	}
	left, err := filepath.Glob(filepath.Join(s.Dir(), "kind", "aa", "*"))
	if err != nil || len(left) != 1 {
		t.Errorf("left over: %v (%v)", left, err)
	}
}

// A damaged entry counts as absent, and is gone.
func TestDamagedCell(t *testing.T) {
	for _, file := range []string{cellFile, predictionsFile} {
		s := open(t)
		if err := s.PutCell("abcdef", &Cell{}, nil); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(s.entry(cellKind, "abcdef"), file), []byte("{"), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, _, ok, err := s.Cell("abcdef"); ok || err != nil {
			t.Errorf("damaged %s: %v, %v", file, ok, err)
		}
		if s.HasCell("abcdef") {
			t.Errorf("damaged %s: the entry is still there", file)
		}
	}
}

func TestWriteFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	for _, text := range []string{"one", "two"} {
		if err := WriteFile(path, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != text {
			t.Errorf("%q, %v", got, err)
		}
	}
	if _, err := os.Stat(path + ".tmp"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a temporary file is left: %v", err)
	}
}

func TestOpenStoreInFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenStore(filepath.Join(path, "cache")); err == nil {
		t.Error("a store inside a file was opened")
	}
}

// FuzzDecodePredictions: whatever decodes encodes to the same bytes.
func FuzzDecodePredictions(f *testing.F) {
	f.Add(EncodePredictions(nil))
	f.Add(EncodePredictions([]Prediction{{Class: 1, Tied: 1, Best: true, Margin: 1}}))
	f.Add([]byte("QBPRED1\n\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := DecodePredictions(b)
		if err != nil {
			return
		}
		again, err := DecodePredictions(EncodePredictions(p))
		if err != nil || len(again) != len(p) {
			t.Errorf("%d predictions came back as %d: %v", len(p), len(again), err)
		}
	})
}
