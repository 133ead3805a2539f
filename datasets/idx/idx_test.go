package idx

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"quantbench/datasets"
)

func zip(b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	w.Write(b)
	w.Close()
	return out.Bytes()
}

func pics(n byte) []byte {
	b := []byte{0, 0, 8, 3, 0, 0, 0, n, 0, 0, 0, 1, 0, 0, 0, 2}
	return append(b, bytes.Repeat([]byte{7, 9}, int(n))...)
}

func labels(l ...byte) []byte { return append([]byte{0, 0, 8, 1, 0, 0, 0, byte(len(l))}, l...) }

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	p, l := filepath.Join(dir, "p"), filepath.Join(dir, "l")
	os.WriteFile(p, zip(pics(3)), 0o600)
	os.WriteFile(l, labels(0, 1, 0), 0o600)
	d, err := Open("toy", "test", p, l, []string{"a", "b"})
	if err != nil {
		t.Fatal(err)
	}
	pic, err := d.Picture(context.Background(), 1)
	if err != nil || pic.Label != 1 || pic.ID != "toy/test/00001" || pic.Width != 2 || !bytes.Equal(pic.Pixels, []byte{7, 9}) {
		t.Errorf("%+v %v", pic, err)
	}
	if _, err := Open("toy", "test", p, dir+"/none", nil); err == nil {
		t.Error("missing labels")
	}
	if _, err := Open("toy", "test", dir+"/none", l, nil); err == nil {
		t.Error("missing pictures")
	}
}

func TestDecodeErrors(t *testing.T) {
	z := zip(pics(3))
	for _, c := range []struct {
		name, want string
		p, l       []byte
	}{
		{"empty", "cut off", nil, labels(0)},
		{"magic", "file of labels", labels(1, 2, 3, 4, 5, 6, 7, 8), labels(0)},
		{"label magic", "file of pictures", pics(1), pics(1)},
		{"no idx", "no idx file", []byte("<html><body>not found</body>"), labels(0)},
		{"trailing", "promises 6 bytes, 7 follow", append(pics(3), 1), labels(0, 0, 0)},
		{"short", "promises 6 bytes, 5 follow", pics(3)[:21], labels(0, 0, 0)},
		{"count", "do not belong together", pics(3), labels(0, 0)},
		{"label", "label 2", pics(3), labels(0, 2, 0)},
		{"zero", "dimension 0 is 0", pics(0), labels(0)},
		{"huge", "dimension 1", []byte{0, 0, 8, 3, 0xff, 0, 0, 0, 0xff, 0, 0, 0, 0, 0, 0, 1}[:16], labels(0)},
		{"cut gzip", "cut off", z[:len(z)-12], labels(0)},
		{"bad gzip", "gzip header", []byte{0x1f, 0x8b, 0}, labels(0)},
		{"corrupt gzip", "gzip data", append(append([]byte{}, z[:len(z)-6]...), 1, 2, 3, 4, 5, 6), labels(0)},
	} {
		if c.name == "huge" {
			c.want = "dimension 0"
		}
		_, err := Decode("toy", "test", File{"p", c.p}, File{"l", c.l}, []string{"a", "b"})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestMNISTMissingOrWrong(t *testing.T) {
	dir := t.TempDir()
	_, err := MNIST("test", []string{dir})
	var miss *datasets.MissingError
	if !errors.As(err, &miss) || miss.Dataset != "mnist/test" || len(miss.Looked) != 12 || !strings.Contains(miss.Command, "curl") {
		t.Errorf("%v", err)
	}
	os.WriteFile(filepath.Join(dir, "t10k-images.idx3-ubyte"), pics(3), 0o600)
	if _, err := MNIST("test", []string{dir}); err == nil || !strings.Contains(err.Error(), "another dataset") {
		t.Errorf("%v", err)
	}
	os.WriteFile(filepath.Join(dir, "t10k-images-idx3-ubyte.gz"), []byte{0x1f, 0x8b, 1}, 0o600)
	if _, err := MNIST("test", []string{dir}); err == nil || !strings.Contains(err.Error(), "gzip") {
		t.Errorf("%v", err)
	}
	if _, err := MNIST("val", nil); err == nil {
		t.Error("split val")
	}
}

func TestRealMNIST(t *testing.T) {
	dir := os.Getenv("BENCH_DATA")
	if dir == "" {
		t.Skip("BENCH_DATA is not set: the MNIST files are not part of the repository")
	}
	for split, n := range map[string]int{"test": 10000, "train": 60000} {
		d, err := MNIST(split, []string{dir})
		if err != nil {
			t.Fatal(err)
		}
		if i := d.Info(); i.Len != n || i.Name != "mnist" {
			t.Errorf("%+v", i)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(pics(2))
	f.Add(labels(1, 2))
	f.Add(zip(labels(1)))
	f.Add([]byte{0, 0, 8, 3, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, err := ParsePictures("f", b); err == nil && len(p.Pixels) != p.N*p.H*p.W {
			t.Fatalf("%d bytes for %d x %d x %d", len(p.Pixels), p.N, p.H, p.W)
		}
		if l, err := ParseLabels("f", b); err == nil && len(l) == 0 {
			t.Fatal("no labels")
		}
	})
}
