package catalogue

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"quantbench/datasets"
	"quantbench/datasets/fetch"
)

var ctx = context.Background()

func TestEntries(t *testing.T) {
	for _, e := range List() {
		if e.Title == "" || e.Licence == "" || e.Name != "folder" && e.Source == "" {
			t.Errorf("%s is not described", e.Name)
		}
		for _, f := range append(e.Files, e.Instead...) {
			if len(f.MD5) != 32 && len(f.SHA256) != 64 || f.Manual == "" && len(f.Mirrors) == 0 {
				t.Errorf("%s: %+v", e.Name, f)
			}
			for _, m := range f.Mirrors {
				if !strings.HasPrefix(m, "https://") || !strings.HasSuffix(m, "/"+f.Name) {
					t.Errorf("%s: mirror %s", f.Name, m)
				}
			}
		}
	}
	if e, ok := Named("mnist"); !ok || len(e.Files) != 4 {
		t.Error("mnist")
	}
	if _, ok := Named("x"); ok {
		t.Error("x")
	}
}

func TestVerify(t *testing.T) {
	r, err := Verify(ctx, "fashion-mnist", nil)
	if err != nil || !r.OK() || r.Splits[0].Pictures != 10000 || r.Splits[0].Whole != 10000 || r.Splits[1].Pictures != 2000 {
		t.Fatalf("%+v %v", r, err)
	}
	for c, n := range r.Splits[0].Counts {
		if n != 1000 {
			t.Errorf("class %d: %d", c, n)
		}
	}
	r, err = Verify(ctx, "mnist", []string{t.TempDir()})
	var miss *datasets.MissingError
	if err != nil || r.OK() || r.Files[0].Path != "" || !errors.As(r.Splits[0].Err, &miss) {
		t.Errorf("%+v %v", r, err)
	}
	if _, err := Verify(ctx, "minst", nil); err == nil {
		t.Error("minst")
	}
	done, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := Verify(done, "fashion-mnist", nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestVerifyDamaged(t *testing.T) {
	dir := t.TempDir()
	os.Mkdir(filepath.Join(dir, "cifar10"), 0o755)
	os.WriteFile(filepath.Join(dir, "cifar10/cifar-10-binary.tar.gz"), []byte("<html>"), 0o600)
	r, err := Verify(ctx, "cifar10", []string{dir})
	var c *fetch.CheckError
	if err != nil || r.OK() || !errors.As(r.Files[0].Err, &c) || c.What != "md5" || r.Splits[0].Err == nil {
		t.Errorf("%+v %v", r, err)
	}
	var b bytes.Buffer
	png.Encode(&b, image.NewGray(image.Rect(0, 0, 2, 2)))
	dir = t.TempDir()
	os.MkdirAll(filepath.Join(dir, "test/cat"), 0o755)
	os.WriteFile(filepath.Join(dir, "test/cat/good.png"), b.Bytes(), 0o600)
	if r, err := Verify(ctx, "folder", []string{dir}); err != nil || !r.OK() || r.Splits[0].Counts[0] != 1 {
		t.Errorf("%+v %v", r, err)
	}
	os.WriteFile(filepath.Join(dir, "test/cat/bad.png"), b.Bytes()[:40], 0o600)
	r, err = Verify(ctx, "folder", []string{dir})
	if err != nil || r.OK() || len(r.Splits[0].Bad) != 1 || r.Splits[0].Pictures != 1 {
		t.Errorf("%+v %v", r, err)
	}
}

func TestGet(t *testing.T) {
	if r, err := Get(ctx, "fashion-mnist", fetch.Options{Dir: t.TempDir()}); err != nil || len(r) != 0 {
		t.Error(r, err)
	}
	dir := t.TempDir()
	_, err := Get(ctx, "cifar10", fetch.Options{Dir: dir, From: t.TempDir()})
	var m *fetch.ManualError
	if !errors.As(err, &m) || m.Path != filepath.Join(dir, "cifar10", "cifar-10-binary.tar.gz") {
		t.Error(err)
	}
	if _, err := Get(ctx, "imagenet", fetch.Options{Dir: dir, Offline: true}); err == nil || !strings.Contains(err.Error(), "get_ilsvrc_aux") {
		t.Error(err)
	}
	if _, err := Get(ctx, "minst", fetch.Options{}); err == nil || !strings.Contains(err.Error(), "did you mean mnist") {
		t.Error(err)
	}
}

func TestReal(t *testing.T) {
	data := os.Getenv("BENCH_DATA")
	if data == "" {
		t.Skip("BENCH_DATA is not set: MNIST, CIFAR-10 and ImageNet are not part of the repository")
	}
	dir := t.TempDir()
	r, err := Get(ctx, "mnist", fetch.Options{Dir: dir, From: filepath.Join(data, "mnist"), Offline: true})
	if err != nil || len(r) != 4 || r[0].Action != fetch.Imported {
		t.Fatal(r, err)
	}
	if _, err := Get(ctx, "imagenet", fetch.Options{Dir: dir, From: filepath.Join(data, "imagenet")}); err != nil {
		t.Error(err)
	}
	report, err := Verify(ctx, "mnist", []string{dir})
	if err != nil || !report.OK() || report.Splits[0].Counts[0] != 980 || report.Splits[1].Pictures != 60000 {
		t.Errorf("%+v %v", report, err)
	}
	for _, f := range report.Files {
		if f.Err != nil {
			t.Error(f)
		}
	}
	report, err = Verify(ctx, "cifar10", []string{data})
	if err != nil || !report.OK() || report.Splits[0].Pictures != 1017 || report.Splits[0].Whole != 10000 {
		t.Errorf("%+v %v", report.Splits, err)
	}
	test, err := Open("cifar10", "test", []string{data})
	if err != nil {
		t.Fatal(err)
	}
	train, err := Open("cifar10", "train", []string{data})
	if err != nil {
		t.Fatal(err)
	}
	o, err := datasets.FindOverlaps(ctx, train, test)
	if err != nil || len(o.Pictures) != 0 {
		t.Errorf("%+v %v", o.Pictures, err)
	}
}
