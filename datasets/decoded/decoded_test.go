package decoded

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	count = 50
	size  = 700
)

// painter makes pictures and counts them.
type painter struct{ made atomic.Int64 }

func (p *painter) fill(_ context.Context, i int, dst []byte) error {
	p.made.Add(1)
	for k := range dst {
		dst[k] = byte(i*7 + k)
	}
	return nil
}

func set(key string) Set {
	return Set{Key: strings.Repeat(key, 64), Text: "made " + key, Pictures: count, Size: size}
}

func want(t *testing.T, from, to int) []byte {
	t.Helper()
	var p painter
	b, err := Fresh(size, p.fill).Read(context.Background(), from, to, nil)
	if err != nil || len(b) != (to-from)*size {
		t.Fatal(len(b), err)
	}
	return b
}

func check(t *testing.T, p Pictures, from, to int) {
	t.Helper()
	got, err := p.Read(context.Background(), from, to, make([]byte, 10))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want(t, from, to)) {
		t.Errorf("pictures %d to %d are wrong", from, to)
	}
}

func open(t *testing.T, c *Cache, s Set, p *painter) *File {
	t.Helper()
	f, err := c.Open(s, p.fill)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestMemory(t *testing.T) {
	for _, jobs := range []int{0, 1, 3} {
		var p painter
		m, err := Memory(context.Background(), count, size, jobs, p.fill)
		if err != nil {
			t.Fatal(err)
		}
		check(t, m, 0, count)
		check(t, m, 7, 9)
		if p.made.Load() != count {
			t.Errorf("%d jobs made %d pictures", jobs, p.made.Load())
		}
	}
	bad := errors.New("damaged")
	_, err := Memory(context.Background(), count, size, 2, func(_ context.Context, i int, _ []byte) error {
		if i == 33 {
			return bad
		}
		return nil
	})
	if !errors.Is(err, bad) {
		t.Errorf("a damaged picture: %v", err)
	}
}

// A picture is made once, whatever is read and by whoever; a file that is opened
// again goes on.
func TestFile(t *testing.T) {
	c := NewCache(filepath.Join(t.TempDir(), "a", "b"), 1<<20)
	var p painter
	f := open(t, c, set("1"), &p)
	check(t, f, 3, 10)
	check(t, f, 0, 20)
	if p.made.Load() != 20 || f.Kept() != 20 {
		t.Errorf("%d made, %d kept; want 20", p.made.Load(), f.Kept())
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	f = open(t, c, set("1"), &p)
	var wait sync.WaitGroup
	for from := 0; from < count; from += 10 {
		wait.Go(func() { check(t, f, from, from+10) })
	}
	wait.Wait()
	if p.made.Load() != count || f.Kept() != count {
		t.Errorf("%d made, %d kept; want %d", p.made.Load(), f.Kept(), count)
	}
	list, err := c.List()
	if err != nil || len(list) != 1 || list[0].Kept != count || list[0].Set != set("1") || list[0].Bytes != set("1").Bytes() {
		t.Errorf("list %+v, %v", list, err)
	}
	if freed, err := c.Clean(); err != nil || freed != set("1").Bytes() {
		t.Errorf("freed %d, %v", freed, err)
	}
	if list, _ := c.List(); len(list) != 0 {
		t.Errorf("left %+v", list)
	}
}

// What is damaged is made again: a picture, a mark, the header, a cut file, and a
// mark whose picture never reached the disk.
func TestDamage(t *testing.T) {
	s := set("2")
	damages := map[string]func(f *os.File) error{
		"picture": func(f *os.File) error { _, err := f.WriteAt([]byte("x"), s.pixelsAt()+5*size+3); return err },
		"mark":    func(f *os.File) error { _, err := f.WriteAt([]byte("x"), headerSize+5*markSize); return err },
		"header":  func(f *os.File) error { _, err := f.WriteAt([]byte("x"), 10); return err },
		"cut":     func(f *os.File) error { return f.Truncate(s.Bytes() - 10*size) },
		"empty":   func(f *os.File) error { return f.Truncate(0) },
		"hole": func(f *os.File) error {
			_, err := f.WriteAt(make([]byte, size), s.pixelsAt()+5*size)
			return err
		},
	}
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			c := NewCache(t.TempDir(), 1<<20)
			var p painter
			f := open(t, c, s, &p)
			check(t, f, 0, count)
			path := f.Path()
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
			raw, err := os.OpenFile(path, os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(damage(raw), raw.Close()); err != nil {
				t.Fatal(err)
			}
			before := p.made.Load()
			f = open(t, c, s, &p)
			check(t, f, 0, count)
			if p.made.Load() == before {
				t.Error("nothing was made again")
			}
			before = p.made.Load()
			check(t, f, 0, count)
			if p.made.Load() != before {
				t.Error("the file was not mended")
			}
		})
	}
}

// Files that were not used for longest make room, and a set that cannot fit is
// told with sizes.
func TestLimit(t *testing.T) {
	one := set("1").Bytes()
	c := NewCache(t.TempDir(), 2*one+10)
	var p painter
	for i, key := range []string{"1", "2"} {
		f := open(t, c, set(key), &p)
		check(t, f, 0, count)
		f.Close()
		used := time.Now().Add(time.Duration(i-10) * time.Hour)
		if err := os.Chtimes(f.Path(), used, used); err != nil {
			t.Fatal(err)
		}
	}
	open(t, c, set("3"), &p)
	list, err := c.List()
	if err != nil || len(list) != 2 || list[0].Set.Text != "made 2" || list[1].Set.Text != "made 3" {
		t.Errorf("%+v, %v", list, err)
	}
	var small *LimitError
	if _, err := NewCache(t.TempDir(), one-1).Open(set("1"), p.fill); !errors.As(err, &small) || !strings.Contains(err.Error(), "decoded anew") {
		t.Errorf("over the limit: %v", err)
	}
}

// A picture that cannot be made is an error of its reading, not of others.
func TestFillErrors(t *testing.T) {
	c := NewCache(t.TempDir(), 1<<20)
	var p painter
	bad := errors.New("damaged")
	f, err := c.Open(set("1"), func(ctx context.Context, i int, dst []byte) error {
		if i == 20 {
			return fmt.Errorf("picture %d: %w", i, bad)
		}
		return p.fill(ctx, i, dst)
	})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Read(context.Background(), 10, 30, nil); !errors.Is(err, bad) {
		t.Errorf("%v", err)
	}
	check(t, f, 10, 20)
	check(t, f, 21, 30)
	if f.Kept() != 19 {
		t.Errorf("%d kept", f.Kept())
	}
}

// A disk that takes no more costs time, not results.
func TestUnwritable(t *testing.T) {
	c := NewCache(t.TempDir(), 1<<20)
	var p painter
	f := open(t, c, set("1"), &p)
	check(t, f, 0, 5)
	read, err := os.Open(f.Path())
	if err != nil {
		t.Fatal(err)
	}
	f.f.Close()
	f.f = read
	check(t, f, 0, count)
	check(t, f, 0, count)
	if f.Err() == nil || f.Kept() != 5 {
		t.Errorf("%d kept, %v", f.Kept(), f.Err())
	}
}

func FuzzHeader(f *testing.F) {
	f.Add(set("1").header())
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, ok := parseHeader(b)
		if ok && len(s.Text) > textSize {
			t.Error("too long a text")
		}
		if ok && !bytes.Equal(s.header()[:len(magic)+64], append([]byte(magic), []byte(fmt.Sprintf("%-64.64s", s.Key))...)) {
			t.Error("the key does not read back")
		}
	})
}

func TestSize(t *testing.T) {
	for n, want := range map[int64]string{7_534_000_000: "7.5 GB", 12_600_000: "13 MB", 4500: "4 kB"} {
		if got := Size(n); got != want {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
	}
}
