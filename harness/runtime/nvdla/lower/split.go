package lower

import "quantbench/harness/runtime/nvdla/hardware"

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

// banks shares the convolution buffer out between data and weights. split says
// that the input has to be cut into strips of lines that fit the data banks
// (ConvCoreNode.cpp, splitNodesInternal). Fewer banks for weights than all of
// them need only change the order in which the hardware fetches.
func banks(d *hardware.ConvDesc, kernels int, t hardware.Target) (data, weights int, split bool) {
	entries := func(bytes int) int {
		return ceilDiv(roundUp(bytes, t.EntryBytes)/t.EntryBytes, t.Entries)
	}
	data = ceilDiv(d.EntryPerSlice*d.InputH, t.Entries)
	all, group := entries(kernels*d.BytesPerKernel), entries(t.AtomicK*d.BytesPerKernel)
	for _, weights = range []int{all, 2 * group, group} {
		if data+weights <= t.Banks {
			return data, weights, false
		}
	}
	for _, weights = range []int{all, 2 * group, group} {
		if weights <= profileWeightBanks {
			break
		}
	}
	if data < profileDataBanks {
		return data, weights, false
	}
	return t.Banks - weights, weights, true
}

// strips cuts a convolution so that each part's input lines fit the banks
// (determineSplitDataRatios). Nil means that it cannot be done, because not even
// one window of lines fits.
func strips(d *hardware.ConvDesc, data int, t hardware.Target) []strip {
	lines := data * t.Entries / d.EntryPerSlice
	window := (d.KernelH-1)*d.DilationY + 1
	if lines < window {
		return nil
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
	return list
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

// emitStrips writes a split convolution and its SDP operation, part by part.
func (e *emitter) emitStrips(conv, sdp hardware.Operation, list []strip) {
	for i, s := range list {
		h := s.bottom - s.top + 1
		c, d := conv, *conv.Conv
		c.Index, c.Conv = len(e.p.Operations), &d
		c.Src = rows(conv.Src, s.top, h, e.opt.Target)
		c.Dst = e.shaped(conv.Dst.W, s.height, conv.Dst.C)
		c.Dst.Kind = hardware.CubeOnTheFly
		d.InputH, d.Release, d.PadTop, d.PadDown = h, h, s.padTop, s.padBottom
		d.InCvt.Enable = i == 0
		d.Reserved = map[string]int{"weight_reuse": min(i, 1), "skip_weight_rls": flag(i < len(list)-1)}
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
// a split convolution are programmed one ahead, while SDP still writes the one
// before.
func ExecutionOrder(ops []hardware.Operation) []int {
	var order []int
	for i := 0; i < len(ops); i++ {
		if !reuses(ops, i+2) {
			order = append(order, i)
			continue
		}
		order = append(order, i)
		for reuses(ops, i+2) {
			order = append(order, i+2, i+1)
			i += 2
		}
	}
	return order
}

// reuses tells whether operation i is a convolution that continues another one.
func reuses(ops []hardware.Operation, i int) bool {
	return i < len(ops) && ops[i].Kind == hardware.Conv && ops[i].Conv.Reserved["weight_reuse"] != 0
}
