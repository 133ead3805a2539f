package compute

import (
	"errors"
	"fmt"

	"quantbench/harness/compute/kernel"
)

// ErrRange is wrapped by the error of a layer whose integers could leave int32
// on some input: it needs a slower path.
var ErrRange = errors.New("integers could leave 32 bits")

// Builder collects the layers of a network. A method that is given something
// wrong returns 0 and remembers the error; Build reports the first one.
type Builder struct {
	// Kernels are the kernels to use; nil means kernel.Best().
	Kernels *kernel.Set
	// Groups is the number of groups of 16 pictures that a worker takes at once;
	// 0 chooses: 4, which suits fully connected layers, or 1 where the buffers
	// are large.
	Groups int
	// Winograd lets float 3x3 convolutions of stride 1 with enough channels use
	// F(2x2,3x3): faster, and different from the direct sums by rounding.
	Winograd bool

	tensors []*tensor // Tensor 0 is none
	ops     []operation
	wires   []wire
	errs    []error
	program *Program
	tiled   bool // builds the program for one picture of another
}

// wire says what an operation reads and writes.
type wire struct {
	in  []Tensor
	out Tensor
}

// operation is one step of a program.
type operation interface {
	// prepare is called once, when all tensors have their final geometry.
	prepare(b *Builder) error
	// execute runs groups first..first+groups-1 of 16 pictures.
	execute(w *Worker, first, groups int)
	// across says that execute wants all groups in one call.
	across() bool
}

// NewBuilder makes an empty Builder.
func NewBuilder() *Builder { return &Builder{tensors: []*tensor{nil}} }

// Shape is the size of a tensor.
func (b *Builder) Shape(x Tensor) (c, h, w int) {
	if t := b.get(x); t != nil {
		return t.c, t.h, t.w
	}
	return 0, 0, 0
}

// Keep makes a tensor readable after a run.
func (b *Builder) Keep(x Tensor) {
	if t := b.get(x); t != nil {
		t.kept = true
	}
}

// fail remembers an error.
func (b *Builder) fail(format string, args ...any) Tensor {
	b.errs = append(b.errs, fmt.Errorf("layer %d: "+format, append([]any{len(b.ops)}, args...)...))
	return 0
}

func (b *Builder) get(x Tensor) *tensor {
	if x <= 0 || int(x) >= len(b.tensors) {
		if len(b.errs) == 0 {
			b.fail("no such tensor: %d", x)
		}
		return nil
	}
	return b.tensors[x]
}

// float gets an input that must be Float32.
func (b *Builder) float(x Tensor) *tensor {
	t := b.get(x)
	if t != nil && t.kind != Float32 {
		b.fail("needs a float32 tensor")
		return nil
	}
	return t
}

// add appends an operation and the tensor that it writes.
func (b *Builder) add(op operation, kind Type, c, h, w int, in ...Tensor) Tensor {
	if c < 1 || h < 1 || w < 1 {
		return b.fail("output of %dx%dx%d", c, h, w)
	}
	index := len(b.ops)
	for _, x := range in {
		b.tensors[x].reader = index
	}
	out := Tensor(len(b.tensors))
	b.tensors = append(b.tensors, &tensor{kind: kind, c: c, h: h, w: w, writer: index, reader: index})
	b.ops = append(b.ops, op)
	b.wires = append(b.wires, wire{in: in, out: out})
	return out
}

// Input declares the network's input of C x H x W elements, Float32 or Int8. A
// network has one.
func (b *Builder) Input(kind Type, c, h, w int) Tensor {
	if len(b.ops) > 0 {
		return b.fail("a second input, or an input that is not first")
	}
	if kind == Int32 {
		return b.fail("an int32 input")
	}
	op := &input{}
	op.tensor = b.add(op, kind, c, h, w)
	return op.tensor
}
