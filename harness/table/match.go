package table

import "quantbench/models"

// Matching says which row each layer has, without refusing anything.
type Matching struct {
	// Scales by Layer.Index; 0 where the table tells none. Layers that compute
	// nothing have their bottom's.
	Scales []float32
	// Rows by Layer.Index; nil where there is none.
	Rows []*Row
	// Missing are the layers without a row and the name that it should have.
	Missing []Gap
	// Extra are the rows that no layer takes, repeated names included.
	Extra []Row
	// Mistyped are unnamed rows whose type is not that of the layer with their number.
	Mistyped []Mistyped
}

// Gap is a row that is not there.
type Gap struct {
	Layer *models.Layer
	Want  string
}

// Mistyped is a row "(Unnamed Layer* N) [Says]_output" whose layer N is of the
// type Is.
type Mistyped struct {
	Layer    *models.Layer
	Row      Row
	Says, Is string
}

// Match finds the rows of a network's layers: by the rules of Fix, or, if named,
// by the exact names that nvdla_compiler looks up (FixNamed).
func Match(net *models.Network, t *Table, named bool) *Matching {
	m := &Matching{Scales: make([]float32, len(net.Layers)), Rows: make([]*Row, len(net.Layers))}
	f := newFixer(net, t)
	for _, k := range keys(net) {
		i, want, ok := f.find(k, named)
		if !ok {
			m.Missing = append(m.Missing, Gap{k.layer, want})
			continue
		}
		f.used[i] = true
		m.take(k.layer, t.Rows[i])
	}
	for i, r := range t.Rows {
		if !f.used[i] {
			m.Extra = append(m.Extra, r)
		}
	}
	for _, l := range net.Layers {
		if identity(l) {
			m.Scales[l.Index], m.Rows[l.Index] = m.Scales[l.From[0].Index], m.Rows[l.From[0].Index]
		}
	}
	return m
}

// find is the index of a layer's row, or the name it should have.
func (f *fixer) find(k key, named bool) (int, string, bool) {
	name := k.name
	switch {
	case named && k.number >= 0:
		name = k.layer.Name
	case name == "":
		name = unnamedRow(k)
	}
	if i, ok := f.names[name]; ok {
		return i, name, true
	}
	i, ok := f.numbers[k.number]
	return i, name, ok && !named
}

// take gives a layer its row.
func (m *Matching) take(l *models.Layer, r Row) {
	m.Rows[l.Index] = &r
	if Usable(r.Scale) {
		m.Scales[l.Index] = r.Scale
	}
	if s := unnamed.FindStringSubmatch(r.Name); s != nil && s[2] != kind(l) {
		m.Mistyped = append(m.Mistyped, Mistyped{l, r, s[2], kind(l)})
	}
}

// IsUnnamed reports whether a row has a number instead of a blob's name.
func IsUnnamed(name string) bool { return unnamed.MatchString(name) }
