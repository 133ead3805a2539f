package lower

import (
	"encoding/binary"

	"quantbench/harness/runtime/nvdla/hardware"
)

// directWeights lays int8 weights (kernel, channel, row, column) out for direct
// convolution: groups of AtomicK kernels; in each, blocks of AtomicC channels;
// in each, row, column, kernel, channel. The last group and block are short.
// The end is padded to the target's alignment.
func directWeights(c *convolution, t hardware.Target) []byte {
	out := make([]byte, 0, roundUp(len(c.quantized), t.WeightAlign))
	for k0 := 0; k0 < c.k; k0 += t.AtomicK {
		for c0 := 0; c0 < c.c; c0 += t.AtomicC {
			out = c.appendBlock(out, k0, min(k0+t.AtomicK, c.k), c0, min(c0+t.AtomicC, c.c))
		}
	}
	return out[:cap(out)]
}

func (c *convolution) appendBlock(out []byte, k0, k1, c0, c1 int) []byte {
	for rs := range c.r * c.s {
		for k := k0; k < k1; k++ {
			for ch := c0; ch < c1; ch++ {
				out = append(out, byte(c.quantized[(k*c.c+ch)*c.r*c.s+rs]))
			}
		}
	}
	return out
}

func roundUp(n, unit int) int { return (n + unit - 1) / unit * unit }

func ceilDiv(n, d int) int { return (n + d - 1) / d }

// operandBytes are the per-channel operands of an SDP stage: int16, of a stage
// that adds and multiplies in pairs.
func operandBytes(n *node) []byte {
	var out []byte
	for i := range max(len(n.addInt), len(n.mulInt)) {
		if n.addInt != nil {
			out = binary.LittleEndian.AppendUint16(out, uint16(n.addInt[i]))
		}
		if n.mulInt != nil {
			out = binary.LittleEndian.AppendUint16(out, uint16(n.mulInt[i]))
		}
	}
	return out
}

// shaped is a feature cube of the shape, packed, somewhere in memory.
func (e *emitter) shaped(w, h, c int) hardware.Cube {
	atom := e.opt.Target.Atom
	line := w * atom
	surf := line * h
	return hardware.Cube{Region: -1, W: w, H: h, C: c, LineStride: line, SurfStride: surf, Size: surf * ceilDiv(c, atom)}
}
