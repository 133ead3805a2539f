package doctor

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strings"

	"quantbench/harness/diagnose"
	"quantbench/harness/table"
	"quantbench/models"
)

// LintTable examines a table without its network: lines that are no rows, names
// given twice, scales that no tensor can have, reciprocals, the path.
func LintTable(t *table.Table) []diagnose.Finding {
	var found []diagnose.Finding
	codes := map[table.Kind]string{table.Unread: extraRow, table.Repeated: repeatedRow, table.Unusable: unusableScale,
		table.Headless: oddRow, table.Adapted: oddRow, table.Ignored: ignoredField}
	for _, w := range t.Warnings {
		var of *table.Warning
		if errors.As(w, &of) {
			found = append(found, finding(codes[of.Kind], place(of.File, of.Line), "%s", of.Text))
		}
	}
	found = append(found, lintScales(t)...)
	if p := filepath.ToSlash(t.File); t.Format == table.NVDLA && p != strings.ToLower(p) {
		found = append(found, finding(pathCase, t.File, "the compiler would open %q instead of %q", strings.ToLower(p), p))
	}
	return found
}

func place(file string, line int) string {
	if line == 0 {
		return file
	}
	return fmt.Sprintf("%s:%d", file, line)
}

// largestInput is more than any picture's input range: raw pixels end at 255.
const largestInput = 1024

func lintScales(t *table.Table) []diagnose.Finding {
	if len(t.Rows) == 0 {
		return nil
	}
	if t.OfInputs {
		r := t.Rows[0]
		return []diagnose.Finding{finding(inverted, place(t.File, r.Line), "an ncnn table: reciprocal scales of layers' inputs (%q has the factor %.6g, a range of ±%.4g). nvdla_compiler would take the factor for a scale", r.Name, 1/r.Scale, 127*r.Scale)}
	}
	if t.Format == table.ONNXRuntime {
		return nil
	}
	var found []diagnose.Finding
	if n, first := unnamedRows(t); n > 0 && t.Format == table.NVDLA {
		found = append(found, finding(noRow, place(t.File, first.Line), "%d of %d rows are called like %q; nvdla_compiler looks up layers by their Caffe names and stops at the first that is missing", n, len(t.Rows), first.Name))
	}
	if n, first := colonRows(t); n > 0 && t.Format == table.TensorRT {
		f := finding(extraRow, place(t.File, first.Line), "the names of %d rows hold a colon (%q): calib_txt_to_json.py would drop them without a word", n, first.Name)
		f.Severity, f.Advice = diagnose.Note, "convert with bench table fix or bench table convert"
		found = append(found, f)
	}
	if first := t.Rows[0]; 127*first.Scale > largestInput && table.Usable(first.Scale) {
		f := finding(inverted, place(t.File, first.Line), "scales look inverted or are ranges: %q = %.6g would mean a range of ±%.6g; as a reciprocal it is ±%.4g, as a range ±%.4g", first.Name, first.Scale, 127*first.Scale, 127/first.Scale, first.Scale)
		f.Severity = diagnose.Warning // it may be no picture
		found = append(found, f)
	}
	return found
}

// unnamedRows counts the rows that bear TensorRT's layer numbers.
func unnamedRows(t *table.Table) (n int, first table.Row) {
	return count(t, func(r table.Row) bool { return table.IsUnnamed(r.Name) })
}

// colonRows counts the rows with a colon in their names.
func colonRows(t *table.Table) (n int, first table.Row) {
	return count(t, func(r table.Row) bool { return strings.Contains(r.Name, ":") })
}

func count(t *table.Table, is func(table.Row) bool) (n int, first table.Row) {
	for _, r := range t.Rows {
		if is(r) {
			if n++; n == 1 {
				first = r
			}
		}
	}
	return n, first
}

// rows finds each layer's row and reports what does not fit.
func (e *exam) rows() {
	t := e.Table
	if t.OfInputs {
		e.scales, _ = table.Outputs(e.net, t)
		return
	}
	for i := range e.found {
		if e.found[i].Code == inverted {
			e.found[i].Severity = diagnose.Error // a Caffe network sees pictures
		}
	}
	e.match = table.Match(e.net, t, t.Format == table.NVDLA)
	e.scales = e.match.Scales
	for _, g := range e.match.Missing {
		e.add(noRow, g.Layer.Pos.String(), "%s has no row %q among %d in %s", name(g.Layer), g.Want, len(t.Rows), t.File)
	}
	for _, r := range e.match.Extra {
		if first, _ := t.Row(r.Name); first != r {
			continue // repeated, and told already
		}
		e.add(extraRow, place(t.File, r.Line), "row %q belongs to no layer of %s", r.Name, e.net.File)
	}
	for _, m := range e.match.Mistyped {
		e.add(wrongType, place(t.File, m.Row.Line), "row %q says %s, but TensorRT layer of that number is %s at %s, a %s there", m.Row.Name, m.Says, name(m.Layer), m.Layer.Pos, m.Is)
	}
	if by, pools := e.shift(); by != 0 {
		e.add(wrongType, t.File, "%d pooling layers have another scale than their input, but all have it if every row moves by %+d: the rows were matched by position and are off by %d", pools, by, by)
	}
	e.rectified()
}

// shift finds a displacement of the rows that makes every pooling layer's scale
// its input's, where the rows as they are do so for none. 0 means there is none.
func (e *exam) shift() (by, pools int) {
	var order []*models.Layer
	at := map[*models.Layer]int{}
	for _, l := range e.net.Layers {
		if !computesNothing(l) {
			at[l] = len(order)
			order = append(order, l)
		}
	}
	count := func(by int) (equal, all int) {
		for _, l := range order {
			p, ok := l.Op.(models.Pooling)
			if !ok || p.Method != models.PoolMax {
				continue
			}
			i, j := at[l]+by, at[source(l.From[0])]+by
			if min(i, j) < 0 || max(i, j) >= len(order) {
				continue
			}
			all++
			if s := e.scales[order[i].Index]; s != 0 && s == e.scales[order[j].Index] {
				equal++
			}
		}
		return equal, all
	}
	if equal, all := count(0); equal > 0 || all == 0 {
		return 0, 0
	}
	for _, by := range []int{1, -1, 2, -2} {
		if equal, all := count(by); all > 0 && equal == all {
			return by, all
		}
	}
	return 0, 0
}

// rectified reports ReLUs whose range is far above that of what they rectify.
func (e *exam) rectified() {
	for _, l := range e.net.Layers {
		if _, ok := l.Op.(models.ReLU); !ok {
			continue
		}
		in := source(l.From[0])
		s, from := e.scales[l.Index], e.scales[in.Index]
		if s == 0 || from == 0 || s < 2*from {
			continue
		}
		f := e.add(wrongType, e.rowPlace(l), "%s has the range ±%.4g, %.3g times that of %q, whose positive part it is (±%.4g): are their rows exchanged?", name(l), 127*s, s/from, in.Name, 127*from)
		f.Severity = diagnose.Warning
	}
}

// rowPlace is where a layer's scale stands.
func (e *exam) rowPlace(l *models.Layer) string {
	if e.match != nil && e.match.Rows[l.Index] != nil {
		return place(e.Table.File, e.match.Rows[l.Index].Line)
	}
	return l.Pos.String()
}

// effective are the scales with which tensors are produced after the compiler's
// override of sums, which is reported.
func (e *exam) effective() []float32 {
	eff := append([]float32{}, e.scales...)
	for _, l := range e.net.Layers {
		if _, ok := l.Op.(models.Eltwise); !ok {
			continue
		}
		a, b := source(l.From[0]), source(l.From[1])
		if a.Index > b.Index {
			a, b = b, a
		}
		if eff[a.Index] == eff[b.Index] {
			continue
		}
		f := e.add(sumOverride, e.rowPlace(a), "%s at %s adds %q (±%.4g) and %q (±%.4g): %s", name(l), l.Pos, a.Name, 127*eff[a.Index], b.Name, 127*eff[b.Index], overrideCost(e.net, a, eff[a.Index], eff[b.Index]))
		if ratio := float64(eff[b.Index] / eff[a.Index]); math.Abs(ratio-1) < tolerance {
			f.Severity = diagnose.Note
		}
		eff[a.Index] = eff[b.Index]
	}
	return eff
}

func overrideCost(net *models.Network, a *models.Layer, own, other float32) string {
	switch {
	case a == net.Input():
		return fmt.Sprintf("the input is quantized with its own scale and read with the other: its values count %.3g times what they are", other/own)
	case other < own:
		return fmt.Sprintf("%q is produced with the smaller scale and saturates at %.3g of its range", a.Name, other/own)
	}
	return fmt.Sprintf("%q is produced in steps %.3g times as coarse", a.Name, other/own)
}

// compareScales reports operands and copies whose scales differ.
func (e *exam) compareScales() {
	eff := e.effective()
	for _, l := range e.net.Layers {
		_, pool := l.Op.(models.Pooling)
		_, cat := l.Op.(models.Concat)
		if !pool && !cat {
			continue
		}
		for _, f := range l.From {
			e.copied(l, source(f), eff)
		}
	}
}

func (e *exam) copied(l, in *models.Layer, eff []float32) {
	ratio := float64(eff[l.Index] / eff[in.Index])
	if ratio == 1 {
		return
	}
	f := e.add(unscaledCopy, e.rowPlace(l), "%s has the scale %.6g, its input %q arrives with %.6g and is not rescaled: its values count %.4g times what they are", name(l), eff[l.Index], in.Name, eff[in.Index], ratio)
	switch off := math.Abs(ratio - 1); {
	case off < 0.004: // half an integer step at full range
		f.Severity = diagnose.Note
	case off < 0.1:
		f.Severity = diagnose.Warning
	}
}
