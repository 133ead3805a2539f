package decoded

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"sync/atomic"
)

// Set says which pictures a file holds.
type Set struct {
	// Key is the sha256, in hex, of everything that the bytes depend on: the files
	// of the pictures, their order, and how they become a network's input.
	Key string
	// Text says the same in words, for people.
	Text string
	// Pictures of Size bytes each.
	Pictures, Size int
}

// The layout of a file: a header, a mark of 8 bytes for each picture (the CRC-32C
// of its bytes in the lower half, and 1 above it if the picture is there), then
// the pictures from the next multiple of 4,096 on.
const (
	magic      = "QBPIX1\n"
	headerSize = 4096
	markSize   = 8
	present    = 1 << 32
	textSize   = 1024
)

func (s Set) pixelsAt() int64 {
	end := int64(headerSize) + markSize*int64(s.Pictures)
	return (end + headerSize - 1) / headerSize * headerSize
}

// Bytes is the size of the set's file when it is full.
func (s Set) Bytes() int64 { return s.pixelsAt() + int64(s.Pictures)*int64(s.Size) }

// header is the first headerSize bytes of the set's file.
func (s Set) header() []byte {
	text := s.Text[:min(len(s.Text), textSize)]
	b := make([]byte, 0, headerSize)
	b = append(b, magic...)
	b = append(b, fmt.Sprintf("%-64.64s", s.Key)...)
	b = binary.LittleEndian.AppendUint64(b, uint64(s.Pictures))
	b = binary.LittleEndian.AppendUint64(b, uint64(s.Size))
	b = binary.LittleEndian.AppendUint16(b, uint16(len(text)))
	b = append(b, text...)
	return b[:headerSize]
}

// parseHeader reads what header wrote.
func parseHeader(b []byte) (s Set, ok bool) {
	rest, ok := bytes.CutPrefix(b, []byte(magic))
	if !ok || len(b) < headerSize {
		return s, false
	}
	n, size := binary.LittleEndian.Uint64(rest[64:]), binary.LittleEndian.Uint64(rest[72:])
	text := int(binary.LittleEndian.Uint16(rest[80:]))
	if n > 1<<40 || size > 1<<40 || text > textSize {
		return s, false
	}
	return Set{string(bytes.TrimRight(rest[:64], " ")), string(rest[82 : 82+text]), int(n), int(size)}, true
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func mark(pixels []byte) uint64 { return present | uint64(crc32.Checksum(pixels, castagnoli)) }

// File are the pictures of a Set in a file that is filled while it is read.
type File struct {
	set    Set
	fill   Maker
	f      *os.File
	marks  []atomic.Uint64
	broken atomic.Pointer[error] // why nothing is written any more
}

var _ Pictures = (*File)(nil)

// openFile opens the set's file, or makes it. A file whose header is another's is
// replaced.
func openFile(path string, s Set, fill Maker) (*File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	c := &File{set: s, fill: fill, f: f, marks: make([]atomic.Uint64, s.Pictures)}
	if err := c.prepare(); err != nil {
		f.Close()
		return nil, err
	}
	return c, nil
}

// prepare reads the marks, or begins the file.
func (c *File) prepare() error {
	want, got := c.set.header(), make([]byte, headerSize)
	_, err := c.f.ReadAt(got, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	info, err := c.f.Stat()
	if err != nil {
		return err
	}
	if !bytes.Equal(got, want) || info.Size() != c.set.Bytes() {
		if err := c.f.Truncate(0); err != nil {
			return err
		}
		if err := c.f.Truncate(c.set.Bytes()); err != nil {
			return err
		}
		_, err := c.f.WriteAt(want, 0)
		return err
	}
	marks := make([]byte, markSize*c.set.Pictures)
	if _, err := c.f.ReadAt(marks, headerSize); err != nil {
		return err
	}
	for i := range c.marks {
		c.marks[i].Store(binary.LittleEndian.Uint64(marks[markSize*i:]))
	}
	return nil
}

// Read gives pictures from the file. Those that it does not hold yet are made,
// and written to it.
func (c *File) Read(ctx context.Context, from, to int, buf []byte) ([]byte, error) {
	size := c.set.Size
	buf = room(buf, (to-from)*size)
	if c.any(from, to) {
		if _, err := c.f.ReadAt(buf, c.set.pixelsAt()+int64(from)*int64(size)); err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%s: %w; `bench data clean` removes it", c.f.Name(), err)
		}
	}
	for i := from; i < to; i++ {
		pixels := buf[(i-from)*size:][:size]
		if m := c.marks[i].Load(); m != 0 && m == mark(pixels) {
			continue
		}
		if err := c.fill(ctx, i, pixels); err != nil {
			return nil, err
		}
		c.keep(i, pixels)
	}
	return buf, nil
}

// any reports whether one of the pictures is in the file.
func (c *File) any(from, to int) bool {
	for i := from; i < to; i++ {
		if c.marks[i].Load() != 0 {
			return true
		}
	}
	return false
}

// keep writes a picture, then its mark: whoever dies in between leaves no mark. A
// file that cannot be written (a full disk) is not written any more.
func (c *File) keep(i int, pixels []byte) {
	if c.broken.Load() != nil {
		return
	}
	m := mark(pixels)
	_, err := c.f.WriteAt(pixels, c.set.pixelsAt()+int64(i)*int64(c.set.Size))
	if err == nil {
		_, err = c.f.WriteAt(binary.LittleEndian.AppendUint64(nil, m), headerSize+markSize*int64(i))
	}
	if err != nil {
		c.broken.CompareAndSwap(nil, &err)
		return
	}
	c.marks[i].Store(m)
}

// Kept is how many pictures the file holds.
func (c *File) Kept() int {
	n := 0
	for i := range c.marks {
		if c.marks[i].Load() != 0 {
			n++
		}
	}
	return n
}

// Path is where the file is.
func (c *File) Path() string { return c.f.Name() }

// Err is why pictures could not be written; they were made again each time.
func (c *File) Err() error {
	if err := c.broken.Load(); err != nil {
		return *err
	}
	return nil
}

// Close closes the file.
func (c *File) Close() error { return c.f.Close() }
