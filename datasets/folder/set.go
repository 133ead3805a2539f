// Package folder reads datasets that are picture files: a folder for each class,
// or a CSV of paths and labels. Pictures are JPEG or PNG and are decoded when they
// are asked for, so a set need not fit into memory.
//
// A picture that cannot be decoded is an error when it is asked for and never a
// silent gap. datasets.Check lists all such pictures of a set, and
// datasets.Select leaves them out under the eyes of whoever asked for that.
package folder

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io/fs"
	"runtime"
	"sync"

	"quantbench/datasets"
)

// Entry is one picture of a Set.
type Entry struct {
	Name  string // names the picture within the set, with slashes
	Label int
	// Read is the file's content. Safe for concurrent use.
	Read func() ([]byte, error)
	// Sum is the content's sha256; New computes it if it is zero.
	Sum [sha256.Size]byte
	sum func() ([sha256.Size]byte, error) // a shorter way to Sum; may be nil
}

// hash is the content's sha256.
func (e *Entry) hash() ([sha256.Size]byte, error) {
	if e.sum != nil {
		return e.sum()
	}
	data, err := e.Read()
	return sha256.Sum256(data), err
}

// Set is a dataset of picture files.
type Set struct {
	info    datasets.Info
	entries []Entry
	colour  bool
	readers sync.Pool // of *reader
}

var _ datasets.Dataset = (*Set)(nil)

// New makes a dataset of entries, in order. Every file is read once for its
// sha256. info.Len and info.Digest are filled in: the digest is RangeDigest of all.
// If info.Channels is 3, grey pictures become coloured ones of three equal planes.
func New(ctx context.Context, info datasets.Info, entries []Entry) (*Set, error) {
	if len(entries) == 0 {
		return nil, fmt.Errorf("%s/%s: there is no picture", info.Name, info.Split)
	}
	for _, e := range entries {
		if e.Label < 0 || e.Label >= len(info.Classes) {
			return nil, fmt.Errorf("%s: label %d, but there are %d classes (0 to %d)", e.Name, e.Label, len(info.Classes), len(info.Classes)-1)
		}
	}
	s := &Set{info: info, entries: entries, colour: info.Channels == 3}
	s.info.Len = len(entries)
	if err := s.sum(ctx); err != nil {
		return nil, err
	}
	digest, err := s.RangeDigest(ctx, 0, len(entries))
	s.info.Digest = digest
	return s, err
}

// sum fills in the sums of files, several at a time.
func (s *Set) sum(ctx context.Context) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	work := make(chan int)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := range work {
				e := &s.entries[i]
				sum, err := e.hash()
				if err != nil {
					stop(fmt.Errorf("%s: %w", e.Name, err))
					continue
				}
				e.Sum = sum
			}
		})
	}
	for i := range s.entries {
		if ctx.Err() != nil {
			break
		}
		if s.entries[i].Sum == [sha256.Size]byte{} {
			work <- i
		}
	}
	close(work)
	wg.Wait()
	return context.Cause(ctx)
}

// Info describes the set.
func (s *Set) Info() datasets.Info { return s.info }

// Picture decodes picture i.
func (s *Set) Picture(ctx context.Context, i int) (datasets.Picture, error) {
	if err := ctx.Err(); err != nil {
		return datasets.Picture{}, err
	}
	if i < 0 || i >= len(s.entries) {
		return datasets.Picture{}, s.outside(i)
	}
	id, data, err := s.read(i)
	if err != nil {
		return datasets.Picture{}, err
	}
	pic, err := Decode(id, data)
	return s.finish(pic, i), err
}

// read is the file of picture i, which must be the one that was summed.
func (s *Set) read(i int) (id string, data []byte, err error) {
	e := s.entries[i]
	id = s.info.Name + "/" + s.info.Split + "/" + e.Name
	if data, err = e.Read(); err != nil {
		return id, nil, fmt.Errorf("%s: %w", id, err)
	}
	if sha256.Sum256(data) != e.Sum {
		return id, nil, fmt.Errorf("%s: the file has changed since the set was opened", id)
	}
	return id, data, nil
}

// finish gives a decoded picture its label and the set's number of channels.
func (s *Set) finish(pic datasets.Picture, i int) datasets.Picture {
	if s.colour && pic.Channels == 1 && len(pic.Pixels) > 0 {
		pic = datasets.Coloured(pic)
	}
	pic.Label = s.entries[i].Label
	return pic
}

// FileSum is the sha256 of the file of picture i; false if there is no such.
func (s *Set) FileSum(i int) ([sha256.Size]byte, bool) {
	if i < 0 || i >= len(s.entries) {
		return [sha256.Size]byte{}, false
	}
	return s.entries[i].Sum, true
}

// Label is the class of picture i. The picture is not read.
func (s *Set) Label(i int) (int, error) {
	if i < 0 || i >= len(s.entries) {
		return 0, s.outside(i)
	}
	return s.entries[i].Label, nil
}

// ID is the name of picture i. The picture is not read.
func (s *Set) ID(i int) (string, error) {
	if i < 0 || i >= len(s.entries) {
		return "", s.outside(i)
	}
	return s.info.Name + "/" + s.info.Split + "/" + s.entries[i].Name, nil
}

func (s *Set) outside(i int) error {
	return fmt.Errorf("%s/%s: picture %d does not exist; the set has %d", s.info.Name, s.info.Split, i, len(s.entries))
}

// RangeDigest is the sha256, in hex, over the pictures from (included) to to
// (excluded): for each the sha256 of its file, then its label as a little-endian
// uint32. No picture is decoded.
func (s *Set) RangeDigest(_ context.Context, from, to int) (string, error) {
	h := sha256.New()
	for _, e := range s.entries[from:to] {
		h.Write(e.Sum[:])
		h.Write(binary.LittleEndian.AppendUint32(nil, uint32(e.Label)))
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// Entries are the pictures in order. Do not change them.
func (s *Set) Entries() []Entry { return s.entries }

// FileEntry is the entry of a file of fsys. A folder of Sums.FS remembers its sum.
func FileEntry(fsys fs.FS, name string, label int) Entry {
	e := Entry{Name: name, Label: label, Read: func() ([]byte, error) { return fs.ReadFile(fsys, name) }}
	if f, ok := fsys.(*sumFS); ok {
		e.sum = func() ([sha256.Size]byte, error) { return f.Sum(name) }
	}
	return e
}
