package table

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"quantbench/models"
)

// Fixed is a table whose every row has its layer.
type Fixed struct {
	Network     *models.Network
	Assignments []Assignment // in network order
	Warnings    []error
}

// Assignment says which row a layer takes, and why.
type Assignment struct {
	Layer *models.Layer
	Row   Row
	// Rule is the reason in a word: "input", "blob", "number", "name" or "same
	// tensor" (a layer that computes nothing has its bottom's scale and no row).
	Rule     string
	Evidence string
}

// key is the row that a layer should have.
type key struct {
	layer    *models.Layer
	name     string // exact name; empty for a tensor known by number only
	number   int    // TensorRT's layer number; -1 for an input
	evidence string
}

var unnamed = regexp.MustCompile(`^\(Unnamed Layer\* ([0-9]+)\) \[(.*)\]_output$`)

// identity reports layers that compute nothing, so that no tensor of a
// runtime's is theirs.
func identity(l *models.Layer) bool {
	switch l.Op.(type) {
	case models.Dropout, models.Flatten, models.Split:
		return true
	}
	return false
}

// keys are the rows that TensorRT's Caffe parser makes of a network: the
// inputs, then one tensor for each layer that computes something. The last of
// them that writes a blob bears the blob's name; the others are known by number.
func keys(net *models.Network) []key {
	last := map[string]*models.Layer{}
	for _, l := range net.Layers {
		if !identity(l) {
			last[l.Top()] = l
		}
	}
	var ks []key
	n := 0
	for _, l := range net.Layers {
		if identity(l) {
			continue
		}
		if _, ok := l.Op.(models.Input); ok {
			ks = append(ks, key{l, l.Top(), -1, "network input " + l.Top()})
			continue
		}
		k := key{l, l.Top(), n, fmt.Sprintf("TensorRT layer %d, the last to write blob %s", n, l.Top())}
		if o := last[l.Top()]; o != l {
			k.name, k.evidence = "", fmt.Sprintf("TensorRT layer %d; blob %s is written again by %s", n, l.Top(), o.Name)
		}
		ks = append(ks, k)
		n++
	}
	return ks
}

// Fix gives each row of a TensorRT cache its Caffe layer. A row in TensorRT's
// "(Unnamed Layer* N) [Type]_output" form goes by N alone. Rows or layers left
// over, repeated rows and unusable scales are errors, and all are reported.
func Fix(net *models.Network, cache *Table) (*Fixed, error) {
	f := newFixer(net, cache)
	for _, k := range keys(net) {
		f.byKey(k)
	}
	return f.finish()
}

// FixNamed gives each row of an NVDLA table its layer: the input's blob or the
// layer's own name, exactly. Errors are as for Fix.
func FixNamed(net *models.Network, t *Table) (*Fixed, error) {
	f := newFixer(net, t)
	for _, k := range keys(net) {
		name, rule := k.layer.Name, "name"
		if k.number < 0 {
			name, rule = k.name, "input"
		}
		i, ok := f.names[name]
		if !ok {
			f.fail("layer %s (%s) has no entry %q; nvdla_compiler would abort", k.layer.Name, k.layer.Type, name)
			continue
		}
		f.use(k.layer, i, rule, "entry "+name)
	}
	return f.finish()
}

// fixer gathers assignments and all errors.
type fixer struct {
	*Fixed
	cache   *Table
	names   map[string]int
	numbers map[int]int
	used    []bool
	errs    []error
}

func newFixer(net *models.Network, t *Table) *fixer {
	f := &fixer{&Fixed{Network: net}, t, map[string]int{}, map[int]int{}, make([]bool, len(t.Rows)), nil}
	for i, r := range t.Rows {
		if _, ok := f.names[r.Name]; !ok {
			f.names[r.Name] = i
		}
		if m := unnamed.FindStringSubmatch(r.Name); m != nil {
			if n, err := strconv.Atoi(m[1]); err == nil {
				if _, ok := f.numbers[n]; !ok {
					f.numbers[n] = i
				}
			}
		}
	}
	return f
}

func (f *fixer) fail(format string, args ...any) {
	f.errs = append(f.errs, fmt.Errorf("%s: "+format, append([]any{f.cache.File}, args...)...))
}

// byKey finds a layer's row by blob name, else by number.
func (f *fixer) byKey(k key) {
	rule := "blob"
	if k.number < 0 {
		rule = "input"
	}
	if i, ok := f.names[k.name]; ok && k.name != "" {
		f.use(k.layer, i, rule, k.evidence)
		return
	}
	i, ok := f.numbers[k.number]
	if !ok {
		f.missing(k)
		return
	}
	f.use(k.layer, i, "number", k.evidence)
	r := f.cache.Rows[i]
	if k.name != "" {
		f.warn(r, "layer %s should be called by its blob %s, but only the row %q has its number", k.layer.Name, k.name, r.Name)
	}
	if typ := unnamed.FindStringSubmatch(r.Name)[2]; typ != kind(k.layer) {
		f.warn(r, "row %q says %s, but layer %s of that number is a %s (%s in TensorRT)", r.Name, typ, k.layer.Name, k.layer.Type, kind(k.layer))
	}
}

func (f *fixer) missing(k key) {
	want := strconv.Quote(k.name)
	if k.name == "" {
		want = strconv.Quote(unnamedRow(k))
	}
	f.fail("layer %s (%s, %s) has no row %s; the cache is of another network, or the layers are counted differently (%s)",
		k.layer.Name, k.layer.Type, k.layer.Pos, want, k.evidence)
}

func (f *fixer) warn(r Row, format string, args ...any) {
	f.Warnings = append(f.Warnings, fmt.Errorf("%s:%d: "+format, append([]any{f.cache.File, r.Line}, args...)...))
}

func (f *fixer) use(l *models.Layer, i int, rule, evidence string) {
	r := f.cache.Rows[i]
	switch {
	case f.used[i]:
		f.fail("row %q (line %d) fits layer %s and another one", r.Name, r.Line, l.Name)
	case !Usable(r.Scale):
		f.fail("layer %s: row %q (line %d) has the scale %v; a scale is a positive number", l.Name, r.Name, r.Line, r.Scale)
	}
	f.used[i] = true
	f.Assignments = append(f.Assignments, Assignment{l, r, rule, evidence})
}

// finish reports the rows left over and adds the layers without a row.
func (f *fixer) finish() (*Fixed, error) {
	for i, r := range f.cache.Rows {
		if !f.used[i] {
			f.fail("row %q (line %d) belongs to no layer of %s", r.Name, r.Line, f.Network.File)
		}
	}
	if len(f.errs) > 0 {
		return nil, errors.Join(f.errs...)
	}
	f.inherit()
	return f.Fixed, nil
}

// inherit gives layers that compute nothing their bottom's row.
func (f *fixer) inherit() {
	of := make([]Assignment, len(f.Network.Layers))
	for _, a := range f.Assignments {
		of[a.Layer.Index] = a
	}
	for i, l := range f.Network.Layers {
		if identity(l) {
			from := of[l.From[0].Index]
			of[i] = Assignment{l, from.Row, "same tensor", fmt.Sprintf("%s passes on %s", l.Type, l.From[0].Name)}
		}
	}
	f.Assignments = of
}

// Scales are the scales by Layer.Index.
func (f *Fixed) Scales() []float32 {
	s := make([]float32, len(f.Assignments))
	for i, a := range f.Assignments {
		s[i] = a.Row.Scale
	}
	return s
}

// JSON is the table that nvdla_compiler takes: each input under its blob's
// name, every other layer that the compiler knows under its own. Layers that
// ByPosition left without a row are missing.
func (f *Fixed) JSON() *Table {
	t := named(f.Network, f.Scales())
	for _, a := range f.Assignments {
		if a.Rule == noRule {
			t.Rows = slices.DeleteFunc(t.Rows, func(r Row) bool { return r.Name == a.Layer.Top() })
		}
	}
	return t
}
