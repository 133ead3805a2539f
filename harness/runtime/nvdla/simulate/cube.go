package simulate

import (
	"fmt"

	"quantbench/harness/runtime/nvdla/hardware"
)

// cube is a feature cube made ready: where it lies and how it is laid out.
type cube struct {
	region, base, line, surf int
	atom, per                int // bytes of an atom, elements in it
	w, h, c                  int
	p                        hardware.Precision
}

// newCube checks that every atom of a feature cube lies in its region.
func newCube(p *hardware.Program, q hardware.Cube, prec hardware.Precision) (cube, error) {
	r := cube{
		region: q.Region, base: q.Offset, line: q.LineStride, surf: q.SurfStride,
		atom: p.Target.Atom, per: p.Target.ElementsPerAtom(prec),
		w: q.W, h: q.H, c: q.C, p: prec,
	}
	if q.W < 1 || q.H < 1 || q.C < 1 {
		return r, fmt.Errorf("cube of %d x %d x %d is empty", q.C, q.H, q.W)
	}
	atoms := (q.C-1)/r.per + 1
	last := (atoms-1)*r.surf + (q.H-1)*r.line + q.W*r.atom
	return r, inRegion(p, q.Region, q.Offset, last, q.W*r.atom, q.H, atoms)
}

// inRegion checks that size bytes from off lie in a region, and that a cube of
// so many bytes a line, lines and surfaces is not larger than the region, which
// strides that are too short would allow.
func inRegion(p *hardware.Program, region, off, size int, extents ...int) error {
	if region < 0 || region >= len(p.Regions) {
		return fmt.Errorf("cube names memory region %d, there are %d", region, len(p.Regions))
	}
	r := p.Regions[region]
	if have := allocated(r); off < 0 || size < 0 || off > have || size > have-off {
		return fmt.Errorf("cube takes bytes %d to %d of region %d %q, which has %d", off, off+size, region, r.Name, have)
	}
	product := 1
	for _, n := range extents {
		if n > allocated(r)/product {
			return fmt.Errorf("cube of %v bytes, lines and surfaces overlaps itself in region %d %q of %d bytes", extents, region, r.Name, allocated(r))
		}
		product *= n
	}
	return nil
}

// allocated is a region's size in memory: the drivers allocate whole pages.
func allocated(r hardware.Region) int { return (max(r.Size, len(r.Init)) + 4095) &^ 4095 }

// read copies the channels at (y, x) to out, which has room for c elements.
func (q *cube) read(mem []byte, y, x int, out []int32) {
	at := q.base + y*q.line + x*q.atom
	for c := 0; c < q.c; c += q.per {
		n := min(q.per, q.c-c)
		if q.p == hardware.Int8 {
			for i, b := range mem[at : at+n] {
				out[c+i] = int32(int8(b))
			}
		} else {
			for i := range n {
				out[c+i] = element(mem, at+2*i, q.p)
			}
		}
		at += q.surf
	}
}

// write puts the channels at (y, x) into memory, whole atoms: what remains of
// the last one becomes zero, as in the hardware.
func (q *cube) write(mem []byte, y, x int, v []int32) {
	at := q.base + y*q.line + x*q.atom
	size := q.p.Bytes()
	for c := 0; c < q.c; c += q.per {
		n := min(q.per, q.c-c)
		for i, e := range v[c : c+n] {
			setElement(mem, at+i*size, q.p, e)
		}
		clear(mem[at+n*size : at+q.atom])
		at += q.surf
	}
}

// extended gives regions room for the feature cubes that reach beyond them. The
// compiler makes such programs (a Concat of channels that do not fill atoms), and
// the hardware writes on behind the buffer; what lies there is nobody's here. A
// cube that reaches far beyond its region is left as it is, for newCube to refuse.
func extended(p *hardware.Program) (*hardware.Program, []error) {
	q := *p
	q.Regions = append([]hardware.Region(nil), p.Regions...)
	var warnings []error
	for i := range q.Operations {
		op := &q.Operations[i]
		for _, c := range []hardware.Cube{op.Src, op.Dst} {
			if c.Kind == hardware.CubeOnTheFly || c.Region < 0 || c.Region >= len(q.Regions) || c.W < 1 || op.Kind == hardware.BDMA {
				continue
			}
			r := &q.Regions[c.Region]
			need, have := c.Offset+stretch(p.Target, op, c), allocated(*r)
			if need <= have || need > 2*have+slack {
				continue
			}
			r.Size = need
			warnings = append(warnings, fmt.Errorf("operation %d (%s): cube reaches %d bytes beyond memory %q of %d; on the hardware it touches what lies behind", i, op.Kind, need-have, r.Name, have))
		}
	}
	return &q, warnings
}

// slack is how far a small region may be exceeded, bytes.
const slack = 1 << 20

// stretch is how many bytes an operation's cube reaches over.
func stretch(t hardware.Target, op *hardware.Operation, q hardware.Cube) int {
	if op.Kind == hardware.Conv && !hardware.IsFeature(op.Conv.DataFormat) {
		return (q.H-1)*q.LineStride + q.W*hardware.PixelBytes(op.Conv.DataFormat)
	}
	per := t.ElementsPerAtom(readPrecision(op))
	return (q.C-1)/per*q.SurfStride + (q.H-1)*q.LineStride + q.W*t.Atom
}

// readPrecision is the precision of an operation's source.
func readPrecision(op *hardware.Operation) hardware.Precision {
	switch op.Kind {
	case hardware.Conv:
		return op.Conv.InPrecision
	case hardware.SDP:
		return op.SDP.SrcPrecision
	}
	return precisionOf(op)
}

// constants tells which regions no operation and no input writes.
func constants(p *hardware.Program) []bool {
	k := make([]bool, len(p.Regions))
	for i := range k {
		k[i] = true
	}
	written := func(region int) {
		if region >= 0 && region < len(k) {
			k[region] = false
		}
	}
	written(p.Input.Cube.Region)
	written(p.Output.Cube.Region)
	for i := range p.Operations {
		op := &p.Operations[i]
		if op.Kind == hardware.BDMA {
			for _, t := range op.BDMA.Transfers {
				written(t.DstRegion)
			}
		} else if op.Dst.Kind != hardware.CubeOnTheFly {
			written(op.Dst.Region)
		}
	}
	return k
}

// inputFormat is how the input lies in memory: a picture if a convolution reads
// it as one, else a feature cube.
func inputFormat(p *hardware.Program) uint8 {
	for i := range p.Operations {
		op := &p.Operations[i]
		if op.Kind == hardware.Conv && op.Src.Region == p.Input.Cube.Region {
			return op.Conv.DataFormat
		}
	}
	return hardware.FormatFeature
}

// outputPrecision is the precision of the last operation that writes the output.
func outputPrecision(p *hardware.Program) hardware.Precision {
	r := hardware.Int8
	for i := range p.Operations {
		op := &p.Operations[i]
		if op.Kind != hardware.BDMA && op.Dst.Region == p.Output.Cube.Region && op.Dst.Kind != hardware.CubeOnTheFly {
			r = precisionOf(op)
		}
	}
	return r
}

// precisionOf is the precision of what an operation writes.
func precisionOf(op *hardware.Operation) hardware.Precision {
	switch op.Kind {
	case hardware.SDP:
		return op.SDP.DstPrecision
	case hardware.PDP:
		return op.PDP.Precision
	case hardware.CDP:
		return op.CDP.OutPrecision
	case hardware.Rubik:
		return op.Rubik.Precision
	}
	return hardware.Int8
}
