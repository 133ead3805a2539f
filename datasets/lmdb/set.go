package lmdb

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"

	"quantbench/datasets"
)

// Set is a dataset in an LMDB.
type Set struct {
	info  datasets.Info
	db    *DB
	items []Item
	sums  [][sha256.Size]byte
	label []int
	bgr   bool
}

var _ datasets.Dataset = (*Set)(nil)

// New makes a dataset of a database's values, in the order of the keys. bgr says
// that colour planes are stored blue first, as Caffe's convert_imageset does
// (its CIFAR-10 converter stores red first). Every value is read once, for its
// label and sha256; a label outside info.Classes is an error.
func New(ctx context.Context, info datasets.Info, db *DB, bgr bool) (*Set, error) {
	items, err := db.Items()
	if err != nil {
		return nil, err
	}
	if len(items) == 0 {
		return nil, fmt.Errorf("%s: %w", db.file, errEmpty)
	}
	s := &Set{info: info, db: db, items: items, bgr: bgr}
	for _, item := range items {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		value, err := db.Value(item)
		if err != nil {
			return nil, err
		}
		d, err := ParseDatum(value)
		if err != nil {
			return nil, fmt.Errorf("%s: key %.40q: %w", db.file, item.Key, err)
		}
		if d.Label < 0 || d.Label >= len(info.Classes) {
			return nil, fmt.Errorf("%s: key %.40q has label %d, but there are %d classes", db.file, item.Key, d.Label, len(info.Classes))
		}
		s.label = append(s.label, d.Label)
		s.sums = append(s.sums, sha256.Sum256(value))
	}
	s.info.Len = len(items)
	s.info.Digest, err = s.RangeDigest(ctx, 0, len(items))
	return s, err
}

// Info describes the set.
func (s *Set) Info() datasets.Info { return s.info }

// Picture is picture i.
func (s *Set) Picture(ctx context.Context, i int) (datasets.Picture, error) {
	if err := ctx.Err(); err != nil {
		return datasets.Picture{}, err
	}
	if i < 0 || i >= len(s.items) {
		return datasets.Picture{}, s.outside(i)
	}
	id := s.info.Name + "/" + s.info.Split + "/" + s.items[i].Key
	value, err := s.db.Value(s.items[i])
	if err != nil {
		return datasets.Picture{}, err
	}
	if sha256.Sum256(value) != s.sums[i] {
		return datasets.Picture{}, fmt.Errorf("%s: the database has changed since it was opened", id)
	}
	d, err := ParseDatum(value)
	if err != nil {
		return datasets.Picture{}, fmt.Errorf("%s: %w", id, err)
	}
	p, err := d.Picture(id, s.bgr)
	if err == nil && s.info.Channels == 3 && p.Channels == 1 {
		p = datasets.Coloured(p)
	}
	return p, err
}

// Label is the class of picture i. The picture is not decoded.
func (s *Set) Label(i int) (int, error) {
	if i < 0 || i >= len(s.items) {
		return 0, s.outside(i)
	}
	return s.label[i], nil
}

// ID is the name of picture i. The picture is not read.
func (s *Set) ID(i int) (string, error) {
	if i < 0 || i >= len(s.items) {
		return "", s.outside(i)
	}
	return s.info.Name + "/" + s.info.Split + "/" + s.items[i].Key, nil
}

func (s *Set) outside(i int) error {
	return fmt.Errorf("%s/%s: picture %d does not exist; the set has %d", s.info.Name, s.info.Split, i, len(s.items))
}

// RangeDigest is the sha256, in hex, over the sha256 of each value, which
// includes the label, from (included) to to (excluded).
func (s *Set) RangeDigest(_ context.Context, from, to int) (string, error) {
	h := sha256.New()
	for _, sum := range s.sums[from:to] {
		h.Write(sum[:])
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// OpenSet opens a database file, or the file data.mdb of a folder, as New does. The
// file stays open as long as the program runs.
func OpenSet(ctx context.Context, info datasets.Info, path string, bgr bool) (*Set, error) {
	if stat, err := os.Stat(path); err == nil && stat.IsDir() {
		path = filepath.Join(path, "data.mdb")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	s, err := openSet(ctx, info, path, f, bgr)
	if err != nil {
		f.Close()
		return nil, err
	}
	return s, nil
}

func openSet(ctx context.Context, info datasets.Info, path string, f *os.File, bgr bool) (*Set, error) {
	stat, err := f.Stat()
	if err != nil {
		return nil, err
	}
	db, err := Open(path, f, stat.Size())
	if err != nil {
		return nil, err
	}
	return New(ctx, info, db, bgr)
}
