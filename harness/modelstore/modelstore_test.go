package modelstore

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"quantbench/datasets/fetch"
	"quantbench/models/catalogue"
)

var ctx = context.Background()

// entry is a network whose two files are the given texts.
func entry(prototxt, caffemodel string) catalogue.Entry {
	file := func(name, text string) catalogue.File {
		sum := sha256.Sum256([]byte(text))
		return catalogue.File{Name: name, Size: int64(len(text)), SHA256: hex.EncodeToString(sum[:]), Places: []string{"elsewhere/" + name}}
	}
	return catalogue.Entry{Name: "net", Prototxt: file("a.prototxt", prototxt), Caffemodel: file("a.caffemodel", caffemodel)}
}

func put(t *testing.T, text string, path ...string) {
	t.Helper()
	p := filepath.Join(path...)
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestFind(t *testing.T) {
	e, first, second := entry("p", "c"), t.TempDir(), t.TempDir()
	dirs := []string{first, second}
	var missing *MissingError
	if _, err := Find(e, dirs); !errors.As(err, &missing) || !errors.Is(err, fs.ErrNotExist) || missing.Command != "bench model get net" || !strings.Contains(err.Error(), second) {
		t.Fatal(err)
	}
	put(t, "p", second, "elsewhere", "a.prototxt")
	put(t, "c", second, "models/net/a.caffemodel")
	files, err := Find(e, dirs)
	if err != nil || files.Prototxt != filepath.Join(second, "elsewhere/a.prototxt") || files.Caffemodel != filepath.Join(second, "models/net/a.caffemodel") {
		t.Fatal(files, err)
	}
	// A damaged file in an earlier place does not hide the right one, but alone it
	// is an error.
	put(t, "x", first, "models/net/a.caffemodel")
	if files, err = Find(e, dirs); err != nil || !strings.HasPrefix(files.Caffemodel, second) {
		t.Fatal(files, err)
	}
	var damaged *fetch.CheckError
	if _, err := Find(e, dirs[:1]); !errors.As(err, &missing) { // no prototxt there at all
		t.Error(err)
	}
	put(t, "p", first, "models/net/a.prototxt")
	if _, err := Find(e, dirs[:1]); !errors.As(err, &damaged) || damaged.What != "sha256" {
		t.Error(err)
	}
}

func TestGet(t *testing.T) {
	if r, err := Get(ctx, "lenet5", fetch.Options{Dir: t.TempDir()}); err != nil || len(r) != 0 {
		t.Error(r, err)
	}
	if _, err := Get(ctx, "lenet6", fetch.Options{}); err == nil || !strings.Contains(err.Error(), `did you mean "lenet5"`) {
		t.Error(err)
	}
	// Both files are named at once, with their place.
	dir := t.TempDir()
	_, err := Get(ctx, "resnet18-imagenet", fetch.Options{Dir: dir, Offline: true})
	var manual *fetch.ManualError
	if !errors.As(err, &manual) {
		t.Fatal(err)
	}
	for _, want := range []string{"md5 0904d601fc930d4f0c62a2a95b3c3b93", filepath.Join(dir, "models", "resnet18-imagenet", "resnet-18.caffemodel"), "deploy.prototxt"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %v", want, err)
		}
	}
}

// wrongServer answers every address with a page.
type wrongServer struct{ to string }

func (w wrongServer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host = "http", strings.TrimPrefix(w.to, "http://")
	return http.DefaultTransport.RoundTrip(r)
}

// A mirror that serves something else leaves nothing that Find would take.
func TestGetWrong(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("<html>")) }))
	defer server.Close()
	dir := t.TempDir()
	if _, err := Get(ctx, "lenet-mnist", fetch.Options{Dir: dir, Client: &http.Client{Transport: wrongServer{server.URL}}}); err == nil {
		t.Error("a web page was taken for a network")
	}
	e, _ := catalogue.Named("lenet-mnist")
	var missing *MissingError
	if _, err := Find(e, []string{dir}); !errors.As(err, &missing) {
		t.Error(err)
	}
}

func TestList(t *testing.T) {
	for _, l := range List(nil) {
		if l.Shipped != (l.State == "ships with bench") || !l.Shipped && l.State != "not on this machine" {
			t.Errorf("%s: %s", l.Name, l.State)
		}
		if err := Preprocess(l.Preprocess).Check(l.Input.C, l.Input.H, l.Input.W); err != nil {
			t.Errorf("%s: %v", l.Name, err)
		}
	}
}

func TestReal(t *testing.T) {
	data := os.Getenv("BENCH_DATA")
	if data == "" {
		t.Skip("BENCH_DATA is not set: the networks are not part of the repository")
	}
	dir := t.TempDir()
	r, err := Get(ctx, "lenet-mnist", fetch.Options{Dir: dir, From: filepath.Join(data, "models/article/lenet-mnist-caffe/lenet"), Offline: true})
	if err != nil || len(r) != 2 || r[1].Action != fetch.Imported {
		t.Fatal(r, err)
	}
	e, _ := catalogue.Named("lenet-mnist")
	if _, err := Find(e, []string{dir}); err != nil {
		t.Error(err)
	}
	if r, err = Get(ctx, "lenet-mnist", fetch.Options{Dir: dir, Offline: true}); err != nil || r[0].Action != fetch.Present {
		t.Error(r, err)
	}
}
