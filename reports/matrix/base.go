package matrix

import "fmt"

// setBase marks the row of a group that others are compared with: our fp32, or
// else one that is not compared with any and is either fp32 or named by others.
func setBase(rows []Row) {
	named := map[string]bool{}
	for _, r := range rows {
		named[r.Cell.Reference] = true
	}
	best, rank := -1, 0
	for i, r := range rows {
		if n := baseRank(r, named[r.ID]); n > rank {
			best, rank = i, n
		}
	}
	if best >= 0 {
		rows[best].Base = true
	}
}

func baseRank(r Row, named bool) int {
	switch {
	case r.Cell.Reference != "":
		return 0
	case r.Series == FP32 && r.Imported == nil:
		return 3
	case r.Series == FP32:
		return 2
	case named:
		return 1
	}
	return 0
}

// Base names what cells are compared with: fp32, or what serves as the reference
// of imported cells.
func (m *Matrix) Base() string {
	name := ""
	for _, g := range m.Groups {
		r, ok := g.Reference()
		switch {
		case !ok:
		case name == "":
			name = r.Series.Name
		case name != r.Series.Name:
			return "the reference"
		}
	}
	if name == "" {
		return FP32.Name
	}
	return name
}

// side names one side of a comparison: int8, or the given word if some cells come
// from elsewhere.
func (m *Matrix) side(other string) string {
	if m.Noun() == "int8 cell" {
		return "int8"
	}
	return other
}

// Side names what is compared with Base in captions.
func (m *Matrix) Side() string { return m.side("the cell") }

// Noun is what a compared cell is called: int8, unless some come from elsewhere.
func (m *Matrix) Noun() string {
	for r := range m.Each {
		if r.Imported != nil {
			return "cell"
		}
	}
	return "int8 cell"
}

// Imported says of every cell that another program ran where it is from.
func (m *Matrix) Imported() []string {
	var lines []string
	for r := range m.Each {
		i := r.Imported
		if i == nil {
			continue
		}
		form := i.Format
		if i.DataType != "" {
			form += " " + i.DataType
		}
		s := fmt.Sprintf("%s on %s is from %s (%s, sha256 %.12s)", m.Where(r), r.Name(), i.File, form, i.SHA256)
		if i.Labels != "" {
			s += ", labels from " + i.Labels
		}
		lines = append(lines, s)
	}
	return lines
}
