package fetch

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

var (
	ctx     = context.Background()
	content = bytes.Repeat([]byte("0123456789abcdef"), 1<<13) // 128 KiB
)

func file(mirrors ...string) File {
	m, s := md5.Sum(content), sha256.Sum256(content)
	return File{Name: "set/a.gz", Size: int64(len(content)), MD5: hex.EncodeToString(m[:]), SHA256: hex.EncodeToString(s[:]), Mirrors: mirrors}
}

// server answers with f and notes the Range headers.
type server struct {
	*httptest.Server
	mu     sync.Mutex
	ranges []string
}

func serve(t *testing.T, f http.HandlerFunc) *server {
	t.Helper()
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.ranges = append(s.ranges, r.Header.Get("Range"))
		s.mu.Unlock()
		f(w, r)
	}))
	s.Config.ErrorLog = nil
	t.Cleanup(s.Close)
	return s
}

func honest(data []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"one"`)
		http.ServeContent(w, r, "a.gz", time.Time{}, bytes.NewReader(data))
	}
}

// cuts sends at most n bytes of what is asked for, and breaks the connection.
func cuts(n int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		start := 0
		if s, ok := strings.CutPrefix(r.Header.Get("Range"), "bytes="); ok {
			start, _ = strconv.Atoi(strings.TrimSuffix(s, "-"))
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", start, len(content)-1, len(content)))
			w.Header().Set("Content-Length", strconv.Itoa(len(content)-start))
			w.WriteHeader(http.StatusPartialContent)
		} else {
			w.Header().Set("Content-Length", strconv.Itoa(len(content)))
		}
		w.Write(content[start:min(start+n, len(content))])
		if start+n < len(content) {
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}
	}
}

func get(t *testing.T, dir string, f File, o Options) (Result, error) {
	t.Helper()
	o.Dir = dir
	r, err := Get(ctx, []File{f}, o)
	if err != nil {
		return Result{}, err
	}
	got, rerr := os.ReadFile(filepath.Join(dir, "set", "a.gz"))
	if rerr != nil || !bytes.Equal(got, content) {
		t.Errorf("content differs: %v", rerr)
	}
	return r[0], nil
}

// onlyFile checks that nothing but the file is left.
func onlyFile(t *testing.T, dir string) {
	t.Helper()
	list, _ := os.ReadDir(filepath.Join(dir, "set"))
	for _, f := range list {
		if f.Name() != "a.gz" {
			t.Errorf("%s is left", f.Name())
		}
	}
}

func TestDownload(t *testing.T) {
	s, dir := serve(t, honest(content)), t.TempDir()
	var last Progress
	r, err := get(t, dir, file(s.URL), Options{Progress: func(p Progress) {
		if p.Done < last.Done {
			t.Errorf("progress goes back: %+v", p)
		}
		last = p
	}})
	if err != nil || r.Action != Downloaded || r.Mirror != s.URL || last != (Progress{"set/a.gz", s.URL, 1 << 17, 1 << 17}) {
		t.Errorf("%+v %+v %v", r, last, err)
	}
	onlyFile(t, dir)
	if r, err := get(t, dir, file(), Options{Offline: true}); err != nil || r.Action != Present {
		t.Errorf("%+v %v", r, err)
	}
}

func TestMirrors(t *testing.T) {
	wrong := bytes.Clone(content)
	wrong[5]++
	good := serve(t, honest(content))
	for name, c := range map[string]struct {
		bad  http.HandlerFunc
		want string // of the error when there is no other mirror
	}{
		"not there":   {http.NotFound, "404"},
		"broken":      {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, "500"},
		"wrong bytes": {honest(wrong), "md5 is"},
		"web page":    {honest([]byte("<html>")), "a file of 6 bytes instead of 131072"},
		"longer":      {honest(append(content, 1)), "a file of 131073 bytes instead of 131072"},
		"says less": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			w.Write(content[:100])
		}, "a file of 100 bytes"},
		"says nothing": {func(w http.ResponseWriter, _ *http.Request) { w.(http.Flusher).Flush(); w.Write(content[:100]) }, "the connection ended after 100 of 131072 bytes"},
		"endless": {func(w http.ResponseWriter, _ *http.Request) {
			for i := 0; i < 100; i++ {
				if _, err := w.Write(content); err != nil {
					return
				}
			}
		}, "sends more than the 131072 bytes"},
		"unsatisfiable": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(416) }, "416"},
		"partial unasked": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Range", "bytes 7-9/10")
			w.WriteHeader(206)
		}, "cannot go on"},
		"silent": {func(w http.ResponseWriter, r *http.Request) {
			w.Write(content[:10])
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}, "nothing came for"},
	} {
		s := serve(t, c.bad)
		o := Options{Stall: 60 * time.Millisecond, Attempts: 2}
		dir := t.TempDir()
		r, err := get(t, dir, file(s.URL, good.URL), o)
		if err != nil || r.Mirror != good.URL {
			t.Errorf("%s: %+v %v", name, r, err)
		}
		onlyFile(t, dir)
		_, err = get(t, t.TempDir(), file(s.URL), o)
		var m *ManualError
		if !errors.As(err, &m) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "get it by hand from "+s.URL) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := get(t, t.TempDir(), file("http://127.0.0.1:1/none", "::bad"), Options{Attempts: 1}); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Error(err)
	}
}

func TestCutConnections(t *testing.T) {
	s, dir := serve(t, cuts(50000)), t.TempDir()
	r, err := get(t, dir, file(s.URL), Options{})
	if err != nil || r.Action != Resumed {
		t.Fatalf("%+v %v", r, err)
	}
	if len(s.ranges) != 3 || s.ranges[0] != "" || !strings.HasPrefix(s.ranges[2], "bytes=") {
		t.Errorf("ranges %q", s.ranges)
	}
	onlyFile(t, dir)
}

func TestResumeInAnotherRun(t *testing.T) {
	s, dir := serve(t, cuts(30000)), t.TempDir()
	dead := serve(t, http.NotFound)
	f := file(dead.URL, s.URL)
	if _, err := get(t, dir, f, Options{Attempts: 1}); err == nil {
		t.Fatal("one cut connection brought the file")
	}
	n := len(dead.ranges)
	r, err := get(t, dir, f, Options{Attempts: 9})
	if err != nil || r.Action != Resumed || s.ranges[1] == "" {
		t.Fatalf("%+v %v, ranges %q", r, err, s.ranges)
	}
	if len(dead.ranges) != n {
		t.Error("the mirror that the part is from was not asked first")
	}
	onlyFile(t, dir)
}

// plant leaves a part of the file as an earlier run did.
func plant(t *testing.T, dir string, f File, data []byte, tag string) {
	t.Helper()
	os.MkdirAll(filepath.Join(dir, "set"), 0o755)
	p, err := openPart(filepath.Join(dir, "set", "a.gz"), f)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(p.use(f.Mirrors[0]), p.setETag(tag)); err != nil {
		t.Fatal(err)
	}
	p.Write(data)
	p.close()
}

func TestResumeRules(t *testing.T) {
	junk := bytes.Repeat([]byte("x"), 1000)
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		part    []byte
		tag     string
		want    Action
		asked   int
	}{
		"goes on":            {honest(content), content[:1000], `"one"`, Resumed, 1},
		"file has changed":   {honest(content), junk, `"old"`, Downloaded, 1},
		"wrong beginning":    {honest(content), junk, `"one"`, Downloaded, 2},
		"weak tag":           {honest(content), content[:1000], `W/"one"`, Resumed, 1},
		"no Range":           {func(w http.ResponseWriter, _ *http.Request) { w.Write(content) }, content[:1000], "", Downloaded, 1},
		"part too long":      {honest(content), append(bytes.Clone(content), junk...), "", Downloaded, 2},
		"part whole already": {honest(content), content, "", Downloaded, 2},
		"another range": {func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Range") != "" {
				w.Header().Set("Content-Range", "bytes 5-9/10")
				w.WriteHeader(206)
				return
			}
			w.Write(content)
		}, content[:1000], "", Downloaded, 2},
	} {
		s, dir := serve(t, c.handler), t.TempDir()
		f := file(s.URL)
		plant(t, dir, f, c.part, c.tag)
		r, err := get(t, dir, f, Options{})
		if err != nil || r.Action != c.want || len(s.ranges) != c.asked {
			t.Errorf("%s: %+v %v, asked %q", name, r, err, s.ranges)
		}
		onlyFile(t, dir)
	}
}

func TestNothingForeignIsTouched(t *testing.T) {
	s := serve(t, honest(content))
	other := file(s.URL)
	other.MD5 = strings.Repeat("0", 32)
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"another file":           {map[string]string{"a.gz": "mine"}, "size is 4 instead of 131072"},
		"a part without origin":  {map[string]string{"a.gz.part": "mine"}, "not from a download of this file"},
		"a part of another file": {map[string]string{"a.gz.part": "mine", "a.gz.part.json": `{"md5":"x"}`}, "not from a download"},
		"no JSON":                {map[string]string{"a.gz.part.json": "mine"}, "not from a download"},
	} {
		dir := t.TempDir()
		os.Mkdir(filepath.Join(dir, "set"), 0o755)
		for n, text := range c.files {
			os.WriteFile(filepath.Join(dir, "set", n), []byte(text), 0o644)
		}
		if _, err := get(t, dir, file(s.URL), Options{}); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "left as it is") {
			t.Errorf("%s: %v", name, err)
		}
		for n, text := range c.files {
			if got, _ := os.ReadFile(filepath.Join(dir, "set", n)); string(got) != text {
				t.Errorf("%s: %s is now %.20q", name, n, got)
			}
		}
	}
	dir := t.TempDir()
	os.MkdirAll(filepath.Join(dir, "set/a.gz"), 0o755)
	if _, err := get(t, dir, file(s.URL), Options{}); err == nil {
		t.Error("a folder was replaced")
	}
	// A file that appears during the download stays.
	dir = t.TempDir()
	late := serve(t, func(w http.ResponseWriter, r *http.Request) {
		os.WriteFile(filepath.Join(dir, "set/a.gz"), []byte("mine"), 0o644)
		honest(content)(w, r)
	})
	if _, err := Get(ctx, []File{file(late.URL)}, Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), "appeared meanwhile") {
		t.Error(err)
	}
	if got, _ := os.ReadFile(filepath.Join(dir, "set/a.gz")); string(got) != "mine" {
		t.Errorf("%.10q", got)
	}
}

func TestImport(t *testing.T) {
	for _, name := range []string{"set/a.gz", "a.gz"} {
		from, dir := t.TempDir(), t.TempDir()
		os.Mkdir(filepath.Join(from, "set"), 0o755)
		os.WriteFile(filepath.Join(from, name), content, 0o400)
		seen := int64(0)
		r, err := get(t, dir, file(), Options{From: from, Offline: true, Progress: func(p Progress) { seen = p.Done }})
		if err != nil || r.Action != Imported || r.Mirror != filepath.Join(from, name) || seen != 1<<17 {
			t.Errorf("%s: %+v %v", name, r, err)
		}
		onlyFile(t, dir)
	}
	from := t.TempDir()
	_, err := get(t, t.TempDir(), file("http://x"), Options{From: from})
	var m *ManualError
	if !errors.As(err, &m) || !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	os.WriteFile(filepath.Join(from, "a.gz"), content[1:], 0o600)
	var c *CheckError
	if _, err := get(t, t.TempDir(), file(), Options{From: from}); !errors.As(err, &c) || c.What != "size" {
		t.Error(err)
	}
	os.WriteFile(filepath.Join(from, "a.gz"), content, 0o600)
	done, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := Get(done, []File{file()}, Options{Dir: t.TempDir(), From: from}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestOffline(t *testing.T) {
	dir := t.TempDir()
	_, err := get(t, dir, file("http://one", "http://two"), Options{Offline: true})
	var m *ManualError
	if !errors.As(err, &m) || m.Path != filepath.Join(dir, "set", "a.gz") {
		t.Fatal(err)
	}
	for _, want := range []string{"http://one or http://two", m.Path, "131072 bytes", "md5 " + m.File.MD5, "sha256 " + m.File.SHA256} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v has no %q", err, want)
		}
	}
	f := file()
	f.Manual = "register at the site"
	if _, err := get(t, dir, f, Options{}); err == nil || !strings.Contains(err.Error(), "by hand: register at the site, and put") {
		t.Error(err)
	}
}

func TestCancelKeepsThePart(t *testing.T) {
	done, cancel := context.WithCancel(ctx)
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Range") != "" {
			honest(content)(w, r)
			return
		}
		w.Header().Set("ETag", `"one"`)
		w.Write(content[:5000])
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	dir := t.TempDir()
	_, err := Get(done, []File{file(s.URL)}, Options{Dir: dir, Progress: func(Progress) { cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if r, err := get(t, dir, file(s.URL), Options{}); err != nil || r.Action != Resumed {
		t.Errorf("%+v %v", r, err)
	}
}

func TestBadEntries(t *testing.T) {
	for _, f := range []File{{Name: "../a", MD5: "x"}, {Name: "/a", MD5: "x"}, {Name: ".", MD5: "x"}, {Name: "a"}} {
		if _, err := Get(ctx, []File{f}, Options{Dir: t.TempDir()}); err == nil {
			t.Errorf("%+v fetched", f)
		}
	}
	blocked := filepath.Join(t.TempDir(), "file")
	os.WriteFile(blocked, nil, 0o600)
	if _, err := Get(ctx, []File{file("http://x")}, Options{Dir: blocked}); err == nil {
		t.Error("a file is no folder")
	}
	r, err := Get(ctx, []File{file("http://127.0.0.1:1")}, Options{Dir: t.TempDir(), Attempts: 1})
	if err == nil || len(r) != 0 {
		t.Error(r, err)
	}
}

func TestContentRange(t *testing.T) {
	for in, want := range map[string][2]int64{
		"bytes 100-199/200": {100, 200}, "bytes 100-199/*": {100, 0}, "": {-1, 0}, "bytes */200": {-1, 0}, "bytes x-1/2": {-1, 0}, "items 1-2/3": {-1, 0},
	} {
		if s, n := contentRange(in); s != want[0] || n != want[1] {
			t.Errorf("%q: %d %d", in, s, n)
		}
	}
}

func TestChecksumKinds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	os.WriteFile(path, content, 0o600)
	full := file()
	for _, f := range []File{{MD5: full.MD5}, {SHA256: full.SHA256}, full} {
		if err := f.Check(path); err != nil {
			t.Error(err)
		}
	}
	var what []string
	for _, f := range []File{{Size: 1}, {MD5: "0"}, {SHA256: "0"}} {
		var c *CheckError
		if errors.As(f.Check(path), &c) {
			what = append(what, c.What)
		}
	}
	if !slices.Equal(what, []string{"size", "md5", "sha256"}) {
		t.Error(what)
	}
}
