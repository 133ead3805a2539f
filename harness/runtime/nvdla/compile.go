package nvdla

import (
	"errors"
	"fmt"
	"slices"

	"quantbench/harness/compute"
	"quantbench/harness/runtime/nvdla/hardware"
)

// errInexpressible is wrapped by the reason why a program has to run on the
// simulator.
var errInexpressible = errors.New("the fast kernels have no such operation")

// fast is a program on the kernels of package compute.
type fast struct {
	program *compute.Program
	tensors []compute.Tensor // by operation; 0 where none is written
	output  compute.Tensor
	softmax *hardware.SoftmaxDesc // applied to output after the run
}

// compiler turns operations on memory into operations on tensors.
type compiler struct {
	p     *hardware.Program
	b     *compute.Builder
	live  []placed // what memory holds now
	convs map[int]pending
	out   fast

	inputs int // channels of the network's input
}

// placed is a tensor and the cube of memory that it stands for.
type placed struct {
	cube   hardware.Cube
	tensor compute.Tensor
}

// pending is a convolution whose SDP operation is still to come.
type pending struct {
	conv  compute.Conv
	input compute.Tensor
}

// compile makes a fast program, or says what keeps it from being one. channels
// is the number of channels of the network's input; a picture has more in memory.
func compile(p *hardware.Program, channels int) (*fast, error) {
	c := &compiler{p: p, b: compute.NewBuilder(), convs: map[int]pending{}, inputs: channels}
	in := p.Input.Cube
	c.write(in, c.b.Input(compute.Int8, channels, in.H, in.W))
	for i := range p.Operations {
		t, err := c.operation(&p.Operations[i], i == len(p.Operations)-1)
		if err != nil {
			return nil, fmt.Errorf("operation %d (%s, layer %q): %w", i, p.Operations[i].Kind, p.Operations[i].Layer, err)
		}
		c.out.tensors = append(c.out.tensors, t)
	}
	if c.out.softmax == nil {
		t, err := c.read(p.Output.Cube)
		if err != nil {
			return nil, err
		}
		c.out.output = t
	}
	c.b.Keep(c.out.output)
	var err error
	c.out.program, err = c.b.Build()
	return &c.out, err
}

func (c *compiler) operation(op *hardware.Operation, last bool) (compute.Tensor, error) {
	switch op.Kind {
	case hardware.Conv:
		return 0, c.conv(op)
	case hardware.CPUSoftmax:
		return 0, c.softmax(op, last)
	case hardware.Rubik:
		return c.rubik(op)
	}
	src, err := compute.Tensor(0), error(nil)
	if op.FusedParent < 0 {
		if src, err = c.read(c.whole(op)); err != nil {
			return 0, err
		}
	}
	var t compute.Tensor
	switch op.Kind {
	case hardware.SDP:
		t, err = c.sdp(op, src)
	case hardware.PDP:
		t, err = c.pdp(op, src)
	case hardware.CPUPower:
		t = c.b.Lookup(src, op.Power.Apply)
	case hardware.CDP:
		t, err = c.cdp(op, src)
	default:
		err = errInexpressible
	}
	if err != nil {
		return 0, err
	}
	c.write(op.Dst, t)
	return t, nil
}

// write records that cube now holds t; what it overlaps is gone.
func (c *compiler) write(cube hardware.Cube, t compute.Tensor) {
	c.live = slices.DeleteFunc(c.live, func(p placed) bool {
		return p.cube.Region == cube.Region && p.cube.Offset < cube.Offset+cube.Size && cube.Offset < p.cube.Offset+p.cube.Size
	})
	c.live = append(c.live, placed{cube, t})
}

// read finds the tensor that a cube holds, if need be by joining tensors that
// lie behind one another.
func (c *compiler) read(cube hardware.Cube) (compute.Tensor, error) {
	var parts []placed
	for _, p := range c.live {
		if p.cube == cube {
			return p.tensor, nil
		}
		if p.cube.Region == cube.Region && p.cube.Offset >= cube.Offset && p.cube.Offset < cube.Offset+cube.Size {
			parts = append(parts, p)
		}
	}
	slices.SortFunc(parts, func(a, b placed) int { return a.cube.Offset - b.cube.Offset })
	var tensors []compute.Tensor
	at, channels := cube.Offset, 0
	for i, p := range parts {
		q := p.cube
		if q.Offset != at || q.W != cube.W || q.H != cube.H || q.LineStride != cube.LineStride || q.SurfStride != cube.SurfStride ||
			i < len(parts)-1 && q.C%c.p.Target.Atom != 0 {
			return 0, fmt.Errorf("%w: reads memory across tensors", errInexpressible)
		}
		at, channels = at+q.Size, channels+q.C
		tensors = append(tensors, p.tensor)
	}
	if channels != cube.C {
		return 0, fmt.Errorf("%w: reads a part of a tensor", errInexpressible)
	}
	return c.b.Concat(tensors...), nil
}

// whole is the cube that an operation reads: pooling may leave out the last
// columns and lines of what was written, which its windows do not reach.
func (c *compiler) whole(op *hardware.Operation) hardware.Cube {
	q := op.Src
	if op.Kind != hardware.PDP {
		return q
	}
	for _, p := range c.live {
		cut := p.cube
		if cut.W >= q.W && cut.H >= q.H {
			cut.W, cut.H = q.W, q.H
		}
		if cut == q {
			return p.cube
		}
	}
	return q
}

func (c *compiler) conv(op *hardware.Operation) error {
	d := op.Conv
	plain := d.Mode == 0 && (hardware.IsFeature(d.DataFormat) || c.picture(op)) && d.WeightFormat == 0 && d.PadValue == 0 && d.Batch <= 1 &&
		d.InPrecision == hardware.Int8 && d.OutPrecision == hardware.Int8 && isIdentity(d.InCvt) && d.OutCvt.Truncate == 0
	if !plain {
		return fmt.Errorf("%w: a convolution with another picture format, offsets or another precision", errInexpressible)
	}
	src, err := c.read(op.Src)
	if err != nil {
		return err
	}
	get := c.weights
	width := d.KernelW
	if c.picture(op) {
		get, width = c.pictureWeights, d.KernelC/pixel
	}
	weights, err := get(op)
	if err != nil {
		return err
	}
	c.convs[op.Index] = pending{input: src, conv: compute.Conv{
		Out: op.Dst.C, KernelH: d.KernelH, KernelW: width, StrideH: d.StrideY, StrideW: d.StrideX,
		PadH: d.PadTop, PadW: d.PadLeft, DilationH: d.DilationY, DilationW: d.DilationX,
		OutH: op.Dst.H, OutW: op.Dst.W, Int8: weights,
	}}
	return nil
}

func isIdentity(v hardware.Converter) bool {
	return !v.Enable || v.Scale == 1 && v.Truncate == 0 && v.Offset == 0
}

// weights are a convolution's weights by kernel, channel, line, column.
func (c *compiler) weights(op *hardware.Operation) ([]int8, error) {
	s := hardware.KernelShape{K: op.Dst.C, C: op.Conv.KernelC, R: op.Conv.KernelH, S: op.Conv.KernelW}
	n := s.K * s.C * s.R * s.S
	data, err := c.constant(op.Weights, n)
	if err != nil {
		return nil, err
	}
	out := make([]int8, 0, n)
	for k := range s.K {
		for ch := range s.C {
			for r := range s.R {
				for col := range s.S {
					out = append(out, int8(data[s.WeightIndex(c.p.Target, hardware.Int8, k, ch, r, col)]))
				}
			}
		}
	}
	return out, nil
}

// pixel is the number of bytes, and so of channels, of a pixel in A8B8G8R8.
const pixel = 4

// picture tells whether a convolution reads the network's input as a picture.
func (c *compiler) picture(op *hardware.Operation) bool {
	return op.Conv.DataFormat == hardware.FormatA8B8G8R8 && op.Src == c.p.Input.Cube && op.Conv.KernelW == 1 && c.inputs <= pixel
}

// pictureWeights are the weights of a picture convolution, whose kernel lines lie
// in memory as one column of many channels; those of missing channels are left
// out.
func (c *compiler) pictureWeights(op *hardware.Operation) ([]int8, error) {
	d := op.Conv
	s := hardware.KernelShape{K: op.Dst.C, C: d.KernelC, R: d.KernelH, S: 1}
	data, err := c.constant(op.Weights, s.K*s.C*s.R)
	if err != nil {
		return nil, err
	}
	var out []int8
	for k := range s.K {
		for ch := range c.inputs {
			for r := range s.R {
				for col := range s.C / pixel {
					at := s.WeightIndex(c.p.Target, hardware.Int8, k, col*pixel+ch, r, 0)
					if d.PostExtension > 0 {
						at = s.ExtendedIndex(c.p.Target, hardware.Int8, hardware.PostExtensionLines(d.PostExtension), k, col*pixel+ch, r)
					}
					out = append(out, int8(data[at]))
				}
			}
		}
	}
	return out, nil
}

// constant is the data of a cube that no operation writes.
func (c *compiler) constant(cube hardware.Cube, n int) ([]byte, error) {
	if cube.Region < 0 || cube.Region >= len(c.p.Regions) {
		return nil, fmt.Errorf("%w: constant data outside memory", errInexpressible)
	}
	init := c.p.Regions[cube.Region].Init
	if cube.Offset < 0 || cube.Offset+n > len(init) {
		return nil, fmt.Errorf("%w: operands that are not constant", errInexpressible)
	}
	return init[cube.Offset : cube.Offset+n], nil
}

func (c *compiler) pdp(op *hardware.Operation, src compute.Tensor) (compute.Tensor, error) {
	d := op.PDP
	p := compute.Pool{KernelH: d.Height, KernelW: d.Width, StrideH: d.StrideY, StrideW: d.StrideX, PadH: d.PadTop, PadW: d.PadLeft, OutH: op.Dst.H, OutW: op.Dst.W}
	switch {
	case d.Mode == hardware.PoolMax:
		p.Max = true
	case d.Mode == hardware.PoolAverage && d.PadValue == [7]int32{}:
		p.Average = compute.NVDLAAverage(d.Width, d.Height)
	default:
		return 0, fmt.Errorf("%w: a minimum or padding with a value", errInexpressible)
	}
	return c.b.Pool(src, p), nil
}

// rubik contracts: what lies in the source, each part filling whole atoms, is
// taken pixel by pixel in turn.
func (c *compiler) rubik(op *hardware.Operation) (compute.Tensor, error) {
	d := op.Rubik
	if d == nil || d.Mode != 0 || d.Precision != hardware.Int8 || min(d.StrideX, d.StrideY) < 1 {
		return 0, fmt.Errorf("%w: Rubik in another mode or precision", errInexpressible)
	}
	count := d.StrideX * d.StrideY
	parts := make([]compute.Tensor, count)
	part := op.Src.Size / count
	channels := 0
	for _, p := range c.live {
		q := p.cube
		i := (q.Offset - op.Src.Offset) / part
		if q.Region == op.Src.Region && q.Size == part && q.W == op.Src.W && q.H == op.Src.H && i >= 0 && i < count && q.Offset == op.Src.Offset+i*part {
			parts[i], channels = p.tensor, q.C
		}
	}
	if slices.Contains(parts, 0) {
		return 0, fmt.Errorf("%w: Rubik on parts of tensors", errInexpressible)
	}
	t := c.b.Interleave(d.StrideY, d.StrideX, parts...)
	dst := op.Dst
	dst.C = channels // what fills the atom up is not read
	c.write(dst, t)
	return t, nil
}

// cdp takes the one normalisation that the compiler makes in int8: whose table is
// empty, so that it writes zeros.
func (c *compiler) cdp(op *hardware.Operation, src compute.Tensor) (compute.Tensor, error) {
	d := op.CDP
	if d == nil || d.LUT == nil || !d.LUT.Empty() || d.BypassMultiply || !isIdentity(d.OutCvt) || d.OutPrecision != hardware.Int8 {
		return 0, fmt.Errorf("%w: normalisation with a table", errInexpressible)
	}
	return c.b.Lookup(src, func(int8) int8 { return 0 }), nil
}

// softmax must be the last operation; it then runs after the kernels.
func (c *compiler) softmax(op *hardware.Operation, last bool) error {
	t, err := c.read(op.Src)
	switch {
	case err != nil:
		return err
	case !last || op.Src.W*op.Src.H != 1:
		return fmt.Errorf("%w: a Softmax within the network or over pixels", errInexpressible)
	}
	c.out.output, c.out.softmax = t, op.Softmax
	return nil
}
