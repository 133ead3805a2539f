package html

import (
	"fmt"
	"html/template"
	"math"
	"strings"

	"github.com/go-echarts/go-echarts/v2/opts"

	"quantbench/reports/format"
	"quantbench/reports/matrix"
)

const (
	bakeoffHeight = 300
	bakeoffNear   = 0.02 // of the best's accuracy: what shares the axis
	bakeoffLines  = 4    // a panel, so that bands can be told apart
)

// bakeoffSection shows what calibrators make of more pictures and of others, and
// which of them can be told apart.
func bakeoffSection(m *matrix.Matrix) (section, error) {
	s := section{ID: "bakeoff", Heading: "Calibrators over pictures", Short: "Bake-off"}
	contests := m.Contests()
	if len(contests) == 0 {
		return s, nil
	}
	ranks, err := ranking(contests, "fig-bakeoff-rank")
	if err != nil {
		return s, err
	}
	s.Figures = append(s.Figures, ranks)
	for i, c := range contests {
		if len(c.Sizes()) < 2 {
			continue
		}
		f, err := growth(c, figureID(s.ID, i))
		if err != nil {
			return s, err
		}
		s.Figures = append(s.Figures, f)
	}
	return s, nil
}

// growth draws accuracy against the number of calibration pictures: a line a
// calibrator, the best first, a few to a panel.
func growth(c matrix.Contest, id string) (figure, error) {
	f := figure{ID: id, Title: growthTitle(c), Layout: "two", Tables: []table{growthTable(c)}}
	near, far := c.Near(bakeoffNear)
	parts := shares(near, bakeoffLines)
	close := len(parts)
	parts = append(parts, shares(far, bakeoffLines)...)
	common := growthSpan(c, near)
	for i, part := range parts {
		s := common
		if i >= close {
			s = growthSpan(c, part)
		}
		o, narrow, err := growthOption(c, part, s)
		if err != nil {
			return f, err
		}
		p, err := draw(fmt.Sprintf("%s-%d", id, i), "Top-1 accuracy over the number of calibration pictures of "+c.Where+": "+namesOf(part), bakeoffHeight, o, 420, narrow)
		if err != nil {
			return f, err
		}
		p.Title = strong(namesOf(part))
		f.Panels = append(f.Panels, p)
	}
	f.Layout = layout(min(len(f.Panels), 2))
	f.Caption = growthCaption(c, len(far))
	return f, nil
}

// shares cuts a list into as few parts of at most limit as possible, of nearly
// equal length.
func shares(list []matrix.Contender, limit int) [][]matrix.Contender {
	n := (len(list) + limit - 1) / limit
	var parts [][]matrix.Contender
	for i := range n {
		parts = append(parts, list[i*len(list)/n:(i+1)*len(list)/n])
	}
	return parts
}

func namesOf(list []matrix.Contender) string {
	var names []string
	for _, r := range list {
		names = append(names, r.Calibrator)
	}
	return strings.Join(names, ", ")
}

// growthTitle sets the scatter over subsets beside that over calibrators, with the
// fewest pictures and with the main number.
func growthTitle(c matrix.Contest) string {
	near, _ := c.Near(bakeoffNear)
	first := c.Sizes()[0]
	title := c.Where + ": "
	subsets, calibrators, ok := c.Scatter(near, c.Main)
	if !ok {
		return fmt.Sprintf("%s%s with %s", title, c.Ranked[0].Calibrator, c.Numbers())
	}
	title += fmt.Sprintf("with %s pictures calibrators scatter by %s pp, subsets by %s pp", format.Count(c.Main), format.Loss(calibrators), format.Loss(subsets))
	if s, k, ok := c.Scatter(near, first); ok && first != c.Main {
		title += fmt.Sprintf("; with %s by %s and %s pp", format.Count(first), format.Loss(k), format.Loss(s))
	}
	return title
}

func growthCaption(c matrix.Contest, far int) template.HTML {
	s := fmt.Sprintf("Line: mean over the random subsets; band: smallest to largest of them; dashed line: fp32. Panels go from the best calibrator (with %s pictures) to the worst. Scatter is the standard deviation, of the calibrators within %s pp of the best.",
		format.Count(c.Main), format.Fixed(100*bakeoffNear, 0))
	if far > 0 {
		verb := "lie"
		if far == 1 {
			verb = "lies"
		}
		s += fmt.Sprintf(" %s %s further below, on an axis apart.", format.Sentence(format.Words(far)), verb)
	}
	if c.Share > 0 {
		s += fmt.Sprintf(" Subsets are drawn from the same pictures: two of %s have %s %% in common on the average, so that the bands are narrower than those of independent choices, by about a factor of %s.",
			format.Count(c.Main), format.Fixed(100*c.Share, 0), format.Fixed(math.Sqrt(1-c.Share), 2))
	}
	return text(s)
}

func growthSpan(c matrix.Contest, list []matrix.Contender) span {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, r := range list {
		for _, p := range c.Points {
			if p.Calibrator == r.Calibrator {
				lo, hi = min(lo, 100*p.Range.Lo), max(hi, 100*p.Range.Hi)
			}
		}
	}
	if len(list) > 0 && c.Reference >= 0 && 100*c.Reference < hi+1 {
		hi = max(hi, 100*c.Reference)
	}
	room := (hi - lo) * 0.06
	return around(lo-room, hi+room, 5)
}

func growthOption(c matrix.Contest, part []matrix.Contender, s span) (o, narrow node, err error) {
	sizes := c.Sizes()
	lo, hi := float64(sizes[0]), float64(sizes[len(sizes)-1])
	a := axes{
		X: opts.XAxis{Type: "log", Min: lo, Max: hi, Name: "calibration pictures, log axis", NameLocation: "middle", NameGap: 28},
		Y: opts.YAxis{Type: "value", Min: s.lo, Max: s.hi, Name: startsAt("top-1, % ", s.lo), NameLocation: "middle", NameGap: 46},
	}
	var list []series
	var ends []string
	offsets := endOffsets(c, part, s)
	for i, r := range part {
		list = append(list, growthLine(c, r, strokes[i], offsets[i], s))
		ends = append(ends, r.Calibrator)
	}
	for i, r := range part {
		if b := growthBand(c, r, strokes[i]); len(b.data) > 0 {
			list = append(list, b)
		}
	}
	if c.Reference >= 0 && 100*c.Reference <= s.hi {
		list[0].settings["markLine"] = referenceLine("yAxis", 100*c.Reference, "")
	}
	o, err = option(a, node{"left": 62, "right": margin(ends, 6.3) + 8, "top": 12, "bottom": 46, "outerBoundsMode": "none"}, list...)
	if err != nil {
		return nil, nil, err
	}
	axis(o, "xAxis", node{"axisTick": node{"show": true, "customValues": sizes}, "axisLabel": node{"customValues": sizes}, "splitLine": node{"show": false}})
	axis(o, "yAxis", node{"axisTick": node{"customValues": s.ticks}, "axisLabel": node{"customValues": s.ticks}})
	return o, node{"grid": node{"left": 56}, "yAxis": node{"nameGap": 42}}, nil
}

func growthLine(c matrix.Contest, r matrix.Contender, look stroke, offset int, s span) series {
	var data []node
	for _, p := range c.Points {
		if p.Calibrator != r.Calibrator {
			continue
		}
		hint := []string{fmt.Sprintf("%s · %s · %s pictures", c.Where, p.Calibrator, format.Count(p.Calibration)),
			fmt.Sprintf("top-1 %s %%, mean of %s", format.Percent(p.Mean), format.Plural(len(p.Correct), "subset"))}
		if len(p.Correct) > 1 {
			hint = append(hint, fmt.Sprintf("subsets %s %%, standard deviation %s pp", format.Range(p.Range.Lo, p.Range.Hi), format.Loss(p.Deviation)))
		}
		data = append(data, node{"value": []any{p.Calibration, round(100 * p.Mean)}, "tip": hint})
	}
	tint := colour(look.colour)
	return series{kind: "line", name: r.Calibrator, data: data, settings: node{
		"symbol": look.symbol, "symbolSize": 7, "showAllSymbol": true, "z": 3,
		"lineStyle": node{"color": tint, "width": look.width, "type": look.pattern}, "itemStyle": node{"color": tint},
		"endLabel": node{"show": true, "formatter": braces.Replace(r.Calibrator), "color": tint, "fontSize": 12, "distance": 8, "offset": []int{0, offset}},
	}}
}

// growthBand spans the subsets' range between neighbouring numbers of pictures.
func growthBand(c matrix.Contest, r matrix.Contender, look stroke) series {
	var data []node
	sizes := c.Sizes()
	for i := range sizes[1:] {
		a, okA := c.Point(r.Calibrator, sizes[i])
		b, okB := c.Point(r.Calibrator, sizes[i+1])
		if okA && okB && (len(a.Correct) > 1 || len(b.Correct) > 1) {
			data = append(data, node{"value": []any{a.Calibration, round(100 * a.Range.Lo), round(100 * a.Range.Hi), b.Calibration, round(100 * b.Range.Lo), round(100 * b.Range.Hi)}})
		}
	}
	return series{kind: "custom", name: r.Calibrator + ", subsets", data: data, settings: node{"renderItem": function("band"), "silent": true, "clip": true, "z": 1,
		"encode": node{"x": []int{0, 3}, "y": []int{1, 2, 4, 5}}, "itemStyle": node{"color": colour(look.colour)}}}
}

// endOffsets keeps the labels at the lines' ends apart.
func endOffsets(c matrix.Contest, part []matrix.Contender, s span) []int {
	sizes := c.Sizes()
	ends := make([]float64, len(part))
	for i, r := range part {
		for _, size := range sizes {
			if p, ok := c.Point(r.Calibrator, size); ok {
				ends[i] = 100 * p.Mean
			}
		}
	}
	return apart(ends, s, bakeoffHeight-12-46)
}

func growthTable(c matrix.Contest) table {
	t := table{Caption: "accuracy by calibrator and number of calibration pictures",
		Head: columns("calibrator", ">pictures", ">subsets", ">top-1, %", ">deviation, pp", ">smallest, %", ">largest, %", ">95 % low", ">95 % high")}
	for _, r := range c.Ranked {
		for _, p := range c.Points {
			if p.Calibrator != r.Calibrator {
				continue
			}
			row := []string{p.Calibrator, format.Count(p.Calibration), format.Count(len(p.Correct)), format.Percent(p.Mean), "", "", "", "", ""}
			if p.Interval != nil {
				row[4], row[5], row[6] = format.Loss(p.Deviation), format.Percent(p.Range.Lo), format.Percent(p.Range.Hi)
				row[7], row[8] = format.Percent(p.Interval.Lo), format.Percent(p.Interval.Hi)
			}
			t.Rows = append(t.Rows, row)
		}
	}
	return t
}
