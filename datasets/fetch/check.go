package fetch

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"os"
)

// CheckError says that a file is not the one of the catalogue.
type CheckError struct {
	Path      string
	What      string // "size", "md5" or "sha256"
	Got, Want string
}

// Error is "path: md5 is X instead of Y".
func (e *CheckError) Error() string {
	return fmt.Sprintf("%s: %s is %s instead of %s; the file is damaged, cut off or another one", e.Path, e.What, e.Got, e.Want)
}

// Check compares the file at path with size and checksums: nil, a *CheckError, or
// the error of reading it (fs.ErrNotExist if it is not there).
func (f File) Check(path string) error {
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no file", path)
	}
	if f.Size > 0 && info.Size() != f.Size {
		return &CheckError{path, "size", fmt.Sprint(info.Size()), fmt.Sprint(f.Size)}
	}
	s := f.sums()
	if _, err := io.Copy(s, in); err != nil {
		return err
	}
	return s.compare(path)
}

// sums hashes what is written to it.
type sums struct {
	file        File
	md5, sha256 hash.Hash
}

func (f File) sums() *sums { return &sums{f, md5.New(), sha256.New()} }

// Write hashes only what will be compared.
func (s *sums) Write(p []byte) (int, error) {
	if s.file.MD5 != "" {
		s.md5.Write(p)
	}
	if s.file.SHA256 != "" {
		s.sha256.Write(p)
	}
	return len(p), nil
}

func (s *sums) compare(path string) error {
	if got := hex.EncodeToString(s.md5.Sum(nil)); s.file.MD5 != "" && got != s.file.MD5 {
		return &CheckError{path, "md5", got, s.file.MD5}
	}
	if got := hex.EncodeToString(s.sha256.Sum(nil)); s.file.SHA256 != "" && got != s.file.SHA256 {
		return &CheckError{path, "sha256", got, s.file.SHA256}
	}
	return nil
}
