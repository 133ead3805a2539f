package table

import (
	"fmt"
	"math"

	"quantbench/models"
)

// ByPosition gives layer i of the prototxt row i of the table, as the repair
// script of the literature does. Its warnings name every layer for which this
// differs from the rule of Fix, that is, where it is wrong.
func ByPosition(net *models.Network, t *Table) (*Fixed, error) {
	var layers []*models.Layer
	for _, l := range net.Layers {
		if !l.Implicit {
			layers = append(layers, l)
		}
	}
	if len(t.Rows) < len(layers) {
		return nil, fmt.Errorf("%s: %d rows for %d layers of %s; by position, layer %q (%s) and those behind it get none", t.File, len(t.Rows), len(layers), net.File, layers[len(t.Rows)].Name, layers[len(t.Rows)].Pos)
	}
	f := newFixer(net, t)
	if n := len(t.Rows) - len(layers); n > 0 {
		f.warn(t.Rows[len(layers)], "%d rows more than layers: the mapping by position is off by one somewhere", n)
	}
	for _, l := range net.Layers {
		if l.Implicit {
			f.warn(t.Rows[0], "the input %q of the header \"input:\" is no layer and gets no row; nvdla_compiler aborts without it", l.Top())
		}
	}
	right := f.lineage()
	for i, l := range layers {
		r := t.Rows[i]
		f.Assignments = append(f.Assignments, Assignment{l, r, "position", fmt.Sprintf("row %d of the table, layer %d of the prototxt", i, i)})
		at, ok := right[l.Index]
		switch {
		case ok && at != i:
			o := t.Rows[at]
			f.warn(r, "layer %s (%s) takes row %q by position; its tensor is row %q in line %d, %.4g times as large", l.Name, l.Type, r.Name, o.Name, o.Line, o.Scale/r.Scale)
		case !ok && !identity(l):
			f.warn(r, "layer %s (%s) takes row %q by position, but no row is its tensor", l.Name, l.Type, r.Name)
		}
	}
	f.scatter()
	return f.Fixed, nil
}

// noRule marks a layer that mapping by position leaves without a row.
const noRule = "none"

// lineage is the row of each layer by the rule of Fix, by Layer.Index.
func (f *fixer) lineage() map[int]int {
	of := map[int]int{}
	for _, k := range keys(f.Network) {
		i, ok := f.names[k.name]
		if !ok || k.name == "" {
			i, ok = f.numbers[k.number]
		}
		if ok {
			of[k.layer.Index] = i
		}
	}
	for _, l := range f.Network.Layers {
		if i, ok := of[firstIndex(l)]; ok && identity(l) {
			of[l.Index] = i
		}
	}
	return of
}

func firstIndex(l *models.Layer) int {
	if len(l.From) == 0 {
		return -1
	}
	return l.From[0].Index
}

// scatter puts the assignments in Layer.Index order, an implicit input first.
func (f *fixer) scatter() {
	of := make([]Assignment, len(f.Network.Layers))
	for i, l := range f.Network.Layers {
		of[i] = Assignment{Layer: l, Rule: noRule, Evidence: "an input: header has no position"}
	}
	for _, a := range f.Assignments {
		of[a.Layer.Index] = a
	}
	f.Assignments = of
}

// Outputs gives scales by Layer.Index to a table of layers' inputs: each row
// belongs to the layer that wrote the input, and to what pooling and layers that
// compute nothing copy from it or to it. 0 stands for a scale that the table
// does not tell. Warnings name rows without a layer and rows that contradict.
func Outputs(net *models.Network, t *Table) (scales []float32, warnings []error) {
	scales = make([]float32, len(net.Layers))
	warn := func(r Row, format string, args ...any) {
		warnings = append(warnings, fmt.Errorf("%s:%d: "+format, append([]any{t.File, r.Line}, args...)...))
	}
	for _, r := range t.Rows {
		l := net.Layer(r.Name)
		if l == nil || len(l.From) == 0 {
			warn(r, "%s has no layer %q that reads a tensor", net.File, r.Name)
			continue
		}
		from := l.From[0]
		if old := scales[from.Index]; old != 0 && old != r.Scale {
			warn(r, "layer %q reads %q with the scale %.6g, another layer with %.6g; the larger is taken", l.Name, from.Name, r.Scale, old)
		}
		scales[from.Index] = max(scales[from.Index], r.Scale)
	}
	for range 2 {
		for _, l := range net.Layers {
			share(l, scales)
		}
	}
	return scales, warnings
}

// share spreads a scale between a copying layer and its input.
func share(l *models.Layer, scales []float32) {
	if _, pool := l.Op.(models.Pooling); !pool && !identity(l) {
		return
	}
	in, out := &scales[l.From[0].Index], &scales[l.Index]
	switch {
	case *out == 0:
		*out = *in
	case *in == 0:
		*in = *out
	}
}

// ToInputs makes an ncnn table of scales by Layer.Index: the input scale of each
// convolution and inner product, and, if the network has weights, 127/max|w| of
// each output channel (0 for a channel of zeros).
func ToInputs(net *models.Network, scales []float32) (*Table, error) {
	if err := checkScales(net, scales); err != nil {
		return nil, err
	}
	t := &Table{File: net.File, OfInputs: true}
	for _, l := range net.Layers {
		out := 0
		switch op := l.Op.(type) {
		case models.Convolution:
			out = op.Out
		case models.InnerProduct:
			out = op.Out
		default:
			continue
		}
		t.Rows = append(t.Rows, Row{Name: l.Name, Scale: scales[l.From[0].Index]})
		if len(l.Weights) > 0 && out > 0 {
			t.Weights = append(t.Weights, WeightRow{Layer: l.Name, Factors: factors(l.Weights[0].Data, out)})
		}
	}
	t.check()
	return t, nil
}

func factors(w []float32, channels int) []float64 {
	per := len(w) / channels
	f := make([]float64, channels)
	for k := range f {
		top := 0.0
		for _, x := range w[k*per : (k+1)*per] {
			top = max(top, math.Abs(float64(x)))
		}
		if top > 0 {
			f[k] = 127 / top
		}
	}
	return f
}

// Rekey gives a table the names that a format uses: TensorRT's blobs and
// numbers, NVDLA's layers, ncnn's reading layers. The others keep TensorRT's. A
// nil network keeps the names. Scales that the table does not tell are left out
// if partial is true and an error otherwise.
func Rekey(net *models.Network, t *Table, to Format, partial bool) (*Table, []error, error) {
	if net == nil {
		if t.OfInputs != (to == NCNN) {
			return nil, nil, fmt.Errorf("%s: ncnn's tables hold the scales of layers' inputs, %s's those of tensors; give the network (--prototxt)", t.File, to)
		}
		return t, nil, nil
	}
	scales, warnings, err := layerScales(net, t)
	if err != nil {
		return nil, warnings, err
	}
	out, err := keyed(net, scales, t.Header, to)
	if err != nil {
		return nil, warnings, err
	}
	out.File = t.File
	kept := out.Rows[:0]
	for _, r := range out.Rows {
		if r.Scale != 0 {
			kept = append(kept, r)
			continue
		}
		e := fmt.Errorf("%s: the table does not tell the scale of %q; calibrate it", t.File, r.Name)
		if !partial {
			return nil, warnings, fmt.Errorf("%w, or write what there is (--partial)", e)
		}
		warnings = append(warnings, e)
	}
	out.Rows = kept
	return out, warnings, nil
}

func keyed(net *models.Network, scales []float32, header string, to Format) (*Table, error) {
	switch to {
	case NVDLA:
		return Named(net, scales)
	case NCNN:
		return ToInputs(net, scales)
	}
	return Cache(net, scales, header)
}

func layerScales(net *models.Network, t *Table) ([]float32, []error, error) {
	if t.OfInputs {
		scales, warnings := Outputs(net, t)
		return scales, warnings, nil
	}
	fix := Fix
	if t.Format == NVDLA {
		fix = FixNamed
	}
	f, err := fix(net, t)
	if err != nil {
		return nil, nil, err
	}
	return f.Scales(), f.Warnings, nil
}

// Difference is a name that two tables do not agree on.
type Difference struct {
	Name string
	A, B *Row // nil: the table has no such row
}

// Diff compares two tables name by name, bit for bit, in A's order, then B's.
// equal counts the names that agree. A repeated name counts once, with its
// first row.
func Diff(a, b *Table) (diffs []Difference, equal int) {
	seen := map[string]bool{}
	for _, t := range []*Table{a, b} {
		for _, r := range t.Rows {
			if seen[r.Name] {
				continue
			}
			seen[r.Name] = true
			ra, inA := a.Row(r.Name)
			rb, inB := b.Row(r.Name)
			switch {
			case !inA:
				diffs = append(diffs, Difference{r.Name, nil, &rb})
			case !inB:
				diffs = append(diffs, Difference{r.Name, &ra, nil})
			case ra.Bits() != rb.Bits():
				diffs = append(diffs, Difference{r.Name, &ra, &rb})
			default:
				equal++
			}
		}
	}
	return diffs, equal
}
