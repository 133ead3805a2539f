package imagenet

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"

	"quantbench/datasets/folder"
)

// source is a file that can be read in two ways, as *os.File.
type source interface {
	io.ReadSeeker
	io.ReaderAt
}

// maxFile bounds one picture's file.
const maxFile = 1 << 28

// Tar lists the pictures of a tar, whose file must stay open as long as they are
// read; file names it in errors. The whole tar is read once, for the sums; sums,
// if not nil, remembers them. Labels are 0.
func Tar(file string, f source, sums *folder.Sums) ([]folder.Entry, error) {
	r := tar.NewReader(f)
	info := stat(f)
	var entries []folder.Entry
	seen := map[string]bool{}
	for {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, tarError(file, "a member's header", err)
		}
		name := path.Base(h.Name)
		if h.Typeflag != tar.TypeReg || !folder.IsPicture(name) {
			continue
		}
		if h.Size > maxFile {
			return nil, fmt.Errorf("%s: %s has %d bytes; up to %d are read", file, name, h.Size, maxFile)
		}
		if seen[name] {
			return nil, fmt.Errorf("%s: %s is there twice", file, name)
		}
		seen[name] = true
		at, err := f.Seek(0, io.SeekCurrent)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		sum, err := sums.Member(file, info, name, r)
		if err != nil {
			return nil, tarError(file, name, err)
		}
		e := folder.Entry{Name: name, Sum: sum, Read: func() ([]byte, error) {
			data := make([]byte, h.Size)
			_, err := f.ReadAt(data, at)
			return data, err
		}}
		entries = append(entries, e)
	}
	if len(entries) == 0 {
		return nil, fmt.Errorf("%s: the tar has no picture", file)
	}
	return entries, nil
}

// stat describes an open file; nil if it is none.
func stat(f source) fs.FileInfo {
	if s, ok := f.(interface{ Stat() (fs.FileInfo, error) }); ok {
		if info, err := s.Stat(); err == nil {
			return info
		}
	}
	return nil
}

func tarError(file, where string, err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%s: the tar ends inside %s; the download is cut off, get it again", file, where)
	}
	return fmt.Errorf("%s: %s cannot be read: %w", file, where, err)
}
