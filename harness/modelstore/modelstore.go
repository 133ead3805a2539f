// Package modelstore finds, checks and fetches the files of the catalogue's
// networks on this machine.
//
// A file is looked for below each data folder, first as models/NAME/FILE, then
// where other collections keep it. What is found must have the catalogue's size
// and checksum: a network that goes by a name is that network.
package modelstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"strings"

	"quantbench/datasets"
	"quantbench/datasets/fetch"
	"quantbench/harness/diagnose"
	"quantbench/models/catalogue"
)

// Files are where a network's files are.
type Files struct {
	Prototxt, Caffemodel string
}

// MissingError says that a network's file is not on this machine.
type MissingError struct {
	Model   string
	File    fetch.File
	Dirs    []string // that were looked into
	Command string   // what would help
}

// Error says what is missing, where it was looked for and what would help.
func (e *MissingError) Error() string {
	s := fmt.Sprintf("network %s: %s is not on this machine", e.Model, path.Base(e.File.Name))
	if len(e.Dirs) > 0 {
		s += "; looked below " + strings.Join(e.Dirs, ", ")
	}
	return s
}

// Unwrap makes the error fs.ErrNotExist.
func (e *MissingError) Unwrap() error { return fs.ErrNotExist }

// Find locates the files of a network that does not ship. A file that is
// nowhere is a *MissingError; one that is there but not the catalogue's, a
// *fetch.CheckError.
func Find(e catalogue.Entry, dirs []string) (Files, error) {
	var found [2]string
	for i, f := range e.Files() {
		p, err := Locate(e, f, dirs)
		if err != nil {
			return Files{}, err
		}
		found[i] = p
	}
	return Files{found[0], found[1]}, nil
}

// Locate is where one file of a network is. A right file wins over a damaged one
// in an earlier place.
func Locate(e catalogue.Entry, f catalogue.File, dirs []string) (string, error) {
	entry := fetchable(e, f)
	var damaged error
	for _, dir := range dirs {
		for _, place := range append([]string{entry.Name}, f.Places...) {
			p := filepath.Join(dir, filepath.FromSlash(place))
			err := entry.Check(p)
			if err == nil {
				return p, nil
			}
			if damaged == nil && !errors.Is(err, fs.ErrNotExist) {
				damaged = err
			}
		}
	}
	if damaged != nil {
		return "", fmt.Errorf("network %s: %w", e.Name, damaged)
	}
	return "", &MissingError{e.Name, entry, dirs, "bench model get " + e.Name}
}

// Get brings a network's files into models/NAME below o.Dir: from mirrors, or
// from o.From. Files that are there already are checked and left. A shipped
// network needs nothing. What cannot be had is a *fetch.ManualError, one a file.
func Get(ctx context.Context, name string, o fetch.Options) ([]fetch.Result, error) {
	e, ok := catalogue.Named(name)
	if !ok {
		return nil, fmt.Errorf("no network is called %q%s", name, diagnose.DidYouMean(name, catalogue.Names()))
	}
	if e.Shipped {
		return nil, nil
	}
	var done []fetch.Result
	var byHand []error
	for _, f := range e.Files() {
		r, err := fetch.Get(ctx, []fetch.File{fetchable(e, f)}, o)
		done = append(done, r...)
		var manual *fetch.ManualError
		switch {
		case errors.As(err, &manual):
			byHand = append(byHand, err)
		case err != nil:
			return done, err
		}
	}
	return done, errors.Join(byHand...)
}

// fetchable is a file of the catalogue as package fetch knows it.
func fetchable(e catalogue.Entry, f catalogue.File) fetch.File {
	return fetch.File{Name: "models/" + e.Name + "/" + f.Name, Size: f.Size, MD5: f.MD5, SHA256: f.SHA256, Mirrors: f.Mirrors, Manual: f.Manual}
}

// Preprocess is the catalogue's rule as calibration and runtimes use it.
func Preprocess(p catalogue.Preprocess) datasets.Preprocess {
	return datasets.Preprocess{Order: p.Order, Mean: p.Mean, Scale: p.Scale, Resize: datasets.Resize{Rule: p.Resize, Size: p.Size}, Crop: p.Crop}
}

// Takes is how a network of the catalogue wants its pictures. What is not known
// is an error that says what to do.
func Takes(e catalogue.Entry) (datasets.Preprocess, error) {
	if e.Unknown != "" {
		return datasets.Preprocess{}, fmt.Errorf("network %s: %s", e.Name, e.Unknown)
	}
	return Preprocess(e.Preprocess), nil
}
