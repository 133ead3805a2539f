package catalogue

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"quantbench/datasets"
	"quantbench/datasets/fetch"
)

// FileReport is what was found of one file of the catalogue.
type FileReport struct {
	Name string
	Path string // where it was found; empty if nowhere
	Err  error  // nil if size and checksums are right; a *fetch.CheckError if not
}

// SplitReport is what was found of one split.
type SplitReport struct {
	Split    string
	Pictures int // that can be read
	// Whole is how many the whole split has; 0 if that can be any number.
	Whole   int
	Classes []string
	Counts  []int              // pictures of each class
	Bad     []datasets.Problem // pictures that cannot be read
	Err     error              // why the split cannot be opened; a *datasets.MissingError if it is not there
}

// Report is what Verify found.
type Report struct {
	Entry  Entry
	Files  []FileReport
	Splits []SplitReport
}

// OK reports whether some split is there and nothing that is there is damaged.
// Loose files without checksums count as right if every picture can be read.
func (r Report) OK() bool {
	found := false
	for _, f := range r.Files {
		if f.Path != "" && f.Err != nil {
			return false
		}
	}
	for _, s := range r.Splits {
		var miss *datasets.MissingError
		if s.Err != nil && !errors.As(s.Err, &miss) || len(s.Bad) > 0 {
			return false
		}
		found = found || s.Err == nil
	}
	return found
}

// Verify looks for a dataset in dirs, compares its files with the catalogue, opens
// its splits and reads every picture. The error is of the name or of ctx; what is
// wrong with the dataset is in the report.
func Verify(ctx context.Context, name string, dirs []string) (Report, error) {
	e, ok := Named(name)
	if !ok {
		_, err := Open(name, "test", nil)
		return Report{}, err
	}
	r := Report{Entry: e}
	for _, f := range slices.Concat(e.Files, e.Instead) {
		r.Files = append(r.Files, verifyFile(e, f, dirs))
	}
	for _, split := range []string{"test", "train"} {
		s, err := verifySplit(ctx, e, split, dirs)
		if err != nil {
			return r, err
		}
		r.Splits = append(r.Splits, s)
	}
	return r, nil
}

func verifyFile(e Entry, f fetch.File, dirs []string) FileReport {
	r := FileReport{Name: f.Name, Err: fs.ErrNotExist}
	for _, dir := range dirs {
		for _, p := range []string{filepath.Join(dir, e.Name, f.Name), filepath.Join(dir, f.Name)} {
			if err := f.Check(p); !errors.Is(err, fs.ErrNotExist) {
				return FileReport{f.Name, p, err}
			}
		}
	}
	return r
}

func verifySplit(ctx context.Context, e Entry, split string, dirs []string) (SplitReport, error) {
	s := SplitReport{Split: split, Whole: e.Pictures[split]}
	d, err := Open(e.Name, split, dirs)
	if err != nil {
		s.Err = err
		return s, ctx.Err()
	}
	s.Classes = d.Info().Classes
	s.Counts = make([]int, len(s.Classes))
	for i := range d.Info().Len {
		p, err := d.Picture(ctx, i)
		if ctx.Err() != nil {
			return s, ctx.Err()
		}
		if err == nil && (p.Label < 0 || p.Label >= len(s.Counts)) {
			err = fmt.Errorf("%s: label %d, but there are %d classes", p.ID, p.Label, len(s.Counts))
		}
		if err != nil {
			s.Bad = append(s.Bad, datasets.Problem{Index: i, Err: err})
			continue
		}
		s.Pictures++
		s.Counts[p.Label]++
	}
	return s, nil
}

// Get brings a dataset's files into the folder NAME of o.Dir, from its mirrors or
// from o.From. A dataset that ships, or is the user's own, needs nothing. If o.From
// has the alternative files (Entry.Instead) rather than Entry.Files, it gets them.
func Get(ctx context.Context, name string, o fetch.Options) ([]fetch.Result, error) {
	e, ok := Named(name)
	if !ok {
		_, err := Open(name, "test", nil)
		return nil, err
	}
	r, err := fetch.Get(ctx, under(e.Name, e.Files), o)
	if err != nil && o.From != "" && len(e.Instead) > 0 {
		if r, err := fetch.Get(ctx, under(e.Name, e.Instead), o); err == nil {
			return r, nil
		}
	}
	return r, err
}

// under puts the files into the dataset's folder.
func under(name string, files []fetch.File) []fetch.File {
	out := slices.Clone(files)
	for i := range out {
		out[i].Name = name + "/" + out[i].Name
	}
	return out
}
