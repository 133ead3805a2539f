package html

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"html/template"
	"slices"
	"strings"

	"quantbench/harness/record"
	"quantbench/reports/format"
	"quantbench/reports/matrix"
)

const (
	shownLost   = 8
	shownWon    = 4
	shownGroups = 4
	// pictureBudget is how many bytes of PNG the page holds; later pictures are
	// described only.
	pictureBudget = 60_000
)

// gallery shows pictures of one cell that changed sides.
type gallery struct {
	Heading, Cell string
	Lost, Won     []picture
}

type picture struct {
	ID, Label, Reference, Predicted string
	Margin                          string
	Base, Answer                    string // what the two answers are called
	Image                           template.URL
}

// galleries takes, from each group, the cell furthest below fp32 that has flips.
func galleries(m *matrix.Matrix) []gallery {
	var list []gallery
	budget := pictureBudget
	for _, g := range m.Groups {
		rows := g.With(m.Main, false)
		rows = slices.DeleteFunc(rows, func(r matrix.Row) bool { return len(r.Flips) == 0 })
		if len(rows) == 0 {
			continue
		}
		r := slices.MinFunc(rows, func(a, b matrix.Row) int { return cmp.Compare(a.Difference, b.Difference) })
		if len(list) < shownGroups {
			list = append(list, galleryOf(m, r, &budget))
		}
	}
	return list
}

func galleryOf(m *matrix.Matrix, r matrix.Row, budget *int) gallery {
	calibrator := ""
	if r.Calibrator != "" {
		calibrator = ", " + r.Calibrator
	}
	g := gallery{Cell: r.ID, Heading: fmt.Sprintf("%s, %s%s: %s lost, %s won", m.Where(r), r.Name(), calibrator, format.Plural(r.Lost, "picture"), format.Count(r.Won))}
	classes := m.Classes(r.Dataset)
	flips := slices.Clone(r.Flips)
	slices.SortStableFunc(flips, func(a, b record.Flip) int { return cmp.Compare(b.Margin, a.Margin) })
	for _, f := range flips {
		switch {
		case f.Reference == f.Label && f.Predicted != f.Label && len(g.Lost) < shownLost:
			g.Lost = append(g.Lost, pictureOf(m, r, f, classes, budget))
		case f.Predicted == f.Label && f.Reference != f.Label && len(g.Won) < shownWon:
			g.Won = append(g.Won, pictureOf(m, r, f, classes, budget))
		}
	}
	return g
}

func pictureOf(m *matrix.Matrix, r matrix.Row, f record.Flip, classes []string, budget *int) picture {
	p := picture{Base: m.Base(), Answer: "int8", ID: strings.TrimPrefix(f.Picture, r.Dataset+"/"), Label: className(classes, f.Label), Reference: className(classes, f.Reference),
		Predicted: className(classes, f.Predicted), Margin: format.Fixed(f.Margin, 3)}
	if r.Imported != nil {
		p.Answer = "imported"
	}
	if len(f.PNG) > 0 && len(f.PNG) <= *budget {
		*budget -= len(f.PNG)
		p.Image = template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(f.PNG))
	}
	return p
}
