package nvdla

import (
	"math"

	"quantbench/datasets"
	"quantbench/harness/compute"
	"quantbench/harness/runtime"
	"quantbench/harness/runtime/nvdla/hardware"
)

// input is the rule by which bytes become int8: a table for each channel, or,
// with a mean image, a computation for each element.
type input struct {
	tables     [][256]int8
	preprocess datasets.Preprocess
	scale      float32
	plane      int // elements a channel
}

func newInput(mode InputMode, m runtime.Model, p *hardware.Program) *input {
	c := m.Network.Input().Out // a picture has more channels in memory
	in := &input{preprocess: m.Preprocess, scale: p.Input.Scale, plane: c.H * c.W}
	if mode != RuntimeInput && len(m.Preprocess.MeanImage) > 0 {
		return in
	}
	in.tables = make([][256]int8, c.C)
	for ch := range in.tables {
		lut := m.Preprocess.LUT(ch)
		for b := range lut {
			if mode == RuntimeInput {
				in.tables[ch][b] = hardware.InputPixel(uint8(b))
			} else {
				in.tables[ch][b] = quantize(lut[b], in.scale)
			}
		}
	}
	return in
}

// quantize is clamp(rne(v/scale), -128, 127), the quotient in float32.
func quantize(v, scale float32) int8 {
	return int8(max(-128, min(127, math.RoundToEven(float64(v/scale)))))
}

// lut is the table form; nil with a mean image.
func (in *input) lut() *compute.LUT {
	if in.tables == nil {
		return nil
	}
	return &compute.LUT{Int8: in.tables}
}

// integers appends the int8 input of one picture, C x H x W, to dst.
func (in *input) integers(dst []int8, pixels []byte) []int8 {
	for i, b := range pixels {
		c := i / in.plane
		if in.tables != nil {
			dst = append(dst, in.tables[c][b])
		} else {
			dst = append(dst, quantize(in.preprocess.Value(b, c, i), in.scale))
		}
	}
	return dst
}
