package matrix

import (
	"slices"
	"strings"

	"quantbench/harness/record"
)

// setting is one way in which NVDLA cells of one series may differ.
type setting struct {
	plural string
	of     func(*record.Cell) string
}

var settings = []setting{
	{"targets", func(c *record.Cell) string { return c.Target }},
	{"profiles", func(c *record.Cell) string { return c.Profile }},
	{"input modes", func(c *record.Cell) string { return c.InputMode }},
}

// varied are the settings of which the cells have several values, with these
// values in order of appearance.
type varied struct {
	setting
	values []string
}

func variations(cells []record.Cell) []varied {
	var list []varied
	for _, s := range settings {
		v := varied{setting: s}
		for i := range cells {
			if x := s.of(&cells[i]); x != "" {
				v.values = appendNew(v.values, x)
			}
		}
		if len(v.values) > 1 {
			list = append(list, v)
		}
	}
	return list
}

// alike reports whether two cells, which differ in settings at most, say the
// same of every picture, ties and margins included.
func alike(a, b *record.Cell) bool {
	return a.Answers != "" && a.Answers == b.Answers && a.Model == b.Model && a.Dataset == b.Dataset &&
		a.Runtime == b.Runtime && a.Mode == b.Mode && a.Calibrator == b.Calibrator && a.Imported == nil && b.Imported == nil
}

// first finds the first cell that is like the i-th: the one whose row it shares.
func first(cells []record.Cell, i int) int {
	for j := range i {
		if cells[j].Status == record.OK && cells[j].Stands() && alike(&cells[j], &cells[i]) {
			return j
		}
	}
	return i
}

// name says what settings a row stands for: "default, fast-math, all 3 targets".
// Settings that are no product of values are named one by one.
func name(differing []varied, cells []*record.Cell) string {
	if !product(differing, cells) {
		var list []string
		for _, c := range cells {
			list = append(list, name(differing, []*record.Cell{c}))
		}
		return strings.Join(list, "; ")
	}
	var words []string
	for _, v := range differing {
		if text := v.name(cells); text != "" {
			words = append(words, text)
		}
	}
	return strings.Join(words, ", ")
}

// product reports whether cells are all combinations of their values.
func product(differing []varied, cells []*record.Cell) bool {
	n := 1
	for _, v := range differing {
		n *= max(1, len(v.among(cells)))
	}
	return n == len(cells)
}

// among are the values that cells have, in the run's order.
func (v varied) among(cells []*record.Cell) []string {
	var list []string
	for _, x := range v.values {
		if slices.ContainsFunc(cells, func(c *record.Cell) bool { return v.of(c) == x }) {
			list = append(list, x)
		}
	}
	return list
}

func (v varied) name(cells []*record.Cell) string {
	list := v.among(cells)
	if len(list) == len(v.values) {
		return "all " + v.plural
	}
	return strings.Join(list, " = ")
}
