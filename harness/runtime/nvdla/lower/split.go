package lower

import (
	"fmt"

	"quantbench/harness/runtime/nvdla/hardware"
)

// strip is one part of a convolution that works on some lines of its input: the
// lines, its padding, and the lines of the result that it makes.
type strip struct {
	top, bottom       int // lines of the input, bottom included
	padTop, padBottom int
	out, height       int // first line of the result, and how many
}

// Half of the convolution buffer that the compiler's profiles set aside for
// data and for weights, in banks, once something has to be cut.
const (
	profileDataBanks   = 8
	profileWeightBanks = 8
)

// banks shares the convolution buffer out between data and weights: what the
// descriptor's DataBank and WeightBank say. split tells that the input has to be
// cut into strips of lines that fit the data banks (ConvCoreNode.cpp,
// splitNodesInternal). Fewer banks for weights than all of them need only change
// the order in which the hardware fetches.
func banks(d *hardware.ConvDesc, kernels int, t hardware.Target) (split bool, err error) {
	all, group := weightBanks(d, kernels, t), weightBanks(d, t.AtomicK, t)
	d.DataBank = ceilDiv(d.EntryPerSlice*d.InputH, t.Entries)
	choices := []int{all, 2 * group, group}
	for _, d.WeightBank = range choices {
		if d.DataBank+d.WeightBank <= t.Banks {
			return false, nil
		}
	}
	for _, d.WeightBank = range choices {
		if d.DataBank >= profileDataBanks && d.WeightBank <= profileWeightBanks {
			d.DataBank = t.Banks - d.WeightBank
			return true, nil
		}
	}
	says := "splitWeightsAndData is not yet supported"
	if d.DataBank < profileDataBanks {
		says = "Not enough banks to hold weight data. No software split supported"
	}
	return false, fmt.Errorf("has kernels of %d bytes, of which %d must fit into the convolution buffer at once: %d banks of %d, beside %d for the input; nvdla_compiler stops with %q. Use smaller kernels or fewer input channels",
		d.BytesPerKernel, t.AtomicK, group, t.Banks, d.DataBank, says)
}

// weightBanks is the number of banks that so many kernels fill.
func weightBanks(d *hardware.ConvDesc, kernels int, t hardware.Target) int {
	return ceilDiv(ceilDiv(kernels*d.BytesPerKernel, t.EntryBytes), t.Entries)
}

// strips cuts a convolution so that each part's input lines fit the data banks
// (determineSplitDataRatios).
func strips(d *hardware.ConvDesc, t hardware.Target) ([]strip, error) {
	lines := d.DataBank * t.Entries / d.EntryPerSlice
	window := (d.KernelH-1)*d.DilationY + 1
	if lines < window {
		return nil, fmt.Errorf("needs %d lines of its input at once, of which the convolution buffer holds %d beside the weights; nvdla_compiler stops with \"Kernel height greater than single split possible\". Use fewer columns, channels or kernel lines", window, lines)
	}
	list := []strip{{top: 0, bottom: lines - 1, padTop: d.PadTop}}
	for position := window - d.PadTop - 1; position < d.InputH; {
		before := list[len(list)-1]
		for position <= before.bottom {
			position += d.StrideY
		}
		position -= d.StrideY
		next := strip{top: position - (window - 1) + d.StrideY}
		next.bottom = next.top + lines - 1
		if next.bottom >= d.InputH-1 {
			next.bottom, next.padBottom = d.InputH-1, d.PadDown
			list = append(list, next)
			break
		}
		position = next.top + window - 1
		list = append(list, next)
	}
	if last := list[len(list)-1]; last.top >= d.InputH || last.bottom >= d.InputH+d.PadDown {
		list = list[:len(list)-1]
	}
	at := 0
	for i := range list {
		s := &list[i]
		s.out, s.height = at, (s.bottom-s.top+1+s.padTop+s.padBottom-window)/d.StrideY+1
		at += s.height
	}
	return list, nil
}

// rows is the cube of lines y..y+h-1 of a cube in memory.
func rows(c hardware.Cube, y, h int, t hardware.Target) hardware.Cube {
	c.Offset += y * c.LineStride
	c.H, c.Size = h, c.LineStride*h*ceilDiv(c.C, t.Atom)
	if c.SurfStride == 0 {
		c.Size = c.LineStride * h
	}
	return c
}

// emitStrips writes a split convolution and its SDP operation, part by part. The
// weights stay in the buffer from part to part if all of them fit.
func (e *emitter) emitStrips(conv, sdp hardware.Operation, list []strip) {
	kept := flag(conv.Conv.WeightBank == weightBanks(conv.Conv, conv.Dst.C, e.opt.Target))
	for i, s := range list {
		h := s.bottom - s.top + 1
		c, d := conv, *conv.Conv
		c.Index, c.Conv = len(e.p.Operations), &d
		c.Src = rows(conv.Src, s.top, h, e.opt.Target)
		c.Dst = e.shaped(conv.Dst.W, s.height, conv.Dst.C)
		c.Dst.Kind = hardware.CubeOnTheFly
		d.InputH, d.Release, d.PadTop, d.PadDown = h, h, s.padTop, s.padBottom
		d.InCvt.Enable = i == 0
		d.Reserved = map[string]int{"weight_reuse": kept * min(i, 1), "skip_weight_rls": kept * flag(i < len(list)-1), hardware.Follows: min(i, 1)}
		e.p.Operations = append(e.p.Operations, c)

		o := sdp
		o.Index, o.FusedParent = len(e.p.Operations), c.Index
		o.Src, o.Dst = c.Dst, rows(sdp.Dst, s.out, s.height, e.opt.Target)
		if sdp.SDP.X2.Enable && sdp.SDP.X2.Mode == hardware.PerPoint {
			o.X2 = rows(sdp.X2, s.out, s.height, e.opt.Target)
		}
		e.p.Operations = append(e.p.Operations, o)
	}
}

// ExecutionOrder is the order in which the engines take operations up: parts of
// a split convolution or a deconvolution are programmed one ahead, while SDP
// still writes the one before.
func ExecutionOrder(ops []hardware.Operation) []int {
	var order []int
	for i := 0; i < len(ops); i++ {
		if !continues(ops, i+2) {
			order = append(order, i)
			continue
		}
		order = append(order, i)
		for continues(ops, i+2) {
			order = append(order, i+2, i+1)
			i += 2
		}
	}
	return order
}

// continues tells whether operation i is a convolution that continues another one.
func continues(ops []hardware.Operation, i int) bool {
	if i >= len(ops) || ops[i].Kind != hardware.Conv {
		return false
	}
	return ops[i].Conv.Reserved[hardware.Follows] != 0
}
