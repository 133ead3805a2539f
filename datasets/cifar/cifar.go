// Package cifar reads CIFAR-10 in both of its forms, loose files or archives:
// binary files of records (one label byte and 3072 bytes, the red, green and blue
// planes of 32 x 32 pixels), and Python pickles of the same numbers.
//
// A file may hold any number of whole records, so an honest part of the set is
// a dataset too; a part of a record is refused. Archives must be the official
// ones, by their md5 sums.
package cifar

import (
	"fmt"
	"os"
	"strings"

	"quantbench/datasets"
)

const (
	side   = 32
	pixels = 3 * side * side
	record = 1 + pixels
	// batch is how many pictures each of the six official files has.
	batch = 10000
)

// Classes are the class names of CIFAR-10 by label.
func Classes() []string {
	return []string{"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"}
}

// File is the content of a file and the name that errors give it.
type File struct {
	Name string
	Data []byte
}

// records are the content of one file.
type records struct {
	pixels, labels []byte
}

// Decode makes a dataset of the pictures of the files, in order. A file is a
// binary one if its name ends in .bin or its first byte is a label; any other is
// read as a pickle.
func Decode(split string, files ...File) (datasets.Dataset, error) {
	parts := make([]records, len(files))
	for i, f := range files {
		var err error
		if parts[i], err = decode(f); err != nil {
			return nil, err
		}
	}
	return join(split, parts)
}

func decode(f File) (records, error) {
	if len(f.Data) > 0 && strings.IndexByte("\x80(}]", f.Data[0]) >= 0 && !strings.HasSuffix(f.Name, ".bin") {
		return decodePickle(f)
	}
	return decodeBinary(f)
}

func decodeBinary(f File) (r records, err error) {
	n := len(f.Data) / record
	if rest := len(f.Data) % record; rest != 0 || n == 0 {
		return r, fmt.Errorf("%s: %d bytes are %d records of %d bytes and %d bytes more; the file is cut off or not in CIFAR's binary form", f.Name, len(f.Data), n, record, rest)
	}
	r = records{make([]byte, 0, n*pixels), make([]byte, 0, n)}
	for i := range n {
		b := f.Data[i*record : (i+1)*record]
		if int(b[0]) >= len(Classes()) {
			return r, fmt.Errorf("%s: record %d (byte %d) has label %d; CIFAR-10 has 0 to 9, so the file is damaged or CIFAR-100", f.Name, i, i*record, b[0])
		}
		r.labels = append(r.labels, b[0])
		r.pixels = append(r.pixels, b[1:]...)
	}
	return r, nil
}

// join makes a dataset of the parts. A set of the official size must have the
// official number of pictures in each class.
func join(split string, parts []records) (datasets.Dataset, error) {
	var all records
	if len(parts) == 1 {
		all = parts[0]
	} else {
		for _, p := range parts {
			all.pixels, all.labels = append(all.pixels, p.pixels...), append(all.labels, p.labels...)
		}
	}
	if n := len(all.labels); n == map[string]int{"test": batch, "train": 5 * batch}[split] {
		for class, count := range counts(all.labels) {
			if want := n / len(Classes()); count != want {
				return nil, fmt.Errorf("cifar10/%s: %d pictures of class %d (%s) instead of %d; the files are damaged, or a batch was given twice", split, count, class, Classes()[class], want)
			}
		}
	}
	return datasets.NewMemory(datasets.Info{Name: "cifar10", Split: split, Classes: Classes()}, 3, side, side, all.pixels, all.labels)
}

func counts(labels []byte) (n [10]int) {
	for _, l := range labels {
		n[l]++
	}
	return n
}

// Open reads the files, in order, as one dataset.
func Open(split string, paths ...string) (datasets.Dataset, error) {
	var parts []records
	for _, p := range paths {
		b, err := os.ReadFile(p)
		if err != nil {
			return nil, err
		}
		r, err := decode(File{p, b})
		if err != nil {
			return nil, err
		}
		parts = append(parts, r)
	}
	return join(split, parts)
}
