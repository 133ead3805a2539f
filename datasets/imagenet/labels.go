package imagenet

import (
	"bufio"
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// classes is how many classes ILSVRC2012 has.
const classes = 1000

// Synsets are the classes: WordNet identifiers and the words for them, in the
// order of the identifiers, which is Caffe's order of classes.
type Synsets struct {
	IDs, Words []string
}

var wnid = regexp.MustCompile(`^n\d{8}$`)

// ParseSynsets reads synset_words.txt: lines of an identifier and the words. Its
// lines must be in the order of the identifiers, else the numbers of the classes
// would be others.
func ParseSynsets(file string, data []byte) (Synsets, error) {
	var s Synsets
	err := eachLine(file, data, func(line string) error {
		id, words, ok := strings.Cut(line, " ")
		if !wnid.MatchString(id) || !ok {
			return fmt.Errorf("%q is not a WordNet identifier (n01440764) and words", line)
		}
		if n := len(s.IDs); n > 0 && s.IDs[n-1] >= id {
			return fmt.Errorf("%s follows %s; the classes must be in the order of their identifiers", id, s.IDs[n-1])
		}
		s.IDs, s.Words = append(s.IDs, id), append(s.Words, strings.TrimSpace(words))
		return nil
	})
	if err == nil && len(s.IDs) != classes {
		err = fmt.Errorf("%s: %d classes instead of %d; the file is cut off or of another dataset", file, len(s.IDs), classes)
	}
	return s, err
}

// Label is the class of an identifier, -1 if there is none.
func (s Synsets) Label(id string) int {
	if i, ok := slices.BinarySearch(s.IDs, id); ok {
		return i
	}
	return -1
}

// Labelled is a picture file and its class.
type Labelled struct {
	Name  string
	Label int
}

// ParseLabels reads val.txt: lines of a file name and a class from 0 to 999, in
// Caffe's order of classes.
func ParseLabels(file string, data []byte) ([]Labelled, error) {
	var out []Labelled
	seen := map[string]bool{}
	err := eachLine(file, data, func(line string) error {
		f := strings.Fields(line)
		if len(f) == 1 {
			return fmt.Errorf("%q has no file name; this may be the development kit's ground truth, which numbers classes 1 to 1000 in another order: use Caffe's val.txt", line)
		}
		if len(f) != 2 {
			return fmt.Errorf("%d words instead of a file name and a class", len(f))
		}
		n, err := strconv.Atoi(f[1])
		if err != nil || n < 0 || n >= classes {
			return fmt.Errorf("class %q; classes are 0 to 999 (the development kit's 1 to 1000 are in another order: use Caffe's val.txt)", f[1])
		}
		if seen[f[0]] {
			return fmt.Errorf("%s is there twice", f[0])
		}
		seen[f[0]] = true
		out = append(out, Labelled{f[0], n})
		return nil
	})
	if err == nil && len(out) == 0 {
		err = fmt.Errorf("%s: the file is empty", file)
	}
	return out, err
}

// eachLine hands each line that is not blank to f, and adds file and line to
// its error.
func eachLine(file string, data []byte, f func(line string) error) error {
	scan := bufio.NewScanner(bytes.NewReader(data))
	for n := 1; scan.Scan(); n++ {
		line := strings.TrimSpace(scan.Text())
		if line == "" {
			continue
		}
		if err := f(line); err != nil {
			return fmt.Errorf("%s:%d: %w", file, n, err)
		}
	}
	if err := scan.Err(); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}
