package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Store keeps finished work by its key: one immutable folder an entry,
// published by a rename, so that a process that dies leaves either a whole
// entry or none. Several processes may share a Store.
type Store struct{ dir string }

// OpenStore makes dir if need be.
func OpenStore(dir string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("cache %s: %w; choose another folder with --cache", dir, err)
	}
	return &Store{dir}, nil
}

// Dir is the folder of the store.
func (s *Store) Dir() string { return s.dir }

// entry is the folder of a key; kind keeps cells and calibrations apart.
func (s *Store) entry(kind, key string) string { return filepath.Join(s.dir, kind, key[:2], key) }

// Has reports whether an entry exists.
func (s *Store) Has(kind, key string) bool {
	_, err := os.Stat(s.entry(kind, key))
	return err == nil
}

// Put publishes files (name to content) as one entry. An entry that exists is
// left as it is: same key, same content.
func (s *Store) Put(kind, key string, files map[string][]byte) error {
	final := s.entry(kind, key)
	if err := os.MkdirAll(filepath.Dir(final), 0o755); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(filepath.Dir(final), "tmp-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	for name, data := range files {
		if err := writeSynced(filepath.Join(tmp, name), data); err != nil {
			return err
		}
	}
	if err := os.Chmod(tmp, 0o755); err != nil {
		return err
	}
	if err := os.Rename(tmp, final); err != nil && !s.Has(kind, key) {
		return err
	}
	return syncDir(filepath.Dir(final))
}

// Get reads one file of an entry; fs.ErrNotExist if there is no such entry.
func (s *Store) Get(kind, key, name string) ([]byte, error) {
	return os.ReadFile(filepath.Join(s.entry(kind, key), name))
}

// Discard removes a damaged entry so that it is made again.
func (s *Store) Discard(kind, key string) error { return os.RemoveAll(s.entry(kind, key)) }

// The kinds of entries and the files in them.
const (
	cellKind        = "cells"
	cellFile        = "cell.json"
	predictionsFile = "predictions.bin"
)

// PutCell stores a finished cell with its predictions.
func (s *Store) PutCell(key string, c *Cell, p []Prediction) error {
	data, err := json.Marshal(c)
	if err != nil {
		return err
	}
	return s.Put(cellKind, key, map[string][]byte{cellFile: data, predictionsFile: EncodePredictions(p)})
}

// HasCell reports whether a finished cell is stored.
func (s *Store) HasCell(key string) bool { return s.Has(cellKind, key) }

// Cell reads a stored cell. ok is false if there is none; an entry that cannot
// be read is discarded and reported as absent, because it can be made again.
func (s *Store) Cell(key string) (c *Cell, p []Prediction, ok bool, err error) {
	data, err := s.Get(cellKind, key, cellFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, false, nil
	}
	if err != nil {
		return nil, nil, false, err
	}
	raw, err := s.Get(cellKind, key, predictionsFile)
	c = new(Cell)
	if err == nil {
		p, err = DecodePredictions(raw)
	}
	if err != nil || json.Unmarshal(data, c) != nil {
		return nil, nil, false, s.Discard(cellKind, key)
	}
	return c, p, true, nil
}

// WriteFile writes a file so that it is either the old one or the new one,
// never a part of it.
func WriteFile(path string, data []byte) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return os.WriteFile(path, data, 0o644) // a device or pipe must not be replaced by a file
	}
	tmp := path + ".tmp"
	if err := writeSynced(tmp, data); err != nil {
		return err
	}
	if err := os.Rename(tmp, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func writeSynced(path string, data []byte) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
