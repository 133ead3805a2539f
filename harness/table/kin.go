package table

import "quantbench/models"

// Kin is what stands beside a row.
type Kin struct {
	// Layer is the layer whose output the row's scale is of; nil if it is not known.
	Layer *models.Layer
	// Before and After are the scales of the layer's first input and of its first
	// reader, or of the rows before and after; 0 where there is none.
	Before, After float32
}

// Beside are the rows before and after each row.
func Beside(t *Table) []Kin {
	kin := make([]Kin, len(t.Rows))
	for i := range t.Rows {
		if i > 0 {
			kin[i].Before = t.Rows[i-1].Scale
			kin[i-1].After = t.Rows[i].Scale
		}
	}
	return kin
}

// Lineage finds the layer of each row, with the scales around it. The rows of an
// ncnn table are named after layers already.
func Lineage(net *models.Network, t *Table) []Kin {
	kin := make([]Kin, len(t.Rows))
	m := Match(net, t, t.Format == NVDLA || t.OfInputs)
	readers := net.Consumers()
	type place struct {
		name string
		line int
	}
	at := map[place]int{}
	for i, r := range t.Rows {
		if _, repeated := at[place{r.Name, r.Line}]; !repeated {
			at[place{r.Name, r.Line}] = i
		}
	}
	for _, l := range net.Layers {
		r := m.Rows[l.Index]
		if r == nil {
			continue
		}
		k := &kin[at[place{r.Name, r.Line}]]
		if k.Layer != nil {
			continue // a layer that computes nothing
		}
		k.Layer = l
		if len(l.From) > 0 {
			k.Before = m.Scales[l.From[0].Index]
		}
		if next := readers[l.Index]; len(next) > 0 {
			k.After = m.Scales[next[0].Index]
		}
	}
	return kin
}
