package decoded

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// DefaultLimit is the space that a Cache takes if nothing else is said: enough
// for ImageNet's 50,000 pictures at two sizes.
const DefaultLimit = 20 << 30

// reserve is the space that a Cache leaves free on its disk.
const reserve = 1 << 30

// Cache is a folder of files of decoded pictures, whose sizes add up to no more
// than a limit: the files that were not used for longest go first.
type Cache struct {
	dir   string
	limit int64
}

// NewCache uses a folder, which is made when it is needed. A limit of 0 keeps
// nothing.
func NewCache(dir string, limit int64) *Cache { return &Cache{dir, limit} }

// Dir is the cache's folder.
func (c *Cache) Dir() string { return c.dir }

const suffix = ".pictures"

// LimitError says that a set is not kept.
type LimitError struct {
	Needed, Limit int64 // bytes
	// Disk means that the disk, not the cache's own limit, is too small.
	Disk bool
}

// Error says how much is missing of what.
func (e *LimitError) Error() string {
	what := "the limit for decoded pictures is"
	if e.Disk {
		what = "the disk has room for"
	}
	return fmt.Sprintf("the decoded pictures take %s, and %s %s; they are decoded anew for each cell", Size(e.Needed), what, Size(max(e.Limit, 0)))
}

// Open opens the file of a set, or makes it, after the files that were not used
// for longest have made room. *LimitError if there is not enough.
func (c *Cache) Open(s Set, fill Maker) (*File, error) {
	path := filepath.Join(c.dir, fmt.Sprintf("%.32s%s", s.Key, suffix))
	if s.Bytes() > c.limit {
		return nil, &LimitError{Needed: s.Bytes(), Limit: c.limit}
	}
	if err := os.MkdirAll(c.dir, 0o755); err != nil {
		return nil, err
	}
	if err := c.makeRoom(s, path); err != nil {
		return nil, err
	}
	f, err := openFile(path, s, fill)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	return f, errors.Join(os.Chtimes(path, now, now))
}

// makeRoom removes other files until the set fits.
func (c *Cache) makeRoom(s Set, path string) error {
	list, err := c.List()
	if err != nil {
		return err
	}
	slices.SortFunc(list, func(a, b Entry) int { return a.Used.Compare(b.Used) })
	total, there := s.Bytes(), int64(0)
	for _, e := range list {
		if e.Path == path {
			there = e.Held()
			continue
		}
		total += e.Bytes
	}
	for _, e := range list {
		if total <= c.limit {
			break
		}
		if e.Path == path {
			continue
		}
		if os.Remove(e.Path) == nil { // one that is in use cannot be removed everywhere
			total -= e.Bytes
		}
	}
	if total > c.limit {
		return &LimitError{Needed: s.Bytes(), Limit: c.limit - (total - s.Bytes())}
	}
	if free, ok := freeSpace(c.dir); ok && s.Bytes()-there > free-reserve {
		return &LimitError{Needed: s.Bytes() - there, Limit: free - reserve, Disk: true}
	}
	return nil
}

// Entry is one file of a Cache.
type Entry struct {
	Path string
	Set  Set // zero if the file cannot be read
	// Kept is how many of the set's pictures are there.
	Kept  int
	Bytes int64 // when it is full
	Used  time.Time
}

// Held is about how many bytes of the disk the file takes.
func (e Entry) Held() int64 {
	if e.Set.Pictures == 0 {
		return e.Bytes
	}
	return e.Set.pixelsAt() + int64(e.Kept)*int64(e.Set.Size)
}

// List are the files of the cache, by path.
func (c *Cache) List() ([]Entry, error) {
	files, err := os.ReadDir(c.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var list []Entry
	for _, f := range files {
		if filepath.Ext(f.Name()) != suffix {
			continue
		}
		if info, err := f.Info(); err == nil {
			list = append(list, describe(filepath.Join(c.dir, f.Name()), info))
		}
	}
	slices.SortFunc(list, func(a, b Entry) int { return cmp.Compare(a.Path, b.Path) })
	return list, err
}

func describe(path string, info fs.FileInfo) Entry {
	e := Entry{Path: path, Bytes: info.Size(), Used: info.ModTime()}
	f, err := os.Open(path)
	if err != nil {
		return e
	}
	defer f.Close()
	head := make([]byte, headerSize)
	if _, err := f.ReadAt(head, 0); err != nil {
		return e
	}
	s, ok := parseHeader(head)
	if !ok || s.Bytes() != info.Size() {
		return e
	}
	e.Set = s
	marks := make([]byte, markSize*s.Pictures)
	if _, err := f.ReadAt(marks, headerSize); err != nil {
		return e
	}
	for ; len(marks) > 0; marks = marks[markSize:] {
		if binary.LittleEndian.Uint64(marks) != 0 {
			e.Kept++
		}
	}
	return e
}

// Clean removes every file of the cache and says how many bytes they took.
func (c *Cache) Clean() (int64, error) {
	list, err := c.List()
	if err != nil {
		return 0, err
	}
	freed := int64(0)
	for _, e := range list {
		if err := os.Remove(e.Path); err != nil {
			return freed, err
		}
		freed += e.Held()
	}
	return freed, nil
}

// Size writes a number of bytes for people: "7.5 GB", of 10^9 bytes.
func Size(n int64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.0f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.0f kB", float64(n)/1e3)
}
