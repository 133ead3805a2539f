package harness

import (
	"context"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"quantbench/datasets/fashionmnist"
	"quantbench/harness/record"
)

// pictureFolder writes the first n Fashion-MNIST test pictures as files with a CSV
// in which each has the label that renumber gives; files lists the paths, some of
// them perhaps twice.
func pictureFolder(t *testing.T, n int, renumber func(int) int) string {
	t.Helper()
	dir := t.TempDir()
	d, err := fashionmnist.Open("test")
	if err != nil {
		t.Fatal(err)
	}
	var csv strings.Builder
	for i := range n {
		p, err := d.Picture(context.Background(), i)
		if err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprintf("%04d.png", i)
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		img := &image.Gray{Pix: p.Pixels, Stride: p.Width, Rect: image.Rect(0, 0, p.Width, p.Height)}
		if err := png.Encode(f, img); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&csv, "%s,%d\n", name, renumber(p.Label))
	}
	if err := os.WriteFile(filepath.Join(dir, "test.csv"), []byte(csv.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

const ownPictures = `
version: 1
models: [lenet5]
datasets: [{name: folder, path: "DIR", images: 200, calibration: {split: test, from: 150, images: 60}}]
matrix: {runtime: [fp32, tensorrt-int8], calibrator: minmax}
`

func codes(findings []record.Finding) (out []string) {
	for _, f := range findings {
		out = append(out, f.Code)
	}
	return out
}

// Labels that are numbered otherwise are found in every cell, calibration pictures
// that are scored in the cells that they calibrated, and both are in the report
// again when the cells come from the store.
func TestPictureFindings(t *testing.T) {
	dir, cache := pictureFolder(t, 220, func(l int) int { return (l + 9) % 10 }), t.TempDir()
	text := strings.Replace(ownPictures, "DIR", filepath.ToSlash(dir), 1)
	for range 2 {
		run := mustRun(t, experiment(t, cache, text, nil))
		for i, want := range []string{"DS101", "DS101 DS102"} {
			if got := strings.Join(codes(run.Cells[i].Findings), " "); got != want {
				t.Errorf("%s: findings %s, want %s", run.Cells[i].Runtime, got, want)
			}
		}
		f := run.Cells[1].Findings
		if !strings.HasPrefix(f[0].Fact, "class = label + 1 (modulo 10): right would be 1") || !strings.HasPrefix(f[1].Fact, "50 of 200 evaluation pictures are calibration pictures too, first folder/test/0150.png") {
			t.Errorf("%+v", f)
		}
	}
	found, err := experiment(t, t.TempDir(), text, nil).DatasetFindings(context.Background())
	if err != nil || strings.Join(codes(found), " ") != "DS102" || found[0].Where != "folder" {
		t.Errorf("before running: %+v, %v", found, err)
	}
}

// Right labels, and calibration on other pictures, are no findings.
func TestNoPictureFindings(t *testing.T) {
	dir := pictureFolder(t, 220, func(l int) int { return l })
	text := strings.Replace(strings.Replace(ownPictures, "DIR", filepath.ToSlash(dir), 1), "images: 200", "images: 150", 1)
	run := mustRun(t, experiment(t, t.TempDir(), text, nil))
	for _, c := range run.Cells {
		if c.Status != record.OK || len(c.Findings) > 0 {
			t.Errorf("%s: %s, %+v", c.Runtime, c.Reason, c.Findings)
		}
	}
}
