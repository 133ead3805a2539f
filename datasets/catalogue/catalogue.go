// Package catalogue knows the datasets by name: it opens them, says which files
// they need, with sizes, checksums and mirrors, and verifies what is there.
// Fashion-MNIST is always there; the others must be on the machine. Nothing is
// downloaded here: package fetch does that, when asked.
package catalogue

import (
	"context"
	"fmt"
	"strings"

	"quantbench/datasets"
	"quantbench/datasets/cifar"
	"quantbench/datasets/fashionmnist"
	"quantbench/datasets/folder"
	"quantbench/datasets/idx"
	"quantbench/datasets/imagenet"
)

// Names are the known datasets.
func Names() []string {
	var names []string
	for _, e := range List() {
		names = append(names, e.Name)
	}
	return names
}

// Source is where datasets are opened from.
type Source struct {
	Dirs []string // folders to look in
	// Sums remembers the files' sums from one program to the next; may be nil.
	Sums *folder.Sums
}

// Open opens a split of a dataset in dirs, as Source.Open does.
func Open(name, split string, dirs []string) (datasets.Dataset, error) {
	return Source{Dirs: dirs}.Open(context.Background(), name, split)
}

// Open opens the split "test" or "train" of a dataset, looking for its files in
// the folders (fashion-mnist needs none). An unknown name is an error that suggests
// the nearest one; missing files are a *datasets.MissingError.
func (s Source) Open(ctx context.Context, name, split string) (datasets.Dataset, error) {
	d, err := s.open(ctx, name, split)
	if err := s.Sums.Save(); err != nil {
		return nil, fmt.Errorf("the checksums of %s: %w", name, err)
	}
	return d, err
}

func (s Source) open(ctx context.Context, name, split string) (datasets.Dataset, error) {
	switch name {
	case "fashion-mnist":
		return fashionmnist.Open(split)
	case "mnist":
		return idx.MNIST(split, s.Dirs)
	case "cifar10":
		return cifar.Find(split, s.Dirs)
	case "imagenet":
		return imagenet.Find(ctx, split, s.Dirs, s.Sums)
	case "folder":
		return folder.Find(ctx, name, split, s.Dirs, s.Sums)
	}
	known := strings.Join(Names(), ", ")
	if near := nearest(name); near != "" {
		return nil, fmt.Errorf("dataset %q is unknown; did you mean %s? (known: %s)", name, near, known)
	}
	return nil, fmt.Errorf("dataset %q is unknown; known are %s", name, known)
}

// nearest is the known name within three edits of name, letters' case and
// separators aside; empty if there is none.
func nearest(name string) string {
	best, at := 4, ""
	for _, n := range Names() {
		if d := distance(plain(name), plain(n)); d < best {
			best, at = d, n
		}
	}
	return at
}

func plain(s string) string {
	return strings.NewReplacer("-", "", "_", "", " ", "").Replace(strings.ToLower(s))
}

// distance is the Levenshtein distance.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diag := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diag
			if a[i] != b[j] {
				cost++
			}
			diag = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
