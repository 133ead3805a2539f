package imagenet

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"quantbench/datasets"
	"quantbench/datasets/folder"
	"quantbench/datasets/lmdb"
)

const command = "register at https://image-net.org, download ILSVRC2012_img_val.tar, and put val.txt and synset_words.txt (from Caffe's data/ilsvrc12/get_ilsvrc_aux.sh) beside it"

// valTar is the official tar of the validation pictures.
const valTar = "ILSVRC2012_img_val.tar"

// database is the folder of a split's LMDB, as Caffe's script names it.
var database = map[string]string{"test": "ilsvrc12_val_lmdb", "train": "ilsvrc12_train_lmdb"}

// places are the folders, below one that is searched, that may hold a split.
func places(split string) []string {
	switch split {
	case "test":
		return []string{"val", "ILSVRC2012_img_val", "val-sample", ""}
	case "train":
		return []string{"train", "ILSVRC2012_img_train", "full-size"}
	}
	return nil
}

// Find opens a split in the folders or their subfolder imagenet: "test" is the
// validation set (folders val, ILSVRC2012_img_val, val-sample or the folder
// itself, flat with val.txt or as class folders; ilsvrc12_val_lmdb; or
// ILSVRC2012_img_val.tar), and "train" class folders or files (train,
// ILSVRC2012_img_train, full-size) or ilsvrc12_train_lmdb.
// val.txt and synset_words.txt may lie beside the pictures or in the folder above.
// Without pictures it fails with *datasets.MissingError. sums may be nil.
func Find(ctx context.Context, split string, dirs []string, sums *folder.Sums) (datasets.Dataset, error) {
	subs := places(split)
	if subs == nil {
		return nil, fmt.Errorf("imagenet: split %q is unknown; write test or train", split)
	}
	miss := &datasets.MissingError{Dataset: "imagenet/" + split, Command: command}
	for _, dir := range dirs {
		for _, base := range []string{filepath.Join(dir, "imagenet"), dir} {
			for _, sub := range subs {
				at := filepath.Join(base, sub)
				d, err := open(ctx, split, at, sums)
				if !errors.Is(err, errNone) {
					return d, err
				}
				miss.Looked = append(miss.Looked, at)
			}
			if db := filepath.Join(base, database[split]); isFile(filepath.Join(db, "data.mdb")) {
				return OpenLMDB(ctx, split, db)
			}
			if tar := filepath.Join(base, valTar); split == "test" && isFile(tar) {
				return OpenTar(ctx, tar, sums)
			}
		}
	}
	return nil, miss
}

var validation = regexp.MustCompile(`^ILSVRC2012_val_\d{8}\.JPEG$`)

// open opens a split in dir; errNone if dir has no pictures.
func open(ctx context.Context, split, dir string, sums *folder.Sums) (datasets.Dataset, error) {
	list, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errNone
	}
	if err != nil {
		return nil, err
	}
	flat, byClass := false, false
	for _, d := range list {
		flat = flat || validation.MatchString(d.Name())
		id, _, _ := strings.Cut(d.Name(), "_")
		byClass = byClass || wnid.MatchString(id)
	}
	if flat && split == "test" {
		return OpenFolder(ctx, dir, sums)
	}
	if !byClass {
		return nil, errNone
	}
	s, err := synsets(dir)
	if err != nil {
		return nil, err
	}
	return known(ByClass(ctx, split, sums.FS(dir), s))
}

// known turns a nil *folder.Set into a nil interface.
func known(s *folder.Set, err error) (datasets.Dataset, error) {
	if err != nil {
		return nil, err
	}
	return s, nil
}

// OpenFolder opens a folder of validation pictures, with val.txt and
// synset_words.txt beside them or in the folder above. sums may be nil.
func OpenFolder(ctx context.Context, dir string, sums *folder.Sums) (datasets.Dataset, error) {
	s, err := synsets(dir)
	if err != nil {
		return nil, err
	}
	file, labels, err := list(dir)
	if err != nil {
		return nil, err
	}
	return known(Validation(ctx, sums.FS(dir), file, labels, s))
}

// OpenTar opens a tar of validation pictures, with val.txt and synset_words.txt
// beside it or in the folder above. The file stays open as long as the program runs.
// sums may be nil.
func OpenTar(ctx context.Context, file string, sums *folder.Sums) (datasets.Dataset, error) {
	dir := filepath.Dir(file)
	s, err := synsets(dir)
	if err != nil {
		return nil, err
	}
	txt, labels, err := list(dir)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	entries, err := Tar(file, f, sums)
	if err == nil {
		entries, err = byName(txt, entries, labels)
	}
	if err == nil {
		var d datasets.Dataset
		if d, err = known(validated(ctx, entries, s)); err == nil {
			return d, nil
		}
	}
	f.Close()
	return nil, err
}

// OpenLMDB opens a database that Caffe's convert_imageset made, with
// synset_words.txt in it or beside it. Its pictures have the size that they were
// made with (256x256, squashed, by Caffe's script). The file stays open as long as
// the program runs.
func OpenLMDB(ctx context.Context, split, dir string) (datasets.Dataset, error) {
	s, err := synsets(dir)
	if err != nil {
		return nil, err
	}
	d, err := lmdb.OpenSet(ctx, datasets.Info{Name: "imagenet", Split: split, Channels: 3, Classes: s.Words}, dir, true)
	if err != nil {
		return nil, err
	}
	return d, nil
}

func synsets(dir string) (s Synsets, err error) {
	file, data, err := beside(dir, "synset_words.txt")
	if err != nil {
		return s, err
	}
	return ParseSynsets(file, data)
}

func list(dir string) (string, []Labelled, error) {
	file, data, err := beside(dir, "val.txt")
	if err != nil {
		return file, nil, err
	}
	labels, err := ParseLabels(file, data)
	return file, labels, err
}

// beside reads a file in dir or the folder above.
func beside(dir, name string) (string, []byte, error) {
	for _, d := range []string{dir, filepath.Dir(filepath.Clean(dir))} {
		file := filepath.Join(d, name)
		data, err := os.ReadFile(file)
		if !errors.Is(err, fs.ErrNotExist) {
			return file, data, err
		}
	}
	return "", nil, &datasets.MissingError{Dataset: "imagenet: " + name, Looked: []string{filepath.Join(dir, name), filepath.Join(filepath.Dir(filepath.Clean(dir)), name)}, Command: command}
}

func isFile(p string) bool {
	info, err := os.Stat(p)
	return err == nil && info.Mode().IsRegular()
}
