package matrix

import (
	"slices"
	"strings"

	"quantbench/harness/record"
)

// Matrix is a run, arranged.
type Matrix struct {
	Run    *record.Run
	Groups []Group
	// Models, Datasets and Calibrators in order of appearance; the calibrators of
	// imported cells only if there are no others.
	Models, Datasets, Calibrators []string
	// Main is the calibrator that gates use, or else the first: figures that show
	// one calibrator only show this one.
	Main string
}

// Group is one model on one dataset.
type Group struct {
	Model, Dataset string
	Rows           []Row // cells that ran, in order of series, variant and calibrator
}

// Of arranges a run. It keeps pointers into r. Cells that do not stand for their
// calibrator (record.Cell.Stands) are left out: a sweep over calibration pictures
// is summed up elsewhere.
func Of(r *record.Run) *Matrix {
	m := &Matrix{Run: r}
	differing, adjusted := variations(r.Cells), holm(r.Cells)
	for i := range r.Cells {
		c := &r.Cells[i]
		if !c.Stands() {
			continue
		}
		m.Models = appendNew(m.Models, c.Model)
		m.Datasets = appendNew(m.Datasets, c.Dataset)
		if c.Status == record.OK {
			g := m.group(c)
			if j := first(r.Cells, i); j != i {
				g.share(&r.Cells[j], c)
				continue
			}
			g.Rows = append(g.Rows, Row{Cell: c, Series: SeriesOf(c), Adjusted: adjusted[i]})
		}
	}
	m.Calibrators = calibrators(r.Cells, false)
	if len(m.Calibrators) == 0 {
		m.Calibrators = calibrators(r.Cells, true)
	}
	for i := range m.Groups {
		m.Groups[i].nameVariants(differing)
		setBase(m.Groups[i].Rows)
		m.sort(m.Groups[i].Rows)
	}
	m.Main = m.mainCalibrator()
	return m
}

// share adds a cell to the row of one that is like it.
func (g *Group) share(first, c *record.Cell) {
	for i := range g.Rows {
		if g.Rows[i].Cell == first {
			g.Rows[i].Same = append(g.Rows[i].Same, c)
		}
	}
}

func (g *Group) nameVariants(differing []varied) {
	for i := range g.Rows {
		r := &g.Rows[i]
		r.Latency = r.commonLatency()
		r.Variant = name(differing, append([]*record.Cell{r.Cell}, r.Same...))
	}
}

func (m *Matrix) group(c *record.Cell) *Group {
	for i := range m.Groups {
		if m.Groups[i].Model == c.Model && m.Groups[i].Dataset == c.Dataset {
			return &m.Groups[i]
		}
	}
	m.Groups = append(m.Groups, Group{Model: c.Model, Dataset: c.Dataset})
	return &m.Groups[len(m.Groups)-1]
}

func (m *Matrix) sort(rows []Row) {
	slices.SortStableFunc(rows, func(a, b Row) int {
		if a.Base != b.Base {
			if a.Base {
				return -1
			}
			return 1
		}
		if a.Series.Order != b.Series.Order {
			return a.Series.Order - b.Series.Order
		}
		if n := strings.Compare(a.Name(), b.Name()); n != 0 {
			return n
		}
		return slices.Index(m.Calibrators, a.Calibrator) - slices.Index(m.Calibrators, b.Calibrator)
	})
}

func (m *Matrix) mainCalibrator() string {
	for _, g := range m.Run.Gates {
		if r, ok := m.Row(g.Cell); ok && r.Calibrator != "" {
			return r.Calibrator
		}
	}
	if len(m.Calibrators) == 0 {
		return ""
	}
	return m.Calibrators[0]
}

// Row finds a cell that ran by its ID.
func (m *Matrix) Row(id string) (Row, bool) {
	for _, g := range m.Groups {
		for _, r := range g.Rows {
			if r.ID == id || slices.ContainsFunc(r.Same, func(c *record.Cell) bool { return c.ID == id }) {
				return r, true
			}
		}
	}
	return Row{}, false
}

// Each yields all rows, group by group.
func (m *Matrix) Each(yield func(Row) bool) {
	for _, g := range m.Groups {
		for _, r := range g.Rows {
			if !yield(r) {
				return
			}
		}
	}
}

// Count tells how many cells have a status.
func (m *Matrix) Count(s record.Status) int {
	n := 0
	for i := range m.Run.Cells {
		if m.Run.Cells[i].Status == s {
			n++
		}
	}
	return n
}

// Name names a group: the model alone where the run has one dataset.
func (m *Matrix) Name(g Group) string {
	if len(m.Datasets) > 1 {
		return g.Model + " on " + g.Dataset
	}
	return g.Model
}

// Where names a row's model, with the dataset if the run has several.
func (m *Matrix) Where(r Row) string {
	return m.Name(Group{Model: r.Model, Dataset: r.Dataset})
}

// Classes are the class names of a dataset; nil where it has none.
func (m *Matrix) Classes(dataset string) []string {
	for _, d := range m.Run.Datasets {
		if d.Name == dataset {
			return d.Classes
		}
	}
	return nil
}

// Reference is the group's row that the others are compared with.
func (g Group) Reference() (Row, bool) {
	if len(g.Rows) > 0 && g.Rows[0].Base {
		return g.Rows[0], true
	}
	return Row{}, false
}

// With keeps the rows of one calibrator and those that other programs ran, and
// the reference if asked.
func (g Group) With(calibrator string, reference bool) []Row {
	var rows []Row
	for _, r := range g.Rows {
		if reference && r.Base || !r.Base && (r.Calibrator == calibrator || r.Imported != nil) {
			rows = append(rows, r)
		}
	}
	return rows
}

// Lines gathers the int8 rows of a group by name: one line of a figure each,
// with its calibrators in order.
func (g Group) Lines() [][]Row {
	var lines [][]Row
	for _, r := range g.Rows {
		if r.Base {
			continue
		}
		n := len(lines)
		if n > 0 && lines[n-1][0].Name() == r.Name() {
			lines[n-1] = append(lines[n-1], r)
			continue
		}
		lines = append(lines, []Row{r})
	}
	return lines
}

// calibrators are those of imported cells, or those of the others.
func calibrators(cells []record.Cell, imported bool) []string {
	var list []string
	for i := range cells {
		if c := &cells[i]; c.Stands() && c.Calibrator != "" && (c.Imported != nil) == imported {
			list = appendNew(list, c.Calibrator)
		}
	}
	return list
}

func appendNew(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}
