// Package fold rewrites a network so that less has to be done around it:
// BatchNorm and Scale layers go into the convolution or fully connected layer
// before them, and the preprocessing's mean and scale into the first one, which
// then takes raw pixels. That is what int8 nvdla_runtime feeds: it maps a pixel p
// to floor(p*127/255 + 0.5) whatever the network was trained with.
//
// Only what is exact in real arithmetic is folded, unless forced: a mean goes
// into a bias only where the convolution does not pad, because padding means "the
// mean" before folding and "black" after it. What stays, and why, is a note.
package fold

import (
	"errors"
	"fmt"
	"slices"

	"quantbench/datasets"
	"quantbench/harness/runtime/fuse"
	"quantbench/models"
)

// Mean says what is done about a mean that a padding convolution keeps from
// being folded exactly.
type Mean string

// The ways.
const (
	Keep  Mean = "keep"  // it stays in the preprocessing; the scale is folded
	Layer Mean = "layer" // a Scale layer in front of the network subtracts it, exactly
	Force Mean = "force" // it is folded all the same; results at the border differ
)

// Options are how to fold.
type Options struct {
	// Preprocess is how the network wants its pictures now.
	Preprocess datasets.Preprocess
	// Mean is used where the mean cannot be folded exactly; empty means Keep.
	Mean Mean
	// RGB makes a network for blue, green, red pictures take red, green, blue.
	RGB bool
}

// Result is a folded network.
type Result struct {
	Network *models.Network
	// Preprocess is what is left to do to a picture.
	Preprocess datasets.Preprocess
	// Layers are the names of the layers that were folded into others.
	Layers []string
	// Notes tell what was not folded, or not exactly, and why.
	Notes []error
}

// Raw reports whether the network takes pixels as they are, 0 to 255, as
// nvdla_runtime feeds them.
func (r *Result) Raw() bool {
	p := r.Preprocess
	return !p.Invert && len(p.Mean) == 0 && len(p.MeanImage) == 0 && p.MeanFile == "" && p.Factor() == 1
}

// Fold folds a network, which is left as it is. It needs weights.
func Fold(net *models.Network, o Options) (*Result, error) {
	in := net.Input().Out
	if err := o.Preprocess.Check(in.C, in.H, in.W); err != nil {
		return nil, err
	}
	if o.Mean != "" && o.Mean != Keep && o.Mean != Layer && o.Mean != Force {
		return nil, fmt.Errorf("unknown way %q for a mean; write keep, layer or force", o.Mean)
	}
	for _, l := range net.Layers {
		if len(l.Weights) < len(l.WeightShapes()) {
			return nil, l.Errorf("has no weights; folding needs the .caffemodel")
		}
	}
	f := &folder{net: net, heads: map[*models.Layer]*head{}, result: &Result{Preprocess: o.Preprocess}}
	f.norms()
	if err := f.input(o); err != nil {
		return nil, err
	}
	return f.result, f.rebuild()
}

// folder is a folding under way.
type folder struct {
	net    *models.Network
	result *Result
	heads  map[*models.Layer]*head // by every layer that is part of one
	front  *models.Layer           // a new layer behind the input, or nil
}

// head is a layer with weights, and what was folded into it.
type head struct {
	layer *models.Layer
	top   string
	w, b  []float64 // in the layout of the layer
}

// output is the output channel that weight i belongs to, input the input channel.
func (h *head) output(i int) int {
	switch op := h.layer.Op.(type) {
	case models.Deconvolution:
		per := op.Out / op.Groups
		plane := op.KernelH * op.KernelW
		in := i / (per * plane)
		return in/(h.layer.In().C/op.Groups)*per + i/plane%per
	case models.InnerProduct:
		if op.Transpose {
			return i % op.Out
		}
	}
	return i / (len(h.w) / len(h.b))
}

func (h *head) input(i int) int {
	in := h.layer.In()
	switch op := h.layer.Op.(type) {
	case models.Convolution:
		per, plane := in.C/op.Groups, op.KernelH*op.KernelW
		return h.output(i)/(op.Out/op.Groups)*per + i/plane%per
	case models.InnerProduct:
		if op.Transpose {
			return i / op.Out / (in.H * in.W)
		}
		return i % in.Len() / (in.H * in.W)
	}
	return -1
}

// begin makes a head of a layer with weights; nil for others.
func begin(l *models.Layer) *head {
	out := 0
	switch op := l.Op.(type) {
	case models.Convolution:
		out = op.Out
	case models.Deconvolution:
		out = op.Out
	case models.InnerProduct:
		out = op.Out
	default:
		return nil
	}
	h := &head{layer: l, top: l.Top(), w: wide(l.Weights[0].Data), b: make([]float64, out)}
	if len(l.Weights) > 1 {
		h.b = wide(l.Weights[1].Data)
	}
	return h
}

func wide(v []float32) []float64 {
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = float64(x)
	}
	return out
}

func narrow(v []float64) []float32 {
	out := make([]float32, len(v))
	for i, x := range v {
		out[i] = float32(x)
	}
	return out
}

// norms folds BatchNorm and Scale layers into the head before them.
func (f *folder) norms() {
	consumers := f.net.Consumers()
	for _, l := range f.net.Layers {
		if h := begin(l); h != nil {
			f.heads[l] = h
			continue
		}
		var factor, offset []float64
		switch op := l.Op.(type) {
		case models.BatchNorm:
			factor, offset = fuse.BatchNorm(l, op)
		case models.Scale:
			factor, offset = fuse.ScaleBias(l)
		default:
			continue
		}
		from := l.From[0]
		switch h := f.heads[from]; {
		case h == nil:
			f.note(l, "stays: it follows layer %q (%s), which has no weights that could take it in", from.Name, from.Type)
		case len(consumers[from.Index]) > 1:
			f.note(l, "stays: other layers read what layer %q computes, too", from.Name)
		default:
			h.affine(factor, offset)
			h.top, f.heads[l] = l.Top(), h
			f.result.Layers = append(f.result.Layers, l.Name)
		}
	}
}

func (f *folder) note(l *models.Layer, format string, args ...any) {
	f.result.Notes = append(f.result.Notes, l.Errorf(format, args...))
}

// affine makes the head compute y*factor + offset, a channel of its output.
func (h *head) affine(factor, offset []float64) {
	for i := range h.w {
		h.w[i] *= factor[h.output(i)]
	}
	for k := range h.b {
		h.b[k] = h.b[k]*factor[k] + offset[k]
	}
}

// rebuild makes the new network of the heads and the layers that stayed.
func (f *folder) rebuild() error {
	net := &models.Network{Name: f.net.Name, File: f.net.File, Batch: f.net.Batch}
	for _, l := range f.net.Layers {
		c := *l
		c.From, c.Bottoms, c.Tops = nil, slices.Clone(l.Bottoms), slices.Clone(l.Tops)
		if f.front != nil {
			f.behind(&c, l)
		}
		h := f.heads[l]
		if h != nil && h.layer != l {
			continue // folded
		}
		if h != nil {
			h.finish(&c)
		}
		net.Layers = append(net.Layers, &c)
		if f.front != nil && l == f.net.Input() {
			net.Layers = append(net.Layers, f.front)
		}
	}
	f.result.Network = net
	return errors.Join(net.Link(), net.InferShapes())
}

// behind makes a reader of the input read the new front layer.
func (f *folder) behind(c, l *models.Layer) {
	for i, from := range l.From {
		if from == f.net.Input() {
			c.Bottoms[i] = f.front.Top()
		}
	}
}

// finish gives the copied layer the head's weights, with a bias.
func (h *head) finish(c *models.Layer) {
	c.Tops = []string{h.top}
	c.Weights = []models.Blob{{Shape: h.layer.Weights[0].Shape, Data: narrow(h.w)}, {Shape: []int{len(h.b)}, Data: narrow(h.b)}}
	switch op := c.Op.(type) {
	case models.Convolution:
		op.Bias = true
		c.Op = op
	case models.Deconvolution:
		op.Bias = true
		c.Op = op
	case models.InnerProduct:
		op.Bias = true
		c.Op = op
	}
}
