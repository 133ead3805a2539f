// Command gen makes the embedded files of package fashionmnist from the four
// original ones: it copies the test set as it is, and cuts the first 2,000
// pictures and labels out of the training set into idx files of their own. The
// gzip headers are empty, so that the same Go release gives the same bytes.
package main

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

const keep = 2000

func main() {
	from := flag.String("from", "/usr/share/datasets/fashion-mnist", "folder of the original files")
	to := flag.String("to", ".", "folder to write to")
	flag.Parse()
	if err := run(*from, *to); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(from, to string) error {
	for _, f := range []string{"t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"} {
		b, err := os.ReadFile(filepath.Join(from, f))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(to, f), b, 0o644); err != nil {
			return err
		}
	}
	if err := cut(from, to, "images-idx3-ubyte.gz", 16, 28*28); err != nil {
		return err
	}
	return cut(from, to, "labels-idx1-ubyte.gz", 8, 1)
}

// cut writes the first records of a training file, with the count in its header changed.
func cut(from, to, name string, header, record int) error {
	f, err := os.Open(filepath.Join(from, "train-"+name))
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	data := make([]byte, header+keep*record)
	if _, err := io.ReadFull(z, data); err != nil {
		return err
	}
	binary.BigEndian.PutUint32(data[4:], keep)
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := w.Write(data); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(to, "train2000-"+name), out.Bytes(), 0o644)
}
