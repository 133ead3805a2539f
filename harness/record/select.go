package record

import (
	"fmt"
	"slices"
	"strings"
)

// Select finds the one cell with a result that a selector means: its ID, or the
// beginning of it (4 digits at least), or words between slashes that each are one
// of the cell's names: "tensorrt-int8/entropy2", "lenet5/fp32".
func Select(cells []Cell, selector string) (*Cell, error) {
	var found []*Cell
	for i := range cells {
		c := &cells[i]
		if len(selector) >= 4 && strings.HasPrefix(c.ID, selector) || c.Stands() && named(c, selector) {
			found = append(found, c)
		}
	}
	switch {
	case len(found) == 0:
		return nil, fmt.Errorf("no cell is %q; a cell is named by its ID, or by words such as lenet5/tensorrt-int8/entropy2; there are:\n%s", selector, listed(all(cells)))
	case len(found) > 1:
		return nil, fmt.Errorf("%q means %d cells; add a word, or take an ID:\n%s", selector, len(found), listed(found))
	case found[0].Status != OK:
		return nil, fmt.Errorf("cell %s (%s) has no result: %s", found[0].ID, NameOf(found[0]).Name, found[0].Reason)
	}
	return found[0], nil
}

// named reports whether the selector, or each of its words, is a name of the cell.
func named(c *Cell, selector string) bool {
	names := []string{c.Model, c.Dataset, c.Runtime, c.Target, c.Mode, c.Profile, c.InputMode, c.Calibrator}
	if s := strings.TrimSpace(selector); s != "" && slices.Contains(names, s) {
		return true
	}
	for w := range strings.SplitSeq(selector, "/") {
		if w = strings.TrimSpace(w); w == "" || !slices.Contains(names, w) {
			return false
		}
	}
	return true
}

func all(cells []Cell) []*Cell {
	var list []*Cell
	for i := range cells {
		list = append(list, &cells[i])
	}
	return list
}

// listed shows some cells, a line each.
func listed(cells []*Cell) string {
	const most = 12
	var lines []string
	for i, c := range cells {
		if i == most {
			lines = append(lines, fmt.Sprintf("  and %d more", len(cells)-most))
			break
		}
		lines = append(lines, "  "+c.ID+"  "+NameOf(c).Name)
	}
	return strings.Join(lines, "\n")
}
