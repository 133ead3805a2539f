package matrix

import (
	"fmt"
	"slices"
	"strings"

	"quantbench/harness/record"
	"quantbench/reports/format"
)

// Judged is a gate with its row.
type Judged struct {
	record.Gate
	Row Row
	// Missing is set when the gate's cell has no result; Row holds its names at
	// most then.
	Missing bool
}

// Gates are the run's gates: missing cells and failures first, then
// inconclusive, then passed ones; in their own order otherwise.
func (m *Matrix) Gates() []Judged {
	var gates []Judged
	for _, g := range m.Run.Gates {
		gates = append(gates, m.judged(g))
	}
	rank := map[record.Verdict]int{record.Fail: 0, record.Inconclusive: 1, record.Pass: 2}
	slices.SortStableFunc(gates, func(a, b Judged) int { return rank[a.Outcome()] - rank[b.Outcome()] })
	return gates
}

func (m *Matrix) judged(g record.Gate) Judged {
	if r, ok := m.Row(g.Cell); ok {
		return Judged{g, r, false}
	}
	for i := range m.Run.Cells {
		if c := &m.Run.Cells[i]; c.ID == g.Cell {
			return Judged{g, Row{Cell: c, Series: SeriesOf(c), Adjusted: 1}, true}
		}
	}
	return Judged{g, Row{Cell: &record.Cell{ID: g.Cell}, Adjusted: 1}, true}
}

// Outcome is the gate's verdict; a gate whose cell did not run is inconclusive.
func (j Judged) Outcome() record.Verdict {
	if j.Missing {
		return record.Inconclusive
	}
	return j.Verdict
}

// Subject names what a gate is about: "resnet18" and "NVDLA int8 per-kernel".
func (m *Matrix) Subject(j Judged) (model, runtime string) {
	if j.Row.Model == "" {
		return "cell " + j.Gate.Cell, "an unknown runtime"
	}
	runtime = j.Row.Name()
	if m.gateCalibrators() > 1 {
		runtime += j.Row.Calibration()
	}
	return m.Where(j.Row), runtime
}

// gateCalibrators counts the calibrators that gates judge.
func (m *Matrix) gateCalibrators() int {
	var names []string
	for _, g := range m.Run.Gates {
		names = appendNew(names, m.judged(g).Row.Calibrator)
	}
	return len(names)
}

// Says is what a gate's numbers say, as the rest of a sentence that starts with
// its subject.
func (m *Matrix) Says(j Judged) string {
	if j.Missing {
		return "has no result, so the gate cannot be judged."
	}
	limit, interval := format.Loss(j.Limit), Interval(j.Row)
	switch {
	case j.Verdict == record.Fail:
		return fmt.Sprintf("%s (%s); the limit is %s.", change(j.Row), interval, limit)
	case j.Verdict == record.Inconclusive:
		return fmt.Sprintf("%s (%s); the limit of %s lies inside.%s", change(j.Row), interval, limit, needed(j.Needed))
	case j.Row.Tied():
		return fmt.Sprintf("cannot be told from %s (%s); the limit is %s.", m.Base(), interval, limit)
	}
	return fmt.Sprintf("%s (%s); the limit is %s.", change(j.Row), interval, limit)
}

func needed(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" About %s pictures would decide it, if the estimate holds.", format.Count(n))
}

// Interval prints a row's paired interval: "95 % interval −2.87 to −1.95".
func Interval(r Row) string {
	return "95 % interval " + format.Points(r.DifferenceInterval.Lo) + " to " + format.Points(r.DifferenceInterval.Hi)
}

// change prints "loses 2.41 pp" or "gains 0.12 pp".
func change(r Row) string {
	verb := "loses "
	if r.Difference > 0 {
		verb = "gains "
	}
	return verb + format.Loss(r.Difference) + " pp"
}

// Title is the run's verdict in one line; without gates, what was measured.
func (m *Matrix) Title() string {
	gates := m.Gates()
	if len(gates) == 0 {
		return m.neutral()
	}
	fails, open := outcomes(gates, record.Fail), outcomes(gates, record.Inconclusive)
	if fails == 0 && open == 0 {
		return all(len(gates)) + passVerb(len(gates))
	}
	if fails == 0 {
		return fmt.Sprintf("No gate fails; %s inconclusive", areWords(open))
	}
	title := fmt.Sprintf("%s of %s gates %s", format.Sentence(format.Words(fails)), format.Words(len(gates)), failVerb(fails))
	if fails == len(gates) {
		title = all(fails) + " " + failVerb(fails)
	}
	worst := worstOf(gates)
	if worst.Missing {
		return title
	}
	model, runtime := m.Subject(worst)
	return fmt.Sprintf("%s: %s %s on %s", title, model, change(worst.Row), runtime)
}

func (m *Matrix) neutral() string {
	if len(m.Groups) == 0 {
		return "No cell has a result"
	}
	what := m.Base()
	if m.Tests() > 0 {
		what = m.side("cells") + " against " + what
	}
	return fmt.Sprintf("%s on %s: %s", format.List(some(m.Models)), format.List(some(m.Datasets)), what)
}

// some keeps a title short: three names, or two and the number of the others.
func some(names []string) []string {
	if len(names) <= 3 {
		return names
	}
	return append(slices.Clone(names[:2]), fmt.Sprintf("%s more", format.Words(len(names)-2)))
}

// all names all of n gates.
func all(n int) string {
	switch n {
	case 1:
		return "The gate"
	case 2:
		return "Both gates"
	}
	return fmt.Sprintf("All %s gates", format.Words(n))
}

func passVerb(n int) string {
	if n == 1 {
		return " passes"
	}
	return " pass"
}

func areWords(n int) string {
	if n == 1 {
		return "one is"
	}
	return format.Words(n) + " are"
}

func failVerb(n int) string {
	if n == 1 {
		return "fails"
	}
	return "fail"
}

func outcomes(gates []Judged, v record.Verdict) int {
	n := 0
	for _, g := range gates {
		if g.Outcome() == v {
			n++
		}
	}
	return n
}

// worstOf is the failing gate with the largest loss.
func worstOf(gates []Judged) Judged {
	worst := gates[0]
	for _, g := range gates {
		if g.Outcome() == record.Fail && g.Row.Difference < worst.Row.Difference {
			worst = g
		}
	}
	return worst
}

// Lede is what follows the title: what holds, what does not, what is open.
func (m *Matrix) Lede() string {
	var s []string
	if fine := m.fine(); fine != "" && len(m.Differing()) > 0 {
		s = append(s, fine)
	}
	if n := m.Tests(); n > 0 {
		s = append(s, m.tests(n))
	}
	if n := outcomes(m.Gates(), record.Inconclusive); n > 0 {
		s = append(s, fmt.Sprintf("For %s the pictures do not decide.", plural(n, "gate")))
	}
	if n := m.Count(record.Failed); n > 0 {
		s = append(s, fmt.Sprintf("%s failed; the reasons stand below the table.", format.Sentence(plural(n, "cell"))))
	}
	return strings.Join(s, " ")
}

// fine names the cells with the main calibrator that cannot be told from fp32.
func (m *Matrix) fine() string {
	var names []string
	tested := 0
	for _, g := range m.Groups {
		for _, r := range g.With(m.Main, false) {
			if !r.Paired() {
				continue
			}
			tested++
			if r.Tied() {
				names = append(names, m.Where(r)+" on "+r.Name())
			}
		}
	}
	with := ""
	if m.Main != "" {
		with = "With " + m.Main + ", "
	}
	switch {
	case len(names) == 0:
		return ""
	case len(names) > 2 && len(names) == tested:
		return format.Sentence(fmt.Sprintf("%snone of %s can be told from %s.", with, plural(tested, "cell"), m.Base()))
	case len(names) > 2:
		return format.Sentence(fmt.Sprintf("%s%s of %s cannot be told from %s.", with, format.Words(len(names)), plural(tested, "cell"), m.Base()))
	}
	return fmt.Sprintf("%s%s cannot be told from %s.", with, format.List(names), m.Base())
}

func (m *Matrix) tests(n int) string {
	differ := m.Differing()
	if len(differ) == 0 && n == 1 {
		return fmt.Sprintf("The %s cannot be told from %s on the same pictures (paired test, 5 %% level).", m.Noun(), m.Base())
	}
	if len(differ) == 0 {
		return fmt.Sprintf("None of the %s can be told from %s on the same pictures (paired test, Holm-corrected, 5 %% level).", plural(n, m.Noun()), m.Base())
	}
	r := differ[0]
	text := fmt.Sprintf("%s differ from %s on the same pictures (paired test, Holm-corrected, 5 %% level)", format.Sentence(format.Share(len(differ), n, m.Noun())), m.Base())
	if len(differ) == 1 {
		text = strings.Replace(text, " differ ", " differs ", 1)
	}
	if r.Difference < 0 {
		text += fmt.Sprintf("; the largest loss is %s pp, %s on %s%s", format.Loss(r.Difference), m.Where(r), r.Name(), r.Calibration())
	}
	return text + "."
}

func plural(n int, noun string) string {
	if n == 1 {
		return "one " + noun
	}
	return format.Words(n) + " " + noun + "s"
}
