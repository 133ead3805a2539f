package html

import (
	"cmp"
	"slices"
	"strings"

	"quantbench/reports/format"
	"quantbench/reports/matrix"
)

// detailBudget is how many bytes the figures about single groups may take, so
// that a page with many models stays one that can be sent: the rest of the page
// grows with the groups, and these figures make room for it.
func detailBudget(groups int) int { return max(60_000, 300_000-17_000*groups) }

type drawGroup func(*matrix.Matrix, matrix.Group, string) (figure, bool, error)

// detail is a kind of figure about one group, in a section of its own.
type detail struct {
	section section
	draw    drawGroup
}

// details are the figures about one group, in the order of the page.
var details = []detail{
	{section{ID: "layers", Heading: "Layers", Short: "Layers"}, layers},
	{section{ID: "scales", Heading: "Scales", Short: "Scales"}, scales},
	{section{ID: "ranges", Heading: "Thresholds", Short: "Thresholds"}, ranges},
	{section{ID: "confusion", Heading: "Confusion against fp32", Short: "Confusion"}, confusion},
}

// causes are the figures of runs that were asked where the accuracy goes. They
// come before the details and do not take their room.
var causes = []detail{
	{section{ID: "causes", Heading: "Where the accuracy goes", Short: "Causes"}, waterfalls},
	{section{ID: "local", Heading: "Errors of each layer alone", Short: "Local errors"}, locals},
	{section{ID: "sensitivity", Heading: "Sensitivity of layers", Short: "Sensitivity"}, sensitivities},
}

// detailSections draws the details of the groups that lose most first, each if
// it still fits the budget; what is left out is named.
func detailSections(m *matrix.Matrix, details []detail) ([]section, error) {
	drawn := make([][]*figure, len(m.Groups)) // by group, then by detail
	spent := 0
	var omitted []string
	for _, g := range byLoss(m) {
		figs, size, err := groupDetails(m, g, details)
		if err != nil {
			return nil, err
		}
		if spent+size > detailBudget(len(m.Groups)) {
			omitted = append(omitted, m.Name(m.Groups[g]))
			continue
		}
		drawn[g], spent = figs, spent+size
	}
	slices.Sort(omitted)
	list := gathered(details, drawn, omitted)
	for i := range list {
		list[i].Heading = strings.Replace(list[i].Heading, "against fp32", "against "+m.Base(), 1)
	}
	return list, nil
}

func gathered(details []detail, drawn [][]*figure, omitted []string) []section {
	var list []section
	for i, d := range details {
		s := d.section
		s.Omitted = format.List(omitted)
		for _, figs := range drawn {
			if len(figs) > i && figs[i] != nil {
				s.Figures = append(s.Figures, *figs[i])
			}
		}
		list = append(list, s)
	}
	return list
}

func groupDetails(m *matrix.Matrix, g int, details []detail) (figs []*figure, size int, err error) {
	figs = make([]*figure, len(details))
	for i, d := range details {
		f, ok, err := d.draw(m, m.Groups[g], figureID(d.section.ID, g))
		if err != nil {
			return nil, 0, err
		}
		if ok {
			figs[i] = &f
			size += f.size()
		}
	}
	return figs, size, nil
}

// byLoss orders groups by their largest loss with the main calibrator.
func byLoss(m *matrix.Matrix) []int {
	worst, order := make([]float64, len(m.Groups)), make([]int, len(m.Groups))
	for i, g := range m.Groups {
		order[i] = i
		for _, r := range g.With(m.Main, false) {
			worst[i] = min(worst[i], r.Difference)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(worst[a], worst[b]) })
	return order
}

const tableCell = len(`<td class="r"></td>`)

// size is about how many bytes a figure takes on the page.
func (f figure) size() int {
	n := len(f.Drawing)
	for _, p := range f.Panels {
		n += len(p.Option)
	}
	for _, t := range f.Tables {
		for _, row := range t.Rows {
			for _, c := range row {
				n += tableCell + len(c)
			}
		}
	}
	return n
}
