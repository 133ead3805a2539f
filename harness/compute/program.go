package compute

import (
	"errors"
	"unsafe"

	"quantbench/harness/compute/kernel"
)

// largeArena is the size in bytes of one group's buffers above which a worker
// takes one group at a time.
const largeArena = 16 << 20

// Program is a network ready to run. It is immutable and safe for concurrent use.
type Program struct {
	tensors []*tensor
	ops     []operation
	wires   []wire
	kernels *kernel.Set
	input   *tensor
	groups  int
	arena   int       // bytes
	scratch int       // bytes
	fills   []filling // how a fresh arena is filled
	single  *single   // nil if a layer has no form for one picture
}

// filling says what an arena's bytes begin with.
type filling struct {
	offset, size int
	value        uint32
}

// Build finishes the network. The Builder cannot be used afterwards.
func (b *Builder) Build() (*Program, error) {
	if len(b.errs) > 0 {
		return nil, b.errs[0]
	}
	if len(b.ops) == 0 {
		return nil, errors.New("a network without layers")
	}
	p := &Program{tensors: b.tensors, ops: b.ops, wires: b.wires, kernels: b.Kernels, groups: b.Groups}
	if p.kernels == nil {
		p.kernels = kernel.Best()
	}
	b.program = p
	p.input = b.tensors[b.wires[0].out]
	b.chooseTaps()
	b.markCopies()
	p.place(1)
	if p.groups == 0 {
		p.groups = 4
		if p.arena > largeArena {
			p.groups = 1
		}
	}
	p.place(p.groups)
	for _, op := range b.ops {
		if err := op.prepare(b); err != nil {
			return nil, err
		}
	}
	if !b.tiled {
		p.single = p.split()
	}
	return p, nil
}

// chooseTaps stores a one-channel int8 input four taps to an element if only
// plain convolutions read it.
func (b *Builder) chooseTaps() {
	in := b.program.input
	taps := in.kind == Int8 && in.c == 1
	for i, w := range b.wires {
		for _, x := range w.in {
			if b.tensors[x] != in {
				continue
			}
			c, ok := b.ops[i].(*conv)
			taps = taps && ok && c.DilationW == 1 && c.KernelW > 1 && c.Residual != x
		}
	}
	in.taps = taps
}

// markCopies gives a tensor a buffer for every group where it must outlive the
// group's turn: it is kept, or read or written by an operation that takes all
// groups at once, or read beyond one.
func (b *Builder) markCopies() {
	segment := make([]int, len(b.ops))
	n := 0
	for i, op := range b.ops {
		if op.across() || i > 0 && b.ops[i-1].across() {
			n++
		}
		segment[i] = n
	}
	for _, t := range b.tensors[1:] {
		t.copies = t.kept || b.ops[t.writer].across()
	}
	for i, w := range b.wires {
		for _, x := range w.in {
			t := b.tensors[x]
			t.copies = t.copies || b.ops[i].across() || segment[i] != segment[t.writer]
		}
	}
}

// buffer is the shape of a tensor's memory: only tensors of one shape share a
// buffer, so that halos keep their zeros.
type buffer struct {
	zero                uint32
	planes, h, w        int
	top, bottom, lf, rt int
	taps, copies        bool
}

func (t *tensor) buffer() buffer {
	return buffer{zero: t.zero(), planes: t.planes(), h: t.h, w: t.w, top: t.top, bottom: t.bottom,
		lf: t.left, rt: t.right, taps: t.taps, copies: t.copies}
}

// place gives every tensor its place in the arena; tensors whose lives do not
// overlap may share one.
func (p *Program) place(groups int) {
	p.arena, p.fills = 0, nil
	free := map[buffer][]int{}
	ends := make([][]*tensor, len(p.ops))
	for _, t := range p.tensors[1:] {
		if !t.kept {
			ends[t.reader] = append(ends[t.reader], t)
		}
	}
	for i, w := range p.wires {
		t := p.tensors[w.out]
		p.assign(t, free, groups)
		for _, dead := range ends[i] {
			free[dead.buffer()] = append(free[dead.buffer()], dead.offset)
		}
	}
}

func (p *Program) assign(t *tensor, free map[buffer][]int, groups int) {
	t.stride = 0
	size := t.size()
	if t.copies {
		t.stride = size
		size *= groups
	}
	if list := free[t.buffer()]; len(list) > 0 {
		t.offset = list[len(list)-1]
		free[t.buffer()] = list[:len(list)-1]
		return
	}
	t.offset = p.arena
	p.arena += size
	p.fills = append(p.fills, filling{t.offset, size, t.zero()})
}

// Kernels names the instruction level that the program uses.
func (p *Program) Kernels() string { return p.kernels.Name }

// Batch is the largest number of pictures that a worker takes in one call.
func (p *Program) Batch() int { return p.groups * kernel.Lanes }

// Memory is the size of one worker's buffers in bytes.
func (p *Program) Memory() int {
	n := p.arena + p.scratch
	if p.single != nil {
		n += p.single.program.Memory()
	}
	return n
}

// NewWorker makes an executor with buffers of its own. A Worker must not be
// used by two goroutines at once.
func (p *Program) NewWorker() *Worker {
	w := &Worker{p: p, arena: aligned(p.arena), scratch: aligned(p.scratch), stored: make([][256]byte, p.input.c)}
	for _, f := range p.fills {
		words := unsafe.Slice((*uint32)(unsafe.Pointer(&w.arena[f.offset])), f.size/4)
		for i := range words {
			words[i] = f.value
		}
	}
	return w
}

// aligned makes a slice that begins at a multiple of a vector's size.
func aligned(n int) []byte {
	buf := make([]byte, n+kernel.VectorBytes)
	skip := -uintptr(unsafe.Pointer(&buf[0])) % kernel.VectorBytes
	return buf[skip:][:n:n]
}
