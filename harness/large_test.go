package harness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"quantbench/harness/record"
	"quantbench/harness/speed"
	"quantbench/models/caffe"
)

const tinyNetwork = `
name: "tiny"
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 3 dim: 224 dim: 224 } } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" convolution_param { num_output: 8 kernel_size: 8 stride: 8 } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
layer { name: "pool" type: "Pooling" bottom: "conv" top: "pool" pooling_param { pool: MAX kernel_size: 4 stride: 4 } }
layer { name: "fc" type: "InnerProduct" bottom: "pool" top: "fc" inner_product_param { num_output: 10 } }
`

// writeTiny writes the tiny network with made-up weights.
func writeTiny(t *testing.T, dir string) {
	t.Helper()
	n, err := caffe.ParseNetwork("tiny.prototxt", []byte(tinyNetwork))
	if err != nil {
		t.Fatal(err)
	}
	speed.Randomize(n)
	var b bytes.Buffer
	if err := caffe.WriteWeights(&b, n); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"tiny.prototxt": []byte(tinyNetwork), "tiny.caffemodel": b.Bytes()} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// photographs writes n JPEG files in ten class folders for both splits: links to
// a few hundred, whose sizes and contents differ.
func photographs(t *testing.T, dir string, n int) {
	t.Helper()
	const different = 200
	for i := range n + 100 {
		split, at := "test", i
		if i >= n {
			split, at = "train", i-n
		}
		class := filepath.Join(dir, split, fmt.Sprintf("class%d", i%10))
		if at < 10 {
			if err := os.MkdirAll(class, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		name := filepath.Join(class, fmt.Sprintf("%06d.jpg", i))
		if i >= different && i < n {
			if err := os.Link(filepath.Join(dir, "test", fmt.Sprintf("class%d", i%10), fmt.Sprintf("%06d.jpg", i%different)), name); err != nil {
				t.Skip("no links on this file system: ", err)
			}
			continue
		}
		if err := os.WriteFile(name, photograph(t, i), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func photograph(t *testing.T, seed int) []byte {
	t.Helper()
	w, h := 240+seed%7*40, 230+seed%5*50
	m := image.NewYCbCr(image.Rect(0, 0, w, h), image.YCbCrSubsampleRatio420)
	for y := range h {
		for x := range w {
			m.Y[m.YOffset(x, y)] = byte(x*y/(seed%13+20) + seed*17)
			c := color.YCbCr{Cb: byte(x + seed), Cr: byte(y * 2)}
			m.Cb[m.COffset(x, y)], m.Cr[m.COffset(x, y)] = c.Cb, c.Cr
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 75}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

const largeConfig = `
version: 1
models: [{name: tiny, prototxt: "DIR/tiny.prototxt", caffemodel: "DIR/tiny.caffemodel", preprocess: {resize: {rule: shorter, size: 256}, crop: center, planar: true, order: bgr, mean: [104, 117, 123]}}]
datasets: [{name: folder, path: "DIR", calibration: {images: 100, batch: 10}}]
matrix: {runtime: [fp32, tensorrt-int8, nvdla-int8], calibrator: entropy2}
`

// A dataset of ImageNet's kind is measured from its files in little memory, goes on
// where it was stopped, and a second run decodes nothing. BENCH_PICTURES=50000
// makes it as large as ImageNet's validation set; the log has the peak of memory.
func TestLargeDataset(t *testing.T) {
	n := 1500
	if s := os.Getenv("BENCH_PICTURES"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil || n < 200 {
			t.Fatalf("BENCH_PICTURES is %q; it is a number of pictures, from 200 on", s)
		}
	} else if testing.Short() {
		t.Skip("decodes 1,500 pictures")
	}
	dir := t.TempDir()
	writeTiny(t, dir)
	photographs(t, dir, n)
	text := strings.ReplaceAll(largeConfig, "DIR", filepath.ToSlash(dir))
	run := func(store string, stop int) (*record.Run, error) {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		e := experiment(t, store, text, func(ev Event) {
			if stop > 0 && ev.Kind == CellProgress && ev.Done >= stop {
				cancel()
			}
		})
		e.env.PictureCache = 20 << 30
		return e.Run(ctx)
	}
	store := t.TempDir()
	for _, stop := range []int{n / 3, n / 2} {
		if _, err := run(store, stop); !errors.Is(err, context.Canceled) {
			t.Fatalf("stopped at %d: %v", stop, err)
		}
	}
	got, err := run(store, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range got.Cells {
		if c.Status != record.OK || c.Images != n {
			t.Errorf("%s: %s, %d pictures: %s", c.Runtime, c.Status, c.Images, c.Reason)
		}
	}
	if n < 5000 { // the same without interruptions
		want, err := run(t.TempDir(), 0)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(asJSON(t, got), asJSON(t, want)) {
			t.Error("the interrupted run gives another result")
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	peak := peakMemory()
	t.Logf("%d pictures: peak of memory %.0f MB, of it Go's heap %.0f MB", n, float64(peak)/1e6, float64(m.HeapSys)/1e6)
	if peak > 1536<<20 {
		t.Errorf("%d bytes of memory at the peak", peak)
	}
}
