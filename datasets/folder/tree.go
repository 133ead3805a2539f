package folder

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"quantbench/datasets"
)

// IsPicture reports whether a file name ends as a JPEG's or PNG's does.
func IsPicture(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".jpg", ".jpeg", ".png":
		return !strings.HasPrefix(path.Base(name), ".")
	}
	return false
}

// Tree reads a folder that has a folder for each class: classes are the
// subfolders in the order of their names, pictures the files below them that
// IsPicture names, in the order of their paths. Hidden folders are left out; a
// class without pictures is an error.
func Tree(ctx context.Context, name, split string, fsys fs.FS) (*Set, error) {
	classes, err := Classes(fsys)
	if err != nil {
		return nil, err
	}
	if len(classes) == 0 {
		return nil, fmt.Errorf("%s/%s: the folder has no subfolders; a folder for each class is expected", name, split)
	}
	var entries []Entry
	for label, class := range classes {
		n := len(entries)
		if entries, err = Below(fsys, class, label, entries); err != nil {
			return nil, err
		}
		if len(entries) == n {
			return nil, fmt.Errorf("%s/%s: class folder %s has no picture (.jpg, .jpeg, .png); remove it, since classes are numbered by their folders", name, split, class)
		}
	}
	return New(ctx, datasets.Info{Name: name, Split: split, Classes: classes}, entries)
}

// Classes are the folder's subfolders, hidden ones left out, in order.
func Classes(fsys fs.FS) ([]string, error) {
	list, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, err
	}
	var classes []string
	for _, d := range list {
		if d.IsDir() && !strings.HasPrefix(d.Name(), ".") {
			classes = append(classes, d.Name())
		}
	}
	slices.Sort(classes)
	return classes, nil
}

// Below appends an entry for each picture file below dir.
func Below(fsys fs.FS, dir string, label int, entries []Entry) ([]Entry, error) {
	err := fs.WalkDir(fsys, dir, func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && IsPicture(p) {
			entries = append(entries, FileEntry(fsys, p, label))
		}
		return err
	})
	return entries, err
}

// CSV reads a dataset from a file of lines "path,label" of fsys, in order; a first
// line that says path,label is a header. Paths are relative to the file, with
// slashes, and stay within its folder. If every label is an integer from 0 on, it
// is the class's number; otherwise labels are class names, numbered in the order
// of the alphabet. Errors name the line.
func CSV(ctx context.Context, name, split string, fsys fs.FS, file string) (*Set, error) {
	f, err := fsys.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	rows, err := ParseCSV(file, f)
	if err != nil {
		return nil, err
	}
	classes, labels := number(rows)
	if classes == nil {
		return nil, fmt.Errorf("%s: a label is larger than %d; labels that are numbers count classes from 0", file, maxClasses-1)
	}
	entries := make([]Entry, len(rows))
	for i, r := range rows {
		entries[i] = FileEntry(fsys, path.Join(path.Dir(file), r.Path), labels[i])
	}
	return New(ctx, datasets.Info{Name: name, Split: split, Classes: classes}, entries)
}

// maxClasses bounds labels that are numbers.
const maxClasses = 1 << 20

// Row is one line of a CSV.
type Row struct {
	Path, Label string
	Line        int
}

// ParseCSV reads the lines of a CSV of paths and labels; file names it in errors.
func ParseCSV(file string, r io.Reader) ([]Row, error) {
	c := csv.NewReader(r)
	c.FieldsPerRecord, c.TrimLeadingSpace, c.ReuseRecord = -1, true, true
	var rows []Row
	seen := map[string]int{}
	for {
		record, err := c.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			var e *csv.ParseError
			if errors.As(err, &e) {
				return nil, fmt.Errorf("%s:%d: %w", file, e.Line, e.Err)
			}
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		line, _ := c.FieldPos(0)
		if len(record) != 2 {
			return nil, fmt.Errorf("%s:%d: %d fields instead of path,label", file, line, len(record))
		}
		p, label := strings.TrimPrefix(strings.TrimSpace(record[0]), "./"), strings.TrimSpace(record[1])
		if len(rows) == 0 && strings.EqualFold(strings.TrimPrefix(p, "\ufeff"), "path") && strings.EqualFold(label, "label") {
			continue
		}
		switch {
		case !fs.ValidPath(p) || p == ".":
			return nil, fmt.Errorf("%s:%d: path %q must be relative, with slashes, and stay within the folder", file, line, p)
		case label == "":
			return nil, fmt.Errorf("%s:%d: %s has no label", file, line, p)
		case seen[p] > 0:
			return nil, fmt.Errorf("%s:%d: %s is there twice, before in line %d", file, line, p, seen[p])
		}
		seen[p] = line
		rows = append(rows, Row{p, label, line})
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("%s: no line names a picture", file)
	}
	return rows, nil
}

// number gives each row its class; no classes if a number is too large.
func number(rows []Row) (classes []string, labels []int) {
	labels = make([]int, len(rows))
	most := 0
	for i, r := range rows {
		n, err := strconv.Atoi(r.Label)
		if err != nil || n < 0 {
			return byName(rows)
		}
		labels[i], most = n, max(most, n)
	}
	if most >= maxClasses {
		return nil, nil
	}
	for i := range most + 1 {
		classes = append(classes, strconv.Itoa(i))
	}
	return classes, labels
}

func byName(rows []Row) (classes []string, labels []int) {
	for _, r := range rows {
		classes = append(classes, r.Label)
	}
	slices.Sort(classes)
	classes = slices.Compact(classes)
	for _, r := range rows {
		i, _ := slices.BinarySearch(classes, r.Label)
		labels = append(labels, i)
	}
	return classes, labels
}
