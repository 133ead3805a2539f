package folder

import (
	"context"
	"os"
	"path/filepath"

	"quantbench/datasets"
)

// Find opens a split of the first of dirs that has one: its subfolder named as
// the split, a folder for each class; the file SPLIT.csv; for "test" also
// labels.csv, or the folder itself if it has subfolders. name is the dataset's.
// Without any it fails with *datasets.MissingError. sums may be nil.
func Find(ctx context.Context, name, split string, dirs []string, sums *Sums) (datasets.Dataset, error) {
	miss := &datasets.MissingError{Dataset: name + "/" + split, Command: "put pictures into " + split + "/CLASS/, or lines path,label into " + split + ".csv"}
	for _, dir := range dirs {
		root := sums.FS(dir)
		sub := filepath.Join(dir, split)
		if info, err := os.Stat(sub); err == nil && info.IsDir() {
			return Tree(ctx, name, split, sums.FS(sub))
		}
		files := []string{split + ".csv"}
		if split == "test" {
			files = append(files, "labels.csv")
		}
		for _, f := range files {
			if _, err := os.Stat(filepath.Join(dir, f)); err == nil {
				return CSV(ctx, name, split, root, f)
			}
			miss.Looked = append(miss.Looked, filepath.Join(dir, f))
		}
		if classes, err := Classes(root); split == "test" && err == nil && hasPictures(dir, classes) {
			return Tree(ctx, name, split, root)
		}
		miss.Looked = append(miss.Looked, sub)
	}
	return nil, miss
}

// hasPictures reports whether one of the subfolders holds a picture itself.
func hasPictures(dir string, classes []string) bool {
	for _, c := range classes {
		list, _ := os.ReadDir(filepath.Join(dir, c))
		for _, f := range list {
			if IsPicture(f.Name()) {
				return true
			}
		}
	}
	return false
}
