package lower

import (
	"quantbench/harness/runtime/nvdla/hardware"
	"quantbench/models"
)

func (e *emitter) pool(n *node, op *hardware.Operation) {
	in, out, w := n.in[0].shape, n.out.shape, n.pool.Window
	op.Kind, op.Src, op.Dst = hardware.PDP, e.cube(n.in[0]), e.cube(n.out)
	op.PDP = &hardware.PDPDesc{
		Width: w.KernelW, Height: w.KernelH, StrideX: w.StrideW, StrideY: w.StrideH,
		PadLeft: w.PadW, PadTop: w.PadH, Split: 1,
		PadRight: (out.W-1)*w.StrideW + w.KernelW - in.W - w.PadW,
		PadDown:  (out.H-1)*w.StrideH + w.KernelH - in.H - w.PadH,
	}
	if n.pool.Method == models.PoolMax {
		op.PDP.Mode = hardware.PoolMax
	}
	e.stripes(n, op.PDP, out.W)
	// Columns and lines that no window reaches are cut off the source.
	op.Src.W += min(op.PDP.PadRight, 0)
	op.Src.H += min(op.PDP.PadDown, 0)
	op.PDP.PadRight, op.PDP.PadDown = max(op.PDP.PadRight, 0), max(op.PDP.PadDown, 0)
}

// poolBuffer is the pooling engine's line buffer in bits; an int8 value takes 14
// in it.
const poolBuffer, poolBits = 7 << 13, 14

// maxStripes is the largest number of stripes in one operation.
const maxStripes = 64

// bufferLines is how many lines of partial results the engine keeps, by how many
// windows overlap in a line (PDPNode.cpp, calculateMaxWidth).
var bufferLines = [9]int{1, 1, 2, 4, 4, 8, 8, 8, 8}

// stripes says how the engine cuts a result that is too wide for its line buffer
// into vertical stripes, which it does in one operation (pdpHWSplitWidth). The
// result is the same.
func (e *emitter) stripes(n *node, d *hardware.PDPDesc, width int) {
	overlap := ceilDiv(d.Height, d.StrideY)
	if overlap >= len(bufferLines) {
		return // windows above 8, which the driver refuses
	}
	most := poolBuffer / (bufferLines[overlap] * e.opt.Target.AtomicK * poolBits)
	if width <= most {
		return
	}
	count := ceilDiv(width, most)
	first, mid, last := most, 0, width-most
	if count > 2 {
		mid, last = most, width-most*(count-1)
	}
	shared := d.Width - d.StrideX // columns that two stripes read
	lastIn := (last-1)*d.StrideX + d.Width - d.PadRight - shared
	if lastIn <= 0 {
		// Too few columns of the picture are left: the last stripe takes some of
		// the first one.
		both := first + last
		for lastIn = 1; (lastIn+shared+d.PadRight-d.Width)%d.StrideX != 0; lastIn++ {
		}
		last = (lastIn+shared+d.PadRight-d.Width)/d.StrideX + 1
		first = both - last
	}
	d.Split, d.PartialOut = count, [3]int{first, mid, last}
	d.PartialIn = [3]int{(first-1)*d.StrideX + d.Width - d.PadLeft, 0, lastIn}
	if count > 2 {
		d.PartialIn[1] = (mid-1)*d.StrideX + d.Width - shared
	}
	if count > maxStripes || min(d.PartialIn[0], first, last) < 1 || last > most {
		e.err = n.layer.Errorf("pools to %d columns, which do not go into the engine's line buffer of %d columns in stripes; nvdla_compiler stops. Use a smaller picture", width, most)
	}
}
