// Package idx reads the idx files of the MNIST family: one file of pictures
// (magic number 0x803) and one of labels (0x801), plain or gzipped.
//
// A file must hold exactly what its header promises; a byte too few or too many
// is an error, since both have been seen in broken downloads.
package idx

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"quantbench/datasets"
)

// The magic numbers: unsigned bytes in one or three dimensions.
const (
	magicLabels   = 0x801
	magicPictures = 0x803
)

// maxBytes bounds what a gzipped file may grow to (MNIST's largest has 47 MB).
const maxBytes = 1 << 29

// Pictures is the content of a file of pictures: N of H x W grey bytes each.
type Pictures struct {
	N, H, W int
	Pixels  []byte // N*H*W
}

// Open reads a dataset from a file of pictures and a file of labels. classes
// names the labels from 0 on; a label beyond is an error.
func Open(name, split, pictures, labels string, classes []string) (datasets.Dataset, error) {
	p, err := os.ReadFile(pictures)
	if err != nil {
		return nil, err
	}
	l, err := os.ReadFile(labels)
	if err != nil {
		return nil, err
	}
	return Decode(name, split, File{pictures, p}, File{labels, l}, classes)
}

// File is the content of a file and the name that errors give it.
type File struct {
	Name string
	Data []byte
}

// Decode is Open for files that are in memory.
func Decode(name, split string, pictures, labels File, classes []string) (datasets.Dataset, error) {
	p, err := ParsePictures(pictures.Name, pictures.Data)
	if err != nil {
		return nil, err
	}
	l, err := ParseLabels(labels.Name, labels.Data)
	if err != nil {
		return nil, err
	}
	if p.N != len(l) {
		return nil, fmt.Errorf("%s: %d pictures, but %s has %d labels; the files do not belong together", pictures.Name, p.N, labels.Name, len(l))
	}
	m, err := datasets.NewMemory(datasets.Info{Name: name, Split: split, Classes: classes}, 1, p.H, p.W, p.Pixels, l)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", labels.Name, err)
	}
	return m, nil
}

// ParsePictures reads a file of pictures, plain or gzipped.
func ParsePictures(file string, data []byte) (Pictures, error) {
	dim, body, err := parse(file, data, magicPictures, 3)
	if err != nil {
		return Pictures{}, err
	}
	return Pictures{dim[0], dim[1], dim[2], body}, nil
}

// ParseLabels reads a file of labels, plain or gzipped.
func ParseLabels(file string, data []byte) ([]byte, error) {
	_, body, err := parse(file, data, magicLabels, 1)
	return body, err
}

// parse checks the header of n dimensions and returns them with the content.
func parse(file string, data []byte, magic uint32, n int) ([]int, []byte, error) {
	data, err := Unzip(file, data)
	if err != nil {
		return nil, nil, err
	}
	header := 4 + 4*n
	if len(data) < header {
		return nil, nil, fmt.Errorf("%s: %d bytes are less than the idx header's %d; the file is cut off", file, len(data), header)
	}
	if m := binary.BigEndian.Uint32(data); m != magic {
		return nil, nil, fmt.Errorf("%s: magic number %#08x instead of %#08x; %s", file, m, magic, hint(m))
	}
	dim, want := make([]int, n), uint64(1)
	for i := range dim {
		d := binary.BigEndian.Uint32(data[4+4*i:])
		if d == 0 || uint64(d) > maxBytes || want*uint64(d) > maxBytes {
			return nil, nil, fmt.Errorf("%s: dimension %d is %d, which no picture set has; the header is damaged", file, i, d)
		}
		dim[i] = int(d)
		want *= uint64(d)
	}
	if got := uint64(len(data) - header); got != want {
		return nil, nil, fmt.Errorf("%s: the header %v promises %d bytes, %d follow; the file is damaged, get it again", file, dim, want, got)
	}
	return dim, data[header:], nil
}

func hint(magic uint32) string {
	switch magic {
	case magicLabels:
		return "this is a file of labels"
	case magicPictures:
		return "this is a file of pictures"
	}
	return "this is no idx file of bytes"
}

// Unzip returns data as it is, or what it holds if it is gzipped.
func Unzip(file string, data []byte) ([]byte, error) {
	if len(data) < 2 || data[0] != 0x1f || data[1] != 0x8b {
		return data, nil
	}
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("%s: gzip header: %w", file, err)
	}
	out, err := io.ReadAll(io.LimitReader(z, maxBytes+1))
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, fmt.Errorf("%s: the gzip data ends early after %d bytes of content; the download is cut off, get it again", file, len(out))
	}
	if err != nil {
		return nil, fmt.Errorf("%s: gzip data after %d bytes of content: %w", file, len(out), err)
	}
	if len(out) > maxBytes {
		return nil, fmt.Errorf("%s: more than %d bytes when unpacked; this is no picture set", file, maxBytes)
	}
	return out, nil
}
