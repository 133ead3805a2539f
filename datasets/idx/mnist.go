package idx

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"quantbench/datasets"
)

// official are the sha256 sums of MNIST's four files when unpacked. (The md5
// sums of the gzipped ones are f68b3c2dcbeaaa9fbdd348bbdeb94873,
// d53e105ee54ea40749a09fcbcd1e9432, 9fb629c4189551a2d022fa330f9573f3 and
// ec29112dd5afa0611ce80d1b7f02629c, in this order.)
var official = map[string]string{
	"train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
	"train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
	"t10k-images-idx3-ubyte":  "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
	"t10k-labels-idx1-ubyte":  "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}

const mnistCommand = "for f in train-images-idx3 train-labels-idx1 t10k-images-idx3 t10k-labels-idx1; do curl -fLO https://ossci-datasets.s3.amazonaws.com/mnist/$f-ubyte.gz; done"

// Digits are the class names of MNIST.
func Digits() []string {
	return []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}
}

// MNIST opens the split "train" or "test" of MNIST. It looks in the folders
// and their subfolders mnist and MNIST/raw for the official files, plain or
// gzipped, also under their dotted names (t10k-images.idx3-ubyte), and compares
// the content with the official sums. Missing files are a *datasets.MissingError.
func MNIST(split string, dirs []string) (datasets.Dataset, error) {
	prefix := map[string]string{"train": "train", "test": "t10k"}[split]
	if prefix == "" {
		return nil, fmt.Errorf("mnist: split %q is unknown; write test or train", split)
	}
	images, err := find(split, prefix, "images", "idx3", dirs)
	if err != nil {
		return nil, err
	}
	labels, err := find(split, prefix, "labels", "idx1", dirs)
	if err != nil {
		return nil, err
	}
	return Decode("mnist", split, images, labels, Digits())
}

// find reads, unpacks and verifies one of the four files.
func find(split, prefix, kind, dim string, dirs []string) (File, error) {
	miss := &datasets.MissingError{Dataset: "mnist/" + split, Command: mnistCommand}
	base := prefix + "-" + kind + "-" + dim + "-ubyte"
	for _, dir := range dirs {
		for _, sub := range []string{"", "mnist", "MNIST/raw"} {
			for _, name := range []string{base + ".gz", base, prefix + "-" + kind + "." + dim + "-ubyte.gz", prefix + "-" + kind + "." + dim + "-ubyte"} {
				path := filepath.Join(dir, sub, name)
				data, err := os.ReadFile(path)
				if errors.Is(err, fs.ErrNotExist) {
					miss.Looked = append(miss.Looked, path)
					continue
				}
				if err != nil {
					return File{}, err
				}
				return verify(path, data, official[base])
			}
		}
	}
	return File{}, miss
}

func verify(path string, data []byte, want string) (File, error) {
	data, err := Unzip(path, data)
	if err != nil {
		return File{}, err
	}
	sum := sha256.Sum256(data)
	if got := hex.EncodeToString(sum[:]); got != want {
		return File{}, fmt.Errorf("%s: content has sha256 %s, MNIST's has %s; this is another dataset or a damaged download", path, got, want)
	}
	return File{path, data}, nil
}
