package cifar

import (
	"fmt"
	"os"
	"path/filepath"

	"quantbench/datasets"
)

const command = "curl -fLO https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"

// The official archives.
const (
	pythonArchive = "cifar-10-python.tar.gz"
	binaryArchive = "cifar-10-binary.tar.gz"
)

// layouts are the file sets that hold a split, in order of preference: loose
// files, which open faster, then archives, then parts.
func layouts(split string) [][]string {
	switch split {
	case "test":
		return [][]string{{"test_batch.bin"}, {"test_batch"}, {binaryArchive}, {pythonArchive}, {"test_batch_first1017.bin"}}
	case "train":
		return [][]string{
			{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"},
			{"data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5"},
			{binaryArchive}, {pythonArchive},
			{"train_lossless_8068.bin"},
		}
	}
	return nil
}

// Find opens the first file set of the split ("test" or "train") found in the
// folders or their subfolders cifar10, cifar-10-batches-bin and
// cifar-10-batches-py: the official files (binary, then pickles), an official
// archive (binary, then Python), or the parts test_batch_first1017.bin and
// train_lossless_8068.bin. Without any it fails with *datasets.MissingError.
func Find(split string, dirs []string) (datasets.Dataset, error) {
	sets := layouts(split)
	if sets == nil {
		return nil, fmt.Errorf("cifar10: split %q is unknown; write test or train", split)
	}
	miss := &datasets.MissingError{Dataset: "cifar10/" + split, Command: command}
	for _, set := range sets {
		for _, dir := range dirs {
			for _, sub := range []string{"", "cifar10", "cifar-10-batches-bin", "cifar-10-batches-py"} {
				paths := within(filepath.Join(dir, sub), set)
				if exist(paths) {
					return openSet(split, set[0], paths)
				}
				miss.Looked = append(miss.Looked, paths[0])
			}
		}
	}
	return nil, miss
}

func openSet(split, name string, paths []string) (datasets.Dataset, error) {
	if name == pythonArchive || name == binaryArchive {
		return OpenArchive(split, paths[0])
	}
	return Open(split, paths...)
}

func within(dir string, names []string) []string {
	paths := make([]string, len(names))
	for i, n := range names {
		paths[i] = filepath.Join(dir, n)
	}
	return paths
}

// exist reports whether all paths are files.
func exist(paths []string) bool {
	for _, p := range paths {
		if info, err := os.Stat(p); err != nil || !info.Mode().IsRegular() {
			return false
		}
	}
	return true
}
