package harness

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"quantbench/datasets"
)

// Where the decoded pictures are does not change a byte of the result: in memory,
// in a file that is filled on the way, in a file that was filled, or nowhere.
func TestPicturesAnywhere(t *testing.T) {
	want := asJSON(t, mustRun(t, experiment(t, t.TempDir(), small, nil)))
	kept := t.TempDir()
	for _, tt := range []struct {
		name  string
		dir   string
		cache int64
	}{{"nowhere", t.TempDir(), 0}, {"new file", kept, 1 << 20}, {"full file", kept, 1 << 20}, {"too large a file", t.TempDir(), 1000}} {
		told := map[EventKind]int{}
		e := experiment(t, tt.dir, small, func(ev Event) { told[ev.Kind]++ })
		e.env.PictureMemory, e.env.PictureCache = 1, tt.cache
		if got := asJSON(t, mustRun(t, e)); !bytes.Equal(got, want) {
			t.Errorf("%s: another result", tt.name)
		}
		wantKept := map[string]int{"new file": 2}[tt.name] // evaluation and calibration
		if told[PicturesKept] != wantKept || (told[PicturesNotKept] > 0) != (tt.name == "too large a file") {
			t.Errorf("%s: told %v", tt.name, told)
		}
		for _, sub := range []string{"cells", "tables", "calibrations"} { // the pictures stay
			if err := os.RemoveAll(filepath.Join(tt.dir, sub)); err != nil {
				t.Fatal(err)
			}
		}
	}
}

const oneCell = `
version: 1
models: [lenet5]
datasets: [{name: fashion-mnist, images: 1000}]
matrix: {runtime: fp32}
`

// A cell that is interrupted goes on at the first block that is missing, and ends
// with the same bytes.
func TestResumeInsideACell(t *testing.T) {
	want := asJSON(t, mustRun(t, experiment(t, t.TempDir(), oneCell, nil)))
	dir := t.TempDir()
	resumed := 0
	for try := 0; ; try++ {
		if try > 20 {
			t.Fatal("the cell never ended")
		}
		ctx, cancel := context.WithCancel(context.Background())
		seen := 0
		e := experiment(t, dir, oneCell, func(ev Event) {
			switch ev.Kind {
			case CellStarted:
				if ev.Done < resumed {
					t.Errorf("goes on at %d after %d", ev.Done, resumed)
				}
				resumed = ev.Done
			case CellProgress:
				if seen++; ev.Done > resumed+100 {
					cancel()
				}
			}
		})
		run, err := e.Run(ctx)
		cancel()
		if err == nil {
			if got := asJSON(t, run); !bytes.Equal(got, want) {
				t.Error("another result")
			}
			break
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	if resumed == 0 {
		t.Error("the cell was never resumed")
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "partial", "*", "*")); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}

// unseen is a set whose pictures must not be decoded.
type unseen struct {
	datasets.Dataset
	t *testing.T
}

func (u unseen) Picture(context.Context, int) (datasets.Picture, error) {
	u.t.Error("a picture was decoded for its label")
	return datasets.Picture{}, errors.New("unseen")
}

func (u unseen) Label(i int) (int, error) { return datasets.Label(context.Background(), u.Dataset, i) }

// Labels are read without decoding.
func TestLabels(t *testing.T) {
	e := experiment(t, t.TempDir(), small, nil)
	d, err := e.dataset("fashion-mnist", "test")
	if err != nil {
		t.Fatal(err)
	}
	labels, err := e.labels(context.Background(), unseen{d, t}, 100)
	if err != nil {
		t.Fatal(err)
	}
	for i, l := range labels {
		if p, _ := d.Picture(context.Background(), i); p.Label != l {
			t.Errorf("picture %d: label %d, want %d", i, l, p.Label)
		}
	}
}
