package verify

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Pair is one input with the output that was recorded for it.
type Pair struct{ Name, Input, Output string }

// rawExt is the ending of raw tensors: int8 in channel, line, column order.
const rawExt = ".i8"

var (
	inputExts  = []string{".jpg", ".jpeg", ".pgm", rawExt}
	outputExts = []string{".txt", ".dimg"}
)

// Pairs finds the pairs of a folder, sorted by name: NAME.jpg, NAME.jpeg,
// NAME.pgm or NAME.i8 with NAME.txt or NAME.dimg, the text line of nvdla_runtime
// --rawdump or a binary DIMG, told apart by content. Other files are left alone.
// Names with only one half, or with two of one kind, are errors: a comparison that
// passes over them would prove less than it seems to.
func Pairs(dir string) ([]Pair, error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	found := map[string]*Pair{}
	var problems []error
	for _, f := range files {
		ext := strings.ToLower(filepath.Ext(f.Name()))
		in, out := slices.Contains(inputExts, ext), slices.Contains(outputExts, ext)
		if f.IsDir() || !in && !out {
			continue
		}
		name := strings.TrimSuffix(f.Name(), filepath.Ext(f.Name()))
		if found[name] == nil {
			found[name] = &Pair{Name: name}
		}
		half := &found[name].Input
		if out {
			half = &found[name].Output
		}
		path := filepath.Join(dir, f.Name())
		if *half != "" {
			problems = append(problems, fmt.Errorf("%s and %s are for the same name; remove one", *half, path))
		}
		*half = path
	}
	return collect(dir, found, problems)
}

// collect sorts the pairs and reports the halves without the other.
func collect(dir string, found map[string]*Pair, problems []error) ([]Pair, error) {
	var pairs []Pair
	for _, p := range found {
		switch {
		case p.Output == "":
			problems = append(problems, fmt.Errorf("%s has no recorded output (%s)", p.Input, strings.Join(outputExts, ", ")))
		case p.Input == "":
			problems = append(problems, fmt.Errorf("%s has no input (%s)", p.Output, strings.Join(inputExts, ", ")))
		}
		pairs = append(pairs, *p)
	}
	slices.SortFunc(pairs, func(a, b Pair) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(problems, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	if len(pairs) == 0 {
		problems = append(problems, fmt.Errorf("%s: holds no pair of NAME%s and NAME%s", dir, strings.Join(inputExts, "|"), strings.Join(outputExts, "|")))
	}
	return pairs, errors.Join(problems...)
}
