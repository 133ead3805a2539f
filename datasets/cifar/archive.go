package cifar

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"

	"quantbench/datasets"
)

// The md5 sums of the official archives, as their makers publish them.
const (
	PythonMD5 = "c58f30108f718f92721af3b95e74349a"
	BinaryMD5 = "c32a1d4ab5d03f1284b67883e8d87530"
)

// Limits on what an archive may unpack to.
const (
	maxMember  = 1 << 27
	maxArchive = 1 << 30
)

// OpenArchive reads a split from one of the official archives,
// cifar-10-python.tar.gz and cifar-10-binary.tar.gz, without unpacking it to
// disk. An archive with another md5 sum is refused.
func OpenArchive(split, file string) (datasets.Dataset, error) {
	return openArchive(split, file, []string{PythonMD5, BinaryMD5})
}

func openArchive(split, file string, sums []string) (datasets.Dataset, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	h := md5.New()
	tee := io.TeeReader(bufio.NewReaderSize(f, 1<<20), h)
	parts, err := readArchive(split, file, tee)
	if err != nil {
		return nil, err
	}
	if _, err := io.Copy(io.Discard, tee); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if got := hex.EncodeToString(h.Sum(nil)); !slices.Contains(sums, got) {
		return nil, fmt.Errorf("%s: md5 is %s, CIFAR-10's archives have %s; the download is damaged or of something else, get it again", file, got, strings.Join(sums, " or "))
	}
	return join(split, parts)
}

// members are the files of a split, in order, without ".bin".
func members(split string) []string {
	switch split {
	case "test":
		return []string{"test_batch"}
	case "train":
		return []string{"data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5"}
	}
	return nil
}

// readArchive decodes the split's members of a tar.gz, in any order.
func readArchive(split, file string, r io.Reader) ([]records, error) {
	want := members(split)
	if want == nil {
		return nil, fmt.Errorf("cifar10: split %q is unknown; write test or train", split)
	}
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, fmt.Errorf("%s: this is no gzip file: %w", file, err)
	}
	parts := make([]records, len(want))
	archive := tar.NewReader(&limited{z, maxArchive})
	for {
		h, err := archive.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, cut(file, "a member's header", err)
		}
		i := slices.Index(want, strings.TrimSuffix(path.Base(h.Name), ".bin"))
		if i < 0 || h.Typeflag != tar.TypeReg {
			continue
		}
		if parts[i].labels != nil {
			return nil, fmt.Errorf("%s: %s is there twice", file, want[i])
		}
		if parts[i], err = readMember(file, h, archive); err != nil {
			return nil, err
		}
	}
	for i, p := range parts {
		if p.labels == nil {
			return nil, fmt.Errorf("%s: the archive has no %s; this is not CIFAR-10", file, want[i])
		}
	}
	return parts, nil
}

func readMember(file string, h *tar.Header, r io.Reader) (records, error) {
	if h.Size > maxMember {
		return records{}, fmt.Errorf("%s: %s has %d bytes; a batch of CIFAR-10 has 31 MB", file, h.Name, h.Size)
	}
	data := make([]byte, 0, min(h.Size, 1<<25))
	buf := make([]byte, 1<<16)
	for {
		n, err := r.Read(buf)
		data = append(data, buf[:n]...)
		if err == io.EOF {
			return decode(File{file + ":" + h.Name, data})
		}
		if err != nil {
			return records{}, cut(file, fmt.Sprintf("%s (%d of %d bytes)", h.Name, len(data), h.Size), err)
		}
	}
}

// cut words an error of the archive's formats.
func cut(file, where string, err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%s: the archive ends inside %s; the download is cut off, get it again", file, where)
	}
	return fmt.Errorf("%s: %s cannot be read, the archive is damaged: %w", file, where, err)
}

// limited is a reader that fails when left bytes were read and more come.
type limited struct {
	r    io.Reader
	left int64
}

func (l *limited) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return 0, errors.New("it unpacks to more than CIFAR-10 has")
	}
	return n, err
}
