package emulated

import (
	"quantbench/models"
)

// Unit is what is in int8 together: the layers whose result is one rounded
// tensor, and those behind it that pass its integers on.
type Unit struct {
	// Name is that of the layer whose tensor the unit writes.
	Name string
	// Layers by Layer.Index, in network order.
	Layers []int
}

// Units cuts a network where its program rounds. Layers that round nothing are
// in the unit of the tensor that they lead to, or that they pass on; a unit that
// rounds neither weights nor a tensor is left out.
func Units(n *models.Network, g Grid) []Unit {
	c := cutter{steps: g.Steps(), consumers: n.Consumers(), net: n}
	c.owner = make([]int, len(n.Layers))
	for i := len(n.Layers) - 1; i >= 0; i-- { // readers before what they read
		c.owner[i] = c.ahead(n.Layers[i])
	}
	var units []Unit
	at := map[int]int{}
	for i, l := range n.Layers {
		owner := c.owner[i]
		if c.passes(l) {
			owner = c.owner[l.From[0].Index]
			c.owner[i] = owner
		}
		k, ok := at[owner]
		if !ok {
			k = len(units)
			at[owner] = k
			units = append(units, Unit{Name: n.Layers[owner].Name})
		}
		units[k].Layers = append(units[k].Layers, i)
	}
	return c.rounding(units)
}

type cutter struct {
	net       *models.Network
	steps     []float32
	consumers [][]*models.Layer
	owner     []int
}

// ahead is the layer whose tensor a layer leads to: itself if that is rounded, or
// if not exactly one layer reads it.
func (c *cutter) ahead(l *models.Layer) int {
	readers := c.consumers[l.Index]
	if c.steps[l.Index] != 0 || len(readers) != 1 {
		return l.Index
	}
	return c.owner[readers[0].Index]
}

// passes tells whether a layer hands on integers of its only input: rounding its
// tensor again would change nothing.
func (c *cutter) passes(l *models.Layer) bool {
	if len(l.From) != 1 || c.steps[l.Index] == 0 || c.steps[l.Index] != c.steps[l.From[0].Index] {
		return false
	}
	switch op := l.Op.(type) {
	case models.Pooling:
		return op.Method == models.PoolMax
	case models.Flatten, models.Reshape, models.Dropout, models.Split:
		return true
	}
	return false
}

// rounding keeps the units that round something. One without a rounded tensor,
// such as a last layer that stays in float, is named after its weights.
func (c *cutter) rounding(units []Unit) []Unit {
	var kept []Unit
	for _, u := range units {
		tensor, weights := false, ""
		for _, i := range u.Layers {
			tensor = tensor || c.steps[i] != 0
			if l := c.net.Layers[i]; weighted(l) {
				weights = l.Name
			}
		}
		switch {
		case tensor:
			kept = append(kept, u)
		case weights != "":
			kept = append(kept, Unit{weights, u.Layers})
		}
	}
	return kept
}

// weighted tells whether a layer has weights that int8 rounds.
func weighted(l *models.Layer) bool {
	switch l.Op.(type) {
	case models.Convolution, models.Deconvolution, models.InnerProduct:
		return true
	}
	return false
}

// Foreign names the layers whose weights the real program does not take from the
// layer as it is, so that the emulation leaves them in float.
func Foreign(n *models.Network, g Grid) []string {
	var names []string
	for _, l := range n.Layers {
		if weighted(l) && !g.RoundWeights(l, 1, nil) {
			names = append(names, l.Name)
		}
	}
	return names
}
