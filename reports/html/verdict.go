package html

import (
	"fmt"
	"html/template"
	"math"
	"strings"

	"quantbench/harness/record"
	"quantbench/reports/format"
	"quantbench/reports/matrix"
)

// gate is one line of the verdict: a status, a sentence, an interval. Without
// gates in the run, the lines have no status and no limit.
type gate struct {
	Class, Word    string
	Icon           template.HTML
	Mark           template.HTML
	Model, Runtime string
	Says           string
	Cell           string
	Interval       template.HTML
}

var statuses = map[record.Verdict]struct {
	class, word string
	icon        template.HTML
}{
	record.Fail:         {"fail", "FAIL", `<svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true"><path d="M2.5 2.5l9 9m0-9l-9 9" stroke="currentColor" stroke-width="2.4"/></svg>`},
	record.Pass:         {"pass", "PASS", `<svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true"><path d="M1.5 7.5l4 4 7-9" fill="none" stroke="currentColor" stroke-width="2.2"/></svg>`},
	record.Inconclusive: {"unsure", "INCONCLUSIVE", `<svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true"><circle cx="7" cy="7" r="5.2" fill="none" stroke="currentColor" stroke-width="1.8" stroke-dasharray="2.6 2.2"/></svg>`},
}

// verdict is the section of that name.
type verdict struct {
	Heading, Sub string
	Judged       bool
	Lines        []gate
	Axis         template.HTML
}

func verdictOf(m *matrix.Matrix) verdict {
	if gates := m.Gates(); len(gates) > 0 {
		return judgedVerdict(m, gates)
	}
	return plainVerdict(m)
}

func judgedVerdict(m *matrix.Matrix, gates []matrix.Judged) verdict {
	v := verdict{Heading: "Verdict", Judged: true, Sub: "A gate fails only when the whole 95 % interval of the paired difference lies beyond its limit, and passes only when none of it does. Right: the difference with its interval; upright line: the limit." + gateCalibrators(gates)}
	x := newRuler(gates)
	for _, j := range gates {
		s := statuses[j.Outcome()]
		model, runtime := m.Subject(j)
		line := gate{Class: s.class, Word: s.word, Icon: s.icon, Model: model, Runtime: runtime, Says: joined(m.Says(j)), Cell: j.Gate.Cell}
		if !j.Missing {
			line.Mark, line.Interval = mark(j.Row.Series), x.interval(j.Row, &j.Limit)
		}
		v.Lines = append(v.Lines, line)
	}
	v.Axis = x.axis(m.Base())
	return v
}

func gateCalibrators(gates []matrix.Judged) string {
	var names []string
	for _, j := range gates {
		known := j.Row.Calibrator == ""
		for _, n := range names {
			known = known || n == j.Row.Calibrator
		}
		if !known {
			names = append(names, j.Row.Calibrator)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return " Calibration: " + format.List(names) + "."
}

// plainVerdict states the differences of the main calibrator where no gate
// judges them.
func plainVerdict(m *matrix.Matrix) verdict {
	v := verdict{Heading: "Result", Sub: "No gates are set. Difference to " + m.Base() + " on the same pictures with its paired 95 % interval"}
	if m.Main != "" {
		v.Sub += ", calibration " + m.Main
	}
	v.Sub += "."
	var rows []matrix.Judged
	for _, g := range m.Groups {
		for _, r := range g.With(m.Main, false) {
			if r.Paired() {
				rows = append(rows, matrix.Judged{Row: r})
			}
		}
	}
	if len(rows) == 0 {
		return verdict{}
	}
	x := newRuler(rows)
	for _, j := range rows {
		v.Lines = append(v.Lines, gate{Mark: mark(j.Row.Series), Model: m.Where(j.Row), Runtime: j.Row.Name(), Says: joined(plainly(m, j.Row)), Cell: j.Row.ID, Interval: x.interval(j.Row, nil)})
	}
	v.Axis = x.axis(m.Base())
	return v
}

func plainly(m *matrix.Matrix, r matrix.Row) string {
	switch {
	case r.Tied():
		return fmt.Sprintf("cannot be told from %s (%s; %s).", m.Base(), matrix.Interval(r), format.Equation(*r.McNemarP))
	case r.Difference > 0:
		return fmt.Sprintf("gains %s pp (%s; %s).", format.Loss(r.Difference), matrix.Interval(r), format.Equation(*r.McNemarP))
	}
	return fmt.Sprintf("loses %s pp (%s; %s).", format.Loss(r.Difference), matrix.Interval(r), format.Equation(*r.McNemarP))
}

// ruler is the axis that all intervals of the verdict share: percentage points
// over 248 of 268 px.
type ruler struct{ s span }

func newRuler(gates []matrix.Judged) ruler {
	lo, hi := 0.0, 0.0
	for _, j := range gates {
		if j.Missing {
			continue
		}
		lo = min(lo, 100*j.Row.DifferenceInterval.Lo, 100*j.Limit)
		hi = max(hi, 100*j.Row.DifferenceInterval.Hi, 100*j.Limit)
	}
	room := max(0.05, (hi-lo)*0.04)
	s := span{lo: lo - room, hi: hi + room}
	step := niceStep((s.hi - s.lo) / 5)
	for i := math.Ceil(s.lo / step); i*step <= s.hi; i++ {
		s.ticks = append(s.ticks, round(i*step))
	}
	return ruler{s}
}

func (r ruler) x(points float64) float64 {
	return math.Round(10*(10+(points-r.s.lo)/(r.s.hi-r.s.lo)*248)) / 10
}

// interval draws a difference with its interval, and the limit if there is one.
func (r ruler) interval(row matrix.Row, limit *float64) template.HTML {
	d := row.DifferenceInterval
	lo, hi, at, c := r.x(100*d.Lo), r.x(100*d.Hi), r.x(100*row.Difference), row.Series.Key
	label := fmt.Sprintf("difference %s pp, 95 %% interval %s to %s", format.Points(row.Difference), format.Points(d.Lo), format.Points(d.Hi))
	var b strings.Builder
	if limit != nil {
		label += ", limit " + format.Points(*limit)
		fmt.Fprintf(&b, `<rect x="0" y="0" width="%g" height="24" fill="var(--tint)"/>`, r.x(100**limit))
	}
	fmt.Fprintf(&b, `<path d="M%g 0v24" stroke="var(--line)"/>`, r.x(0))
	if limit != nil {
		fmt.Fprintf(&b, `<path d="M%g 1v22" stroke="var(--ink)" stroke-width="1.5"/>`, r.x(100**limit))
	}
	fmt.Fprintf(&b, `<path d="M%g 12H%g" stroke="var(--%s)" stroke-width="2.5"/><path d="M%g 8v8M%g 8v8" stroke="var(--%s)" stroke-width="1.5"/>`, lo, hi, c, lo, hi, c)
	fmt.Fprintf(&b, `<svg x="%g" y="7" width="10" height="10" viewBox="0 0 12 12">%s</svg>`, at-5, shapes[c].svg)
	return template.HTML(fmt.Sprintf(`<svg class="iv" viewBox="0 0 268 24" role="img" aria-label="%s">%s</svg>`, label, b.String()))
}

func (r ruler) axis(base string) template.HTML {
	var b strings.Builder
	for _, t := range r.s.ticks {
		fmt.Fprintf(&b, `<path d="M%g 0v4" stroke="var(--ink3)"/><text x="%g" y="16" text-anchor="middle">%s</text>`, r.x(t), r.x(t), strings.ReplaceAll(trim(t), "-", format.Minus))
	}
	return template.HTML(`<svg class="iv" viewBox="0 0 268 32">` + b.String() + `<text x="134" y="30" text-anchor="middle">difference to ` + template.HTMLEscapeString(base) + `, pp</text></svg>`)
}
