package answers

import (
	"bytes"
	"path"
	"strconv"
	"strings"

	"quantbench/harness/record"
)

// Truth is what the pictures really show, in order.
type Truth struct {
	File     string // where it is from, for messages
	SHA256   string
	Pictures []string // names
	Labels   []int
	Classes  int // labels and answers lie in 0..Classes-1
}

// ReadLabels reads a list of labels, gzipped or not: a line a picture, the name
// and the class, as Caffe's val.txt and MLPerf's val_map.txt; or only the class.
func ReadLabels(file string, data []byte) (*Truth, error) {
	text, err := unpack(file, data)
	if err != nil {
		return nil, err
	}
	t := &Truth{File: file, SHA256: digest(data)}
	line, seen, bare := 0, map[string]int{}, 0
	for row := range bytes.Lines(text) {
		line++
		fields := strings.FieldsFunc(string(row), func(r rune) bool { return strings.ContainsRune(" \t\r\n,;", r) })
		if len(fields) == 0 {
			continue
		}
		name, class := fields[0], fields[len(fields)-1]
		if len(fields) == 1 {
			name = strconv.Itoa(len(t.Labels))
			bare++
		}
		v, err := strconv.Atoi(class)
		if err != nil || v < 0 || v >= maxClasses || len(fields) > 2 {
			return nil, fault(file, line, "%q is not a picture's name and its class from 0 to %d", strings.TrimSpace(string(row)), maxClasses-1)
		}
		if first := seen[name]; first > 0 {
			return nil, fault(file, line, "picture %s has a label already, in line %d; leave one", name, first)
		}
		seen[name] = line
		t.Pictures, t.Labels, t.Classes = append(t.Pictures, name), append(t.Labels, v), max(t.Classes, v+1)
	}
	if len(t.Labels) == 0 {
		return nil, fault(file, 0, "no labels in it; expected lines of a picture's name and its class")
	}
	if bare == len(t.Labels) && t.Classes == 1001 {
		return nil, fault(file, 0, "classes up to 1000 and no names: this looks like ILSVRC's own ground truth, which numbers classes from 1 in another order; use Caffe's val.txt")
	}
	return t, nil
}

// OwnTruth takes labels and order from the answers themselves.
func (s *Set) OwnTruth() (*Truth, error) {
	t := &Truth{File: s.File, SHA256: s.SHA256}
	seen := map[string]int{}
	for _, a := range s.Answers {
		if a.Label < 0 {
			return nil, fault(s.File, a.Line, "picture %s has no label; give a file of labels, or a dataset that has them", a.ID)
		}
		if first := seen[a.ID]; first > 0 {
			return nil, fault(s.File, a.Line, "picture %s is answered twice, in line %d too; each picture counts once", a.ID, first)
		}
		seen[a.ID] = a.Line
		t.Pictures, t.Labels = append(t.Pictures, a.ID), append(t.Labels, a.Label)
		t.Classes = max(t.Classes, a.Label+1, a.Class+1)
	}
	return t, nil
}

// Allow says what a Match may leave out.
type Allow struct {
	Partial bool // pictures without an answer
	Extra   bool // answers to pictures that are not in the truth
}

// Match gives every answer its picture in t: by name, by the name without
// folders, by that without its ending, or by its index (an MLPerf log by nothing
// else). The result is in the order of t. A picture answered twice, a label that
// contradicts t and a class beyond t.Classes are errors; so are pictures without
// answer, and answers without picture, unless allowed.
func (s *Set) Match(t *Truth, allow Allow) (*record.Answers, error) {
	index := newIndex(t, s.Format != MLPerf)
	by := make([]*Answer, len(t.Pictures))
	for i := range s.Answers {
		a := &s.Answers[i]
		at, ok := index.find(a.ID)
		switch {
		case !ok && allow.Extra:
			continue
		case !ok:
			return nil, fault(s.File, a.Line, "picture %s is not among the %d of %s; are these labels of another set?", a.ID, len(t.Pictures), t.File)
		case by[at] != nil:
			return nil, fault(s.File, a.Line, "picture %s is answered twice, in line %d too; each picture counts once", a.ID, by[at].Line)
		case a.Label >= 0 && a.Label != t.Labels[at]:
			return nil, fault(s.File, a.Line, "picture %s has label %d here and %d in %s; use the labels that the answers were made for", a.ID, a.Label, t.Labels[at], t.File)
		case t.Classes > 0 && a.Class >= t.Classes:
			return nil, fault(s.File, a.Line, "answer %d to picture %s; there are %d classes, counted from 0, by %s; a network with a background class counts one more: say how many classes there are", a.Class, a.ID, t.Classes, t.File)
		}
		by[at] = a
	}
	return s.inOrder(t, by, allow.Partial)
}

func (s *Set) inOrder(t *Truth, by []*Answer, partial bool) (*record.Answers, error) {
	out := &record.Answers{}
	for i, a := range by {
		if a == nil {
			if partial {
				continue
			}
			return nil, fault(s.File, 0, "%d answers for %d pictures of %s; the first without answer is %d (%s); set partial if only a part was meant",
				len(s.Answers), len(by), t.File, i, t.Pictures[i])
		}
		good := a.Class == t.Labels[i]
		out.Pictures, out.Labels = append(out.Pictures, t.Pictures[i]), append(out.Labels, t.Labels[i])
		out.Predictions = append(out.Predictions, record.Prediction{Class: uint16(a.Class), Tied: 1, Best: good, Margin: a.Margin})
	}
	return out, nil
}

// index finds pictures by what files call them.
type index struct {
	size  int
	names []map[string]int // exact, without folders, without ending
}

// ambiguous marks a short name that several pictures have.
const ambiguous = -1

var shorter = []func(string) string{
	func(s string) string { return s },
	func(s string) string { return path.Base(strings.ReplaceAll(s, `\`, "/")) },
	func(s string) string {
		b := path.Base(strings.ReplaceAll(s, `\`, "/"))
		return strings.TrimSuffix(b, path.Ext(b))
	},
}

func newIndex(t *Truth, named bool) index {
	x := index{size: len(t.Pictures)}
	if !named {
		return x
	}
	for _, short := range shorter {
		m := make(map[string]int, len(t.Pictures))
		for i, p := range t.Pictures {
			k := short(p)
			if _, twice := m[k]; twice {
				m[k] = ambiguous
				continue
			}
			m[k] = i
		}
		x.names = append(x.names, m)
	}
	return x
}

func (x index) find(id string) (int, bool) {
	for i, m := range x.names {
		if at, ok := m[shorter[i](id)]; ok && at != ambiguous {
			return at, true
		}
	}
	at, err := strconv.Atoi(id)
	return at, err == nil && at >= 0 && at < x.size
}
