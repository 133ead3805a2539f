package cifar

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/md5"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"quantbench/datasets"
)

type member struct {
	name string
	data []byte
}

func archive(t testing.TB, members ...member) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, m := range members {
		if err := w.WriteHeader(&tar.Header{Name: m.name, Mode: 0o644, Size: int64(len(m.data))}); err != nil {
			t.Fatal(err)
		}
		w.Write(m.data)
	}
	w.Close()
	z.Close()
	return b.Bytes()
}

func pickled(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("pickle/testdata/batch-" + name + ".pickle")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func write(t *testing.T, name string, data []byte) (path, sum string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	h := md5.Sum(data)
	return path, hex.EncodeToString(h[:])
}

func labels(t *testing.T, d datasets.Dataset) string {
	t.Helper()
	var b strings.Builder
	for i := range d.Info().Len {
		p, err := d.Picture(context.Background(), i)
		if err != nil {
			t.Fatal(err)
		}
		b.WriteByte(byte('0' + p.Label))
	}
	return b.String()
}

func TestPickleEqualsBinary(t *testing.T) {
	px := make([]byte, 2*pixels)
	for i := range px {
		px[i] = byte(i*7 + i/251)
	}
	binary := append(append(append([]byte{3}, px[:pixels]...), 8), px[pixels:]...)
	want, err := Decode("test", File{"b.bin", binary})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"py2-0", "py2-1", "py2-2", "py3-0", "py3-1", "py3-2", "py3-4"} {
		d, err := Decode("test", File{"test_batch", pickled(t, name)})
		if err != nil || d.Info().Digest != want.Info().Digest {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPickleErrors(t *testing.T) {
	array := func(shape string, dtype string, data string) string {
		return "cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00tU\x01btR(K\x01(" + shape + "tcnumpy\ndtype\nU\x02" + dtype + "\x85R\x89T" + data + "tb"
	}
	row := "\x00\x0c\x00\x00" + strings.Repeat("p", pixels)
	good := "U\x04data" + array("K\x01M\x00\x0c", "u1", row)
	for in, want := range map[string]string{
		"(K\x01l.":             "holds a list",
		"(U\x01ad.":            "odd number",
		"(U\x01aNd.":           `has ["a"] but no "data"`,
		"(U\x0bfine_labelsNd.": "CIFAR-100",
		"(U\x04dataNd.":        `"data" is None`,
		"(U\x04data" + array("K\x01", "u1", "\x01\x00\x00\x00p") + "d.": "an array of [1] with 1 bytes",
		"(" + good + "d.":                        `"labels" is None`,
		"(" + good + "U\x06labels(Nld.":          "label 0 is <nil>",
		"(" + good + "U\x06labels(K\x0ald.":      "label 0 is 10",
		"(" + good + "U\x06labels(K\x01K\x02ld.": "1 pictures and 2 labels",
		"(" + good + "U\x06labels" + array("K\x01", "i8", "\x08\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff") + "d.": "label 0 is -1",
		"(": "it is cut off",
	} {
		if _, err := Decode("test", File{"f", []byte(in)}); err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "f: ") {
			t.Errorf("%.40q: %v, want %q", in, err, want)
		}
	}
}

func TestArchive(t *testing.T) {
	binary := archive(t, member{"cifar-10-batches-bin/data_batch_2.bin", rec(2, 1)}, member{"cifar-10-batches-bin/data_batch_1.bin", rec(1, 1)},
		member{"cifar-10-batches-bin/readme.html", []byte("x")}, member{"cifar-10-batches-bin/data_batch_5.bin", rec(5, 1)}, member{"cifar-10-batches-bin/data_batch_3.bin", rec(3, 1)},
		member{"cifar-10-batches-bin/data_batch_4.bin", rec(4, 1)}, member{"cifar-10-batches-bin/test_batch.bin", rec(9, 1)})
	path, sum := write(t, binaryArchive, binary)
	for split, want := range map[string]string{"train": "12345", "test": "9"} {
		d, err := openArchive(split, path, []string{sum})
		if err != nil || labels(t, d) != want {
			t.Errorf("%s: %v", split, err)
		}
	}
	if _, err := OpenArchive("test", path); err == nil || !strings.Contains(err.Error(), "md5 is "+sum) {
		t.Error(err)
	}
	if _, err := Find("test", []string{filepath.Dir(path)}); err == nil || !strings.Contains(err.Error(), "md5 is "+sum) {
		t.Errorf("found: %v", err)
	}
	if _, err := openArchive("val", path, nil); err == nil {
		t.Error("split val")
	}
	if _, err := OpenArchive("test", path+"x"); err == nil {
		t.Error("missing file")
	}
	python, sum := write(t, pythonArchive, archive(t, member{"cifar-10-batches-py/batches.meta", []byte("x")}, member{"cifar-10-batches-py/test_batch", pickled(t, "py2-2")}))
	d, err := openArchive("test", python, []string{sum})
	if err != nil || labels(t, d) != "38" {
		t.Errorf("python: %v", err)
	}
}

func TestArchiveErrors(t *testing.T) {
	good := archive(t, member{"a/test_batch", pickled(t, "py2-2")})
	twice := archive(t, member{"a/test_batch.bin", rec(1, 1)}, member{"b/test_batch.bin", rec(1, 1)})
	short := archive(t, member{"a/test_batch.bin", rec(1, 1)[:3000]})
	bad := bytes.Clone(good)
	bad[len(bad)-6] ^= 1 // gzip's own sum
	for want, data := range map[string][]byte{
		"no gzip file":               []byte("<html>not found</html>"),
		"the archive ends inside":    good[:len(good)/2],
		"is there twice":             twice,
		"test_batch.bin: 3000 bytes": short,
		"has no test_batch":          archive(t, member{"a/train", nil}),
	} {
		_, err := readArchive("test", "f.tar.gz", bytes.NewReader(data))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "f.tar.gz") {
			t.Errorf("%v, want %q", err, want)
		}
	}
	path, sum := write(t, "x", bad)
	if _, err := openArchive("test", path, []string{sum + "0"}); err == nil {
		t.Error("a damaged archive was read")
	}
	if _, err := (&limited{bytes.NewReader(make([]byte, 10)), 5}).Read(make([]byte, 10)); err == nil {
		t.Error("no limit")
	}
	if _, err := readMember("f", &tar.Header{Name: "m", Size: maxMember + 1}, nil); err == nil {
		t.Error("a huge member was read")
	}
}

func TestClassCounts(t *testing.T) {
	all := records{make([]byte, batch*pixels), make([]byte, batch)}
	for i := range all.labels {
		all.labels[i] = byte(i % 10)
	}
	if _, err := join("test", []records{all}); err != nil {
		t.Error(err)
	}
	all.labels[0] = 1
	if _, err := join("test", []records{all}); err == nil || !strings.Contains(err.Error(), "999 pictures of class 0 (airplane) instead of 1000") {
		t.Error(err)
	}
}

func FuzzArchive(f *testing.F) {
	good := archive(f, member{"a/test_batch", pickled(f, "py2-2")})
	f.Add(good)
	f.Add(good[:100])
	f.Add(archive(f, member{"a/test_batch.bin", rec(1, 1)}))
	f.Fuzz(func(t *testing.T, data []byte) {
		if parts, err := readArchive("test", "f", bytes.NewReader(data)); err == nil && (len(parts) != 1 || len(parts[0].pixels) != pixels*len(parts[0].labels)) {
			t.Fatal("wrong sizes")
		}
	})
}
