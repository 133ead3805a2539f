package main

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"testing"

	"quantbench/datasets/idx"
)

// originals writes a folder like the package's, with n training pictures.
func originals(t *testing.T, n int) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range []struct {
		name   string
		header []byte
		record int
	}{
		{"images-idx3-ubyte.gz", []byte{0, 0, 8, 3, 0, 0, byte(n >> 8), byte(n), 0, 0, 0, 28, 0, 0, 0, 28}, 28 * 28},
		{"labels-idx1-ubyte.gz", []byte{0, 0, 8, 1, 0, 0, byte(n >> 8), byte(n)}, 1},
	} {
		data := f.header
		for i := range n {
			data = append(data, bytes.Repeat([]byte{byte(i % 251)}, f.record)...)
		}
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		w.Write(data)
		w.Close()
		for _, split := range []string{"t10k-", "train-"} {
			if err := os.WriteFile(filepath.Join(dir, split+f.name), b.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}

func TestRun(t *testing.T) {
	from, to := originals(t, keep+5), t.TempDir()
	if err := run(from, to); err != nil {
		t.Fatal(err)
	}
	images, err := os.ReadFile(filepath.Join(to, "train2000-images-idx3-ubyte.gz"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := idx.ParsePictures("images", images)
	if err != nil || p.N != keep || p.Pixels[len(p.Pixels)-1] != (keep-1)%251 {
		t.Error(p.N, err)
	}
	labels, err := os.ReadFile(filepath.Join(to, "train2000-labels-idx1-ubyte.gz"))
	if err != nil {
		t.Fatal(err)
	}
	if l, err := idx.ParseLabels("labels", labels); err != nil || len(l) != keep || l[300] != 300%251 {
		t.Error(len(l), err)
	}
	if run(originals(t, keep-1), to) == nil {
		t.Error("too few pictures accepted")
	}
	if run(t.TempDir(), to) == nil {
		t.Error("missing files accepted")
	}
}

// The embedded files hold what the generator makes of Debian's.
func TestEmbeddedReproduced(t *testing.T) {
	const debian = "/usr/share/datasets/fashion-mnist"
	if _, err := os.Stat(debian); err != nil {
		t.Skip("the Debian package dataset-fashion-mnist is not installed")
	}
	to := t.TempDir()
	if err := run(debian, to); err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{"t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz", "train2000-images-idx3-ubyte.gz", "train2000-labels-idx1-ubyte.gz"} {
		made, err := os.ReadFile(filepath.Join(to, f))
		if err != nil {
			t.Fatal(err)
		}
		kept, err := os.ReadFile(filepath.Join("..", f))
		if err != nil {
			t.Fatal(err)
		}
		a, err := idx.Unzip(f, made)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := idx.Unzip(f, kept); err != nil || !bytes.Equal(a, b) {
			t.Errorf("%s differs (%v)", f, err)
		}
	}
}
