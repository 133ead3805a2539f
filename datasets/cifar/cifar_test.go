package cifar

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"quantbench/datasets"
)

func rec(label, fill byte) []byte {
	return append([]byte{label}, bytes.Repeat([]byte{fill}, pixels)...)
}

func TestDecode(t *testing.T) {
	d, err := Decode("test", File{"a", append(rec(3, 1), rec(4, 2)...)}, File{"b", rec(9, 5)})
	if err != nil {
		t.Fatal(err)
	}
	p, err := d.Picture(context.Background(), 2)
	if err != nil || p.Label != 9 || p.Pixels[0] != 5 || p.Channels != 3 || p.ID != "cifar10/test/00002" {
		t.Errorf("%d %s %v", p.Label, p.ID, err)
	}
	for want, b := range map[string][]byte{
		"0 records":              nil,
		"1 records of 3073":      rec(0, 0)[:record:record],
		"record 1 (byte 3073)":   append(rec(0, 0), rec(10, 0)...),
		"0 records of 3073 byte": rec(0, 0)[:100],
	} {
		if strings.HasPrefix(want, "1") {
			b = append(b, 1, 2)
		}
		if _, err := Decode("test", File{"f", b}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
}

func TestFind(t *testing.T) {
	dir := t.TempDir()
	_, err := Find("train", []string{dir})
	var miss *datasets.MissingError
	if !errors.As(err, &miss) || len(miss.Looked) != 20 {
		t.Fatal(err)
	}
	os.Mkdir(filepath.Join(dir, "cifar10"), 0o700)
	os.WriteFile(filepath.Join(dir, "cifar10", "train_lossless_8068.bin"), rec(1, 1), 0o600)
	if d, err := Find("train", []string{dir}); err != nil || d.Info().Len != 1 {
		t.Error(err)
	}
	sub := filepath.Join(dir, "cifar-10-batches-bin")
	os.Mkdir(sub, 0o700)
	for _, n := range layouts("train")[0] {
		os.WriteFile(filepath.Join(sub, n), rec(1, 1), 0o600)
	}
	if d, err := Find("train", []string{dir}); err != nil || d.Info().Len != 5 {
		t.Error(err)
	}
	if _, err := Find("val", []string{dir}); err == nil {
		t.Error("split val")
	}
	if _, err := Open("test", dir+"/none"); err == nil {
		t.Error("missing file")
	}
}

func TestReal(t *testing.T) {
	dir := os.Getenv("BENCH_DATA")
	if dir == "" {
		t.Skip("BENCH_DATA is not set: CIFAR-10 is not part of the repository")
	}
	for split, n := range map[string]int{"test": 1017, "train": 8068} {
		d, err := Find(split, []string{dir})
		if err != nil || d.Info().Len != n {
			t.Errorf("%s: %v", split, err)
		}
	}
	_, err := Open("test", filepath.Join(dir, "cifar10/test_batch.truncated"))
	if err == nil || !strings.Contains(err.Error(), "test_batch.truncated: byte 20212: a string of 30720000 bytes was expected, but only 3125511 are left") {
		t.Errorf("the cut pickle: %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(rec(3, 1))
	f.Add(rec(30, 1))
	f.Add([]byte{1, 2})
	f.Fuzz(func(t *testing.T, b []byte) {
		if d, err := Decode("test", File{"f", b}); err == nil && d.Info().Len*record != len(b) {
			t.Fatalf("%d records of %d bytes", d.Info().Len, len(b))
		}
	})
}
