package folder

import (
	"crypto/sha256"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"quantbench/datasets"
)

// shelf is a folder of two classes with a file of an old time of change in each.
func shelf(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"a/1.png": "one", "b/2.png": "two"} {
		put(t, filepath.Join(dir, name), text, time.Now().Add(-time.Hour))
	}
	return dir
}

func put(t *testing.T, file, text string, changed time.Time) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(file, changed, changed); err != nil {
		t.Fatal(err)
	}
}

// counted counts the files that are read.
type counted struct {
	fs.FS
	n int
}

func (c *counted) Open(name string) (fs.File, error) { c.n++; return c.FS.Open(name) }

func (c *counted) Stat(name string) (fs.FileInfo, error) { return fs.Stat(c.FS, name) }

// reads opens the shelf as a set with what s remembers, and says how many files
// were read for their sums, and the set's digest.
func reads(t *testing.T, s *Sums, dir string) (int, string) {
	t.Helper()
	f := s.at(dir)
	c := &counted{FS: os.DirFS(dir)}
	f.FS = c
	entries := []Entry{FileEntry(f, "a/1.png", 0), FileEntry(f, "b/2.png", 1)}
	set, err := New(ctx, datasets.Info{Name: "x", Split: "test", Classes: []string{"a", "b"}}, entries)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Save(); err != nil {
		t.Fatal(err)
	}
	return c.n, set.Info().Digest
}

// A file is read again only if its size or time of change is another, or so new
// that it could change unseen.
func TestSums(t *testing.T) {
	dir, memory := shelf(t), filepath.Join(t.TempDir(), "not", "there")
	first, digest := reads(t, NewSums(memory), dir)
	if first != 2 {
		t.Errorf("%d files read at first", first)
	}
	expect := func(what string, want int, same bool) {
		t.Helper()
		n, d := reads(t, NewSums(memory), dir)
		if n != want || (d == digest) != same {
			t.Errorf("%s: %d files read, want %d; the digest is the same: %v", what, n, want, d == digest)
		}
		digest = d
	}
	expect("nothing changed", 0, true)
	put(t, filepath.Join(dir, "a/1.png"), "ONE", time.Now().Add(-time.Minute))
	expect("another time", 1, false)
	expect("nothing changed again", 0, true)
	put(t, filepath.Join(dir, "a/1.png"), "longer", time.Now().Add(-time.Minute))
	expect("another size", 1, false)
	put(t, filepath.Join(dir, "b/2.png"), "TWO", time.Now())
	expect("just written", 1, false)
	expect("just written, seen before", 1, true)
	files, err := filepath.Glob(filepath.Join(memory, "*.sums"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	for _, damage := range []string{"", "x", "quantbench sums 1 \"/elsewhere\"\n"} {
		if err := os.WriteFile(files[0], []byte(damage), 0o644); err != nil {
			t.Fatal(err)
		}
		expect("damaged", 2, true)
	}
	// The file was written again; one torn line costs one file.
	put(t, filepath.Join(dir, "b/2.png"), "TWO", time.Now().Add(-time.Minute))
	reads(t, NewSums(memory), dir)
	whole, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(files[0], whole[:len(whole)-4], 0o644); err != nil {
		t.Fatal(err)
	}
	expect("torn", 1, true)
}

func TestNoSums(t *testing.T) {
	var s *Sums
	dir := shelf(t)
	if _, ok := s.FS(dir).(*sumFS); ok || s.Save() != nil {
		t.Error("nil remembers")
	}
	sum, err := s.Member("x.tar", nil, "m", strings.NewReader("abc"))
	if err != nil || sum != sha256.Sum256([]byte("abc")) {
		t.Errorf("%x %v", sum, err)
	}
	set, err := Tree(ctx, "x", "test", NewSums(t.TempDir()).FS(dir))
	if err != nil || set.Info().Len != 2 {
		t.Error(err)
	}
}

// The sum of an archive's member is remembered with the archive's size and time.
func TestMember(t *testing.T) {
	dir, memory := t.TempDir(), t.TempDir()
	file := filepath.Join(dir, "x.tar")
	put(t, file, "archive", time.Now().Add(-time.Hour))
	member := func() int {
		s := NewSums(memory)
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		r := strings.NewReader("abc")
		sum, err := s.Member(file, info, "m.png", r)
		if err != nil || sum != sha256.Sum256([]byte("abc")) {
			t.Errorf("%x %v", sum, err)
		}
		if err := s.Save(); err != nil {
			t.Fatal(err)
		}
		return 3 - r.Len()
	}
	if a, b := member(), member(); a != 3 || b != 0 {
		t.Errorf("%d, then %d bytes read", a, b)
	}
	put(t, file, "changed", time.Now().Add(-time.Minute))
	if n := member(); n != 3 {
		t.Errorf("%d bytes of the changed archive read", n)
	}
}

func FuzzSums(f *testing.F) {
	f.Add(formatSums("/a", map[string]remembered{"x \n\"": {stat{1, 2}, [32]byte{3}}}))
	f.Fuzz(func(t *testing.T, data []byte) {
		known := parseSums("/a", data)
		again := parseSums("/a", formatSums("/a", known))
		if len(again) != len(known) {
			t.Fatalf("%d, then %d names", len(known), len(again))
		}
		for name, r := range known {
			if again[name] != r {
				t.Errorf("%q does not read back", name)
			}
		}
	})
}
