package fold

import (
	"math"
	"slices"

	"quantbench/datasets"
	"quantbench/models"
)

// input folds the preprocessing: the network's input for channel c is
// factor*pixel + offset[c].
func (f *folder) input(o Options) error {
	p, in := o.Preprocess, f.net.Input()
	factor, offset := terms(p, in.Out.C)
	heads, ok := f.first()
	if ok && o.RGB {
		p, offset = f.reorder(heads, p, offset)
	}
	plain := !slices.ContainsFunc(offset, func(v float64) bool { return v != 0 })
	image := len(p.MeanImage) > 0
	switch {
	case plain && factor == 1 && !image:
		f.result.Preprocess = rest(p)
		return nil
	case image:
		f.note(in, "a mean image is subtracted, which no bias can do: it is a value a pixel, a bias a value a channel; the scale is folded")
	case (!ok || !plain && f.padded(heads) && o.Mean != Force) && o.Mean == Layer:
		f.insert(in, factor, offset)
		f.result.Preprocess = rest(p)
		return nil
	}
	if !ok {
		return nil
	}
	if keep := image || !plain && f.padded(heads) && o.Mean != Force; keep {
		if !image {
			f.explain(heads, factor, offset)
		}
		for _, h := range heads {
			h.scale(float64(p.Factor()))
		}
		p.Scale = 0
		f.result.Preprocess = p
		return nil
	}
	if !plain && f.padded(heads) {
		f.explain(heads, factor, offset)
	}
	for _, h := range heads {
		h.take(factor, offset)
	}
	f.result.Preprocess = rest(p)
	return nil
}

// terms are a preprocessing as factor*pixel + offset, an offset a channel.
func terms(p datasets.Preprocess, channels int) (factor float64, offset []float64) {
	factor, offset = float64(p.Factor()), make([]float64, channels)
	for c := range offset {
		switch len(p.Mean) {
		case 0:
		case 1:
			offset[c] = -float64(p.Mean[0]) * factor
		default:
			offset[c] = -float64(p.Mean[c]) * factor
		}
		if p.Invert {
			offset[c] += 255 * factor
		}
	}
	if p.Invert {
		factor = -factor
	}
	return factor, offset
}

// rest is what is left of a preprocessing when its arithmetic is folded.
func rest(p datasets.Preprocess) datasets.Preprocess {
	p.Mean, p.MeanFile, p.MeanImage, p.Scale, p.Invert = nil, "", nil, 0, false
	return p
}

// first are the heads that read the input; false, with a note, if another layer
// reads it, too.
func (f *folder) first() ([]*head, bool) {
	in := f.net.Input()
	var heads []*head
	for _, l := range f.net.Consumers()[in.Index] {
		h := f.heads[l]
		if _, deconvolution := l.Op.(models.Deconvolution); h == nil || deconvolution {
			f.note(l, "reads the input and is no convolution: the preprocessing is not folded")
			return nil, false
		}
		heads = append(heads, h)
	}
	return heads, len(heads) > 0
}

// padded reports whether some head pads the input.
func (f *folder) padded(heads []*head) bool {
	return slices.ContainsFunc(heads, func(h *head) bool {
		op, ok := h.layer.Op.(models.Convolution)
		return ok && (op.PadH > 0 || op.PadW > 0)
	})
}

// scale multiplies the input that the head expects.
func (h *head) scale(factor float64) {
	for i := range h.w {
		h.w[i] *= factor
	}
}

// take makes the head read pixels: it computes on factor*pixel + offset.
func (h *head) take(factor float64, offset []float64) {
	for i, w := range h.w {
		h.b[h.output(i)] += w * offset[h.input(i)]
		h.w[i] = w * factor
	}
}

// reorder turns blue, green, red into red, green, blue.
func (f *folder) reorder(heads []*head, p datasets.Preprocess, offset []float64) (datasets.Preprocess, []float64) {
	in := f.net.Input()
	if p.Order != "bgr" || in.Out.C != 3 || len(p.MeanImage) > 0 {
		return p, offset
	}
	for _, h := range heads {
		if op, ok := h.layer.Op.(models.Convolution); ok && op.Groups > 1 {
			f.note(h.layer, "has groups: its input channels stay in the order blue, green, red")
			return p, offset
		}
	}
	for _, h := range heads {
		h.reverse()
	}
	p.Order, p.Mean = "rgb", slices.Clone(p.Mean)
	slices.Reverse(p.Mean)
	offset = slices.Clone(offset)
	slices.Reverse(offset)
	return p, offset
}

// reverse turns the order of a head's three input channels round.
func (h *head) reverse() {
	old := slices.Clone(h.w)
	step := h.layer.In().H * h.layer.In().W
	switch op := h.layer.Op.(type) {
	case models.Convolution:
		step = op.KernelH * op.KernelW
	case models.InnerProduct:
		if op.Transpose {
			step *= op.Out
		}
	}
	for i := range h.w {
		c := h.input(i)
		h.w[i] = old[i+(2-2*c)*step]
	}
}

// insert puts a Scale layer in front of the network, which computes
// factor*pixel + offset.
func (f *folder) insert(in *models.Layer, factor float64, offset []float64) {
	gamma := make([]float32, len(offset))
	for c := range gamma {
		gamma[c] = float32(factor)
	}
	name := "preprocess"
	for f.net.Layer(name) != nil || slices.ContainsFunc(f.net.Layers, func(l *models.Layer) bool { return slices.Contains(l.Tops, name) }) {
		name += "_"
	}
	f.front = &models.Layer{Name: name, Type: "Scale", Op: models.Scale{Bias: true}, Bottoms: []string{in.Top()}, Tops: []string{name},
		Weights: []models.Blob{{Shape: []int{len(gamma)}, Data: gamma}, {Shape: []int{len(gamma)}, Data: narrow(offset)}}}
}

// explain says with numbers why the mean does not go into the first convolution.
func (f *folder) explain(heads []*head, factor float64, offset []float64) {
	for _, h := range heads {
		op, ok := h.layer.Op.(models.Convolution)
		if !ok || op.PadH == 0 && op.PadW == 0 {
			continue
		}
		off, at := h.border(op, offset)
		f.note(h.layer, "pads by %dx%d with zeros, which stand for the mean before folding and for black after it: at %d of its %d positions a folded mean would be wrong, by up to %.4g (of values that reach %.4g on one pixel at 255)",
			op.PadH, op.PadW, at, h.layer.Out.H*h.layer.Out.W, off, h.reach(factor))
	}
}

// reach is the largest contribution of one pixel to one output.
func (h *head) reach(factor float64) float64 {
	top := 0.0
	for _, w := range h.w {
		top = max(top, math.Abs(w*factor*255))
	}
	return top
}

// border is the largest error of a mean folded into a padding convolution, and
// the number of positions with an error.
func (h *head) border(op models.Convolution, offset []float64) (largest float64, positions int) {
	plane := op.KernelH * op.KernelW
	taps := make([]float64, len(h.b)*plane) // by output channel and tap: what a mean adds
	for i, w := range h.w {
		taps[h.output(i)*plane+i%plane] += w * offset[h.input(i)]
	}
	rows := inside(h.layer.Out.H, op.KernelH, op.StrideH, op.PadH, op.DilationH, h.layer.In().H)
	cols := inside(h.layer.Out.W, op.KernelW, op.StrideW, op.PadW, op.DilationW, h.layer.In().W)
	seen := map[[4]int]bool{}
	for _, r := range rows {
		for _, c := range cols {
			if r == [2]int{0, op.KernelH} && c == [2]int{0, op.KernelW} {
				continue
			}
			positions++
			if key := [4]int{r[0], r[1], c[0], c[1]}; !seen[key] {
				seen[key] = true
				largest = max(largest, outside(taps, op, r, c))
			}
		}
	}
	return largest, positions
}

// inside are, for each output position of one axis, the first tap and the tap
// after the last one that lie on the picture.
func inside(out, kernel, stride, pad, dilation, size int) [][2]int {
	list := make([][2]int, out)
	for o := range list {
		lo, hi := kernel, 0
		for k := range kernel {
			if at := o*stride - pad + k*dilation; at >= 0 && at < size {
				lo, hi = min(lo, k), k+1
			}
		}
		list[o] = [2]int{min(lo, hi), hi}
	}
	return list
}

// outside is the largest sum, over output channels, of the taps that lie in the
// padding.
func outside(taps []float64, op models.Convolution, rows, cols [2]int) (largest float64) {
	plane := op.KernelH * op.KernelW
	for k := range len(taps) / plane {
		sum := 0.0
		for i, t := range taps[k*plane : (k+1)*plane] {
			y, x := i/op.KernelW, i%op.KernelW
			if y < rows[0] || y >= rows[1] || x < cols[0] || x >= cols[1] {
				sum += t
			}
		}
		largest = max(largest, math.Abs(sum))
	}
	return largest
}
