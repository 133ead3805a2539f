package lower

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"quantbench/harness/runtime/nvdla/hardware"
)

// Fingerprint is the sha256, in hex, of what a program makes the hardware do:
// target, operations in order of execution with the tensors that they hand to
// each other, and constants. Tensors are named by who wrote them, not by where
// they lie, and fields that only schedule are left out, so that a loadable of
// nvdla_compiler and a lowering of ours that program the same operations have
// the same fingerprint.
func Fingerprint(p *hardware.Program) string {
	h := sha256.New()
	identify(h, p)
	return hex.EncodeToString(h.Sum(nil))
}

// identify writes what Fingerprint hashes.
func identify(w io.Writer, p *hardware.Program) {
	f := fingerprint{Writer: w, program: p, order: map[int]int{}}
	fmt.Fprintln(f, p.Target.Name)
	f.wrote(p.Input.Cube, -1)
	for order, i := range ExecutionOrder(p.Operations) {
		f.operation(order, &p.Operations[i])
	}
	f.read(p.Output.Cube)
}

type fingerprint struct {
	io.Writer
	program *hardware.Program
	order   map[int]int // of convolutions, by Index
	writes  []write     // later ones cover earlier ones
}

// write is a cube that an operation wrote.
type write struct {
	hardware.Cube
	order int
}

func (f *fingerprint) wrote(c hardware.Cube, order int) { f.writes = append(f.writes, write{c, order}) }

// operation hashes the descriptor in the form of WriteJSON, and what that form
// leaves out: origins of tensors, constants, tables.
func (f *fingerprint) operation(order int, op *hardware.Operation) {
	f.origins(op)
	for _, c := range []hardware.Cube{op.Src, op.Weights, op.X1, op.X2, op.Y} {
		f.read(c)
	}
	fmt.Fprintln(f, op.Dst.PlaneStride)
	writeOperation(f, order, f.placeless(op))
	if op.SDP != nil && op.SDP.LUT != nil {
		fmt.Fprintf(f, "%+v\n", *op.SDP.LUT)
	}
	if op.CDP != nil && op.CDP.LUT != nil {
		fmt.Fprintf(f, "%+v\n", *op.CDP.LUT)
	}
	if op.Kind == hardware.Conv {
		f.order[op.Index] = order
	}
	f.wrote(op.Dst, order)
}

// origins hashes which convolution streams into an SDP operation, and what BDMA
// copies.
func (f *fingerprint) origins(op *hardware.Operation) {
	if op.Src.Kind == hardware.CubeOnTheFly {
		fmt.Fprintln(f, "stream of", f.order[op.FusedParent])
	}
	if op.BDMA == nil {
		return
	}
	for _, t := range op.BDMA.Transfers {
		f.read(hardware.Cube{Region: t.SrcRegion, Offset: t.SrcOffset, Size: t.LineSize})
		f.wrote(hardware.Cube{Region: t.DstRegion, Offset: t.DstOffset, Size: max(t.DstSurface*t.SurfaceRepeat, t.DstLine*t.LineRepeat, t.LineSize)}, len(f.writes))
		t.SrcRegion, t.SrcOffset, t.DstRegion, t.DstOffset = 0, 0, 0, 0
		fmt.Fprintf(f, "%+v\n", t)
	}
}

// read hashes where a cube's content comes from: the operation that wrote it,
// with the distance from its beginning, or the constants of the program.
func (f *fingerprint) read(c hardware.Cube) {
	if c.Size == 0 || c.Kind == hardware.CubeOnTheFly || c.Region < 0 || c.Region >= len(f.program.Regions) {
		return
	}
	for i := len(f.writes) - 1; i >= 0; i-- {
		w := f.writes[i]
		if w.Kind == c.Kind && w.Region == c.Region && w.Offset <= c.Offset && c.Offset < w.Offset+max(w.Size, 1) {
			fmt.Fprintln(f, "written by", w.order, c.Offset-w.Offset, c.PlaneStride)
			return
		}
	}
	init := f.program.Regions[c.Region].Init
	from := min(max(c.Offset, 0), len(init))
	to := min(from+max(c.Size, 0), len(init))
	fmt.Fprintln(f, "constant", to-from)
	f.Write(init[from:to])
}

// placeless is a copy of an operation without places, numbers of descriptors and
// scheduling.
func (f *fingerprint) placeless(op *hardware.Operation) *hardware.Operation {
	o := *op
	o.Index, o.FusedParent = 0, 0
	for _, c := range []*hardware.Cube{&o.Src, &o.Dst, &o.Weights, &o.X1, &o.X2, &o.Y} {
		c.Region, c.Offset = 0, 0
	}
	if o.Conv != nil {
		d := *o.Conv
		d.EntryPerSlice, d.FetchGrain, d.DataBank, d.WeightBank, d.Release, d.BytesPerKernel, d.Reserved = 0, 0, 0, 0, 0, 0, nil
		o.Conv = &d
	}
	if o.BDMA != nil {
		o.BDMA = &hardware.BDMADesc{} // hashed with its origins
	}
	return &o
}
