// Package imagenet reads ILSVRC2012: the validation pictures as a folder or as
// their tar, labelled by Caffe's val.txt; class folders; and loose files that
// begin with their class (n01440764_tench.JPEG).
//
// Classes are numbered as Caffe numbers them, by their WordNet identifiers. Every
// picture becomes three channels. A part of the set is a set too, as long as each
// of its pictures has a label. What Decode of package folder refuses (CMYK, one
// pixel, cut files) is an error when that picture is asked for; a PNG under a
// JPEG's name, of which ILSVRC2012 has one, is read as the PNG it is.
package imagenet

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"quantbench/datasets"
	"quantbench/datasets/folder"
)

// full is how many pictures the validation set has.
const full = 50000

// Validation makes a dataset of the pictures of the labels' list that are in fsys,
// in the list's order; file names the list in errors. A picture that the list does
// not have is an error. With all 50,000, each class must have 50.
func Validation(ctx context.Context, fsys fs.FS, file string, labels []Labelled, s Synsets) (*folder.Set, error) {
	list, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, err
	}
	there := map[string]bool{}
	for _, d := range list {
		if !d.IsDir() && folder.IsPicture(d.Name()) {
			there[d.Name()] = true
		}
	}
	var entries []folder.Entry
	for _, l := range labels {
		if there[l.Name] {
			delete(there, l.Name)
			entries = append(entries, folder.FileEntry(fsys, l.Name, l.Label))
		}
	}
	for name := range there {
		return nil, fmt.Errorf("%d pictures have no label in %s, such as %s; is it the list of another set?", len(there), file, name)
	}
	return validated(ctx, entries, s)
}

// validated makes the set after the labels' count was checked.
func validated(ctx context.Context, entries []folder.Entry, s Synsets) (*folder.Set, error) {
	if len(entries) == full {
		n := make([]int, classes)
		for _, e := range entries {
			n[e.Label]++
		}
		for c, k := range n {
			if k != full/classes {
				return nil, fmt.Errorf("imagenet: class %d has %d of the 50,000 pictures instead of 50; the labels are damaged", c, k)
			}
		}
	}
	return newSet(ctx, "test", entries, s)
}

func newSet(ctx context.Context, split string, entries []folder.Entry, s Synsets) (*folder.Set, error) {
	return folder.New(ctx, datasets.Info{Name: "imagenet", Split: split, Channels: 3, Classes: s.Words}, entries)
}

// ByClass makes a dataset of class folders (n01440764/...) and of files that
// begin with their class (n01440764_tench.JPEG), in the order of their paths.
func ByClass(ctx context.Context, split string, fsys fs.FS, s Synsets) (*folder.Set, error) {
	list, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, err
	}
	var entries []folder.Entry
	for _, d := range list {
		name := d.Name()
		if strings.HasPrefix(name, ".") || !d.IsDir() && !folder.IsPicture(name) {
			continue
		}
		id, _, _ := strings.Cut(strings.TrimSuffix(name, path.Ext(name)), "_")
		label := s.Label(id)
		if label < 0 {
			return nil, fmt.Errorf("%s does not begin with the WordNet identifier of one of the 1000 classes (n01440764)", name)
		}
		if d.IsDir() {
			if entries, err = folder.Below(fsys, name, label, entries); err != nil {
				return nil, err
			}
			continue
		}
		entries = append(entries, folder.FileEntry(fsys, name, label))
	}
	if split == "test" {
		return validated(ctx, entries, s)
	}
	return newSet(ctx, split, entries, s)
}

// byName are the entries that have labels, in the labels' order.
func byName(file string, entries []folder.Entry, labels []Labelled) ([]folder.Entry, error) {
	at := make(map[string]int, len(labels))
	for i, l := range labels {
		at[l.Name] = i
	}
	for i := range entries {
		n, ok := at[entries[i].Name]
		if !ok {
			return nil, fmt.Errorf("%s has no label in %s; is it the list of another set?", entries[i].Name, file)
		}
		entries[i].Label = labels[n].Label
	}
	slices.SortFunc(entries, func(a, b folder.Entry) int { return at[a.Name] - at[b.Name] })
	return entries, nil
}

// errNone says that a place has no pictures.
var errNone = errors.New("no pictures")
