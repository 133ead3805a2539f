// Package cifar reads CIFAR-10 in its binary form: records of one label byte
// and 3072 bytes, the red, green and blue planes of 32 x 32 pixels.
//
// A file may hold any number of whole records, so an honest part of the set is
// a dataset too; a part of a record is refused.
package cifar

import (
	"fmt"
	"os"
	"path/filepath"

	"quantbench/datasets"
)

const (
	side   = 32
	pixels = 3 * side * side
	record = 1 + pixels
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

// Decode makes a dataset of the records of the files, in order.
func Decode(split string, files ...File) (datasets.Dataset, error) {
	var px, labels []byte
	for _, f := range files {
		n := len(f.Data) / record
		if rest := len(f.Data) % record; rest != 0 || n == 0 {
			return nil, fmt.Errorf("%s: %d bytes are %d records of %d bytes and %d bytes more; the file is cut off or not in CIFAR's binary form", f.Name, len(f.Data), n, record, rest)
		}
		for i := range n {
			r := f.Data[i*record : (i+1)*record]
			if int(r[0]) >= len(Classes()) {
				return nil, fmt.Errorf("%s: record %d (byte %d) has label %d; CIFAR-10 has 0 to 9, so the file is damaged or CIFAR-100", f.Name, i, i*record, r[0])
			}
			labels = append(labels, r[0])
			px = append(px, r[1:]...)
		}
	}
	return datasets.NewMemory(datasets.Info{Name: "cifar10", Split: split, Classes: Classes()}, 3, side, side, px, labels)
}

// Open reads the files, in order, as one dataset.
func Open(split string, paths ...string) (datasets.Dataset, error) {
	var files []File
	for _, p := range paths {
		b, err := os.ReadFile(p)
		if err != nil {
			return nil, err
		}
		files = append(files, File{p, b})
	}
	return Decode(split, files...)
}

const command = "curl -fLO https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz && tar xzf cifar-10-binary.tar.gz"

// layouts are the file sets that hold a split, the official ones first.
func layouts(split string) [][]string {
	switch split {
	case "test":
		return [][]string{{"test_batch.bin"}, {"test_batch_first1017.bin"}}
	case "train":
		return [][]string{
			{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"},
			{"train_lossless_8068.bin"},
		}
	}
	return nil
}

// Find opens the first file set of the split ("test" or "train") found in the
// folders or their subfolders cifar10 and cifar-10-batches-bin. The official
// files are preferred; then the parts test_batch_first1017.bin and
// train_lossless_8068.bin. Without any it fails with *datasets.MissingError.
func Find(split string, dirs []string) (datasets.Dataset, error) {
	sets := layouts(split)
	if sets == nil {
		return nil, fmt.Errorf("cifar10: split %q is unknown; write test or train", split)
	}
	miss := &datasets.MissingError{Dataset: "cifar10/" + split, Command: command}
	for _, set := range sets {
		for _, dir := range dirs {
			for _, sub := range []string{"", "cifar10", "cifar-10-batches-bin"} {
				paths := join(filepath.Join(dir, sub), set)
				if exist(paths) {
					return Open(split, paths...)
				}
				miss.Looked = append(miss.Looked, paths[0])
			}
		}
	}
	return nil, miss
}

func join(dir string, names []string) []string {
	paths := make([]string, len(names))
	for i, n := range names {
		paths[i] = filepath.Join(dir, n)
	}
	return paths
}

func exist(paths []string) bool {
	for _, p := range paths {
		if _, err := os.Stat(p); err != nil {
			return false
		}
	}
	return true
}
