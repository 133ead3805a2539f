// Package simulate executes NVDLA's hardware operations on memory, plainly and
// bit for bit: the bytes that it leaves in every cube are those that NVIDIA's
// C-model leaves. It is the oracle; speed comes second. It refuses beforehand,
// by name, what the kernel driver refuses on the target, and what no published
// network or test uses (fp16, Winograd, compressed weights, multi-batch).
//
// All arithmetic is that of package hardware; this package only moves data.
package simulate

import (
	"fmt"

	"quantbench/harness/runtime/nvdla/hardware"
)

// Machine is a program with memory to run in. It is not safe for concurrent use;
// Fork makes another one for the same program.
type Machine struct {
	// Observe, if set, is called for every operation of a run, in order.
	Observe func(Dump)

	prog     *hardware.Program // with regions as large as the cubes need
	given    *hardware.Program
	warnings []error
	steps    []step
	consts   []bool   // regions that no operation and no input writes
	mem      [][]byte // by region
	scratch  scratch
}

// Dump is what one operation was given and what it produced: Cube.Size bytes
// from where each cube begins, as far as the region goes. Inputs are as they were
// before the operation, Dst as the driver finds it on completion: engines work on
// two operations at a time, so an independent next operation of the same engine
// is then done too, and shows where the cubes interleave. The slices are valid
// during the call only; nil where the operation has no such cube in memory.
type Dump struct {
	Position            int // in Program.Operations
	Op                  *hardware.Operation
	Src, X1, X2, Y, Dst []byte
}

// step is one operation made ready.
type step interface {
	run(m *Machine)
}

// scratch holds the buffers that the steps of one machine share.
type scratch struct {
	window []int16 // padded input of a convolution
	acc    []int32 // output of a convolution, y, x, k
}

// New checks a program and prepares it. The error is a *RefusedError if the
// target's driver or this simulator refuses an operation.
func New(p *hardware.Program) (*Machine, error) {
	if err := Check(p); err != nil {
		return nil, err
	}
	m := &Machine{given: p, consts: constants(p), mem: make([][]byte, len(p.Regions))}
	m.prog, m.warnings = extended(p)
	for i, r := range m.prog.Regions {
		m.mem[i] = make([]byte, allocated(r))
		copy(m.mem[i], r.Init)
	}
	for i := range p.Operations {
		s, err := m.prepare(i)
		if err != nil {
			return nil, fmt.Errorf("operation %d (%s): %w", i, p.Operations[i].Kind, err)
		}
		m.steps = append(m.steps, s)
	}
	return m, nil
}

// Fork makes a machine for the same program with memory of its own; what never
// changes is shared.
func (m *Machine) Fork() *Machine {
	f := &Machine{prog: m.prog, given: m.given, warnings: m.warnings, steps: m.steps, consts: m.consts, mem: make([][]byte, len(m.mem))}
	for i, b := range m.mem {
		f.mem[i] = b
		if !m.consts[i] {
			f.mem[i] = make([]byte, len(b))
		}
	}
	return f
}

// Run executes the program on one input in channel, line, column order and
// returns the output in the same order. The input must have the elements of
// Program.Input.Cube; a picture may leave out its last channels (three channels
// in A8B8G8R8), and a program without an input takes nil. Outputs of int16 are
// refused here: see Execute.
func (m *Machine) Run(input []int8) ([]int8, error) {
	if p := outputPrecision(m.prog); p != hardware.Int8 {
		return nil, fmt.Errorf("output %q is %s, not int8", m.prog.Output.Name, p)
	}
	if err := m.Execute(input); err != nil {
		return nil, err
	}
	wide := m.Output()
	out := make([]int8, len(wide))
	for i, v := range wide {
		out[i] = int8(v)
	}
	return out, nil
}

// Execute runs the program and leaves its results in memory: see Output, Memory.
func (m *Machine) Execute(input []int8) error {
	m.reset()
	if err := m.bind(input); err != nil {
		return err
	}
	if m.Observe != nil {
		m.runObserved()
		return nil
	}
	for _, s := range m.steps {
		s.run(m)
	}
	return nil
}

// Output is the output tensor in channel, line, column order.
func (m *Machine) Output() []int16 {
	q := m.prog.Output.Cube
	if q.Region < 0 {
		return nil
	}
	p := outputPrecision(m.prog)
	mem := m.mem[q.Region][q.Offset:]
	out := make([]int16, 0, q.C*q.H*q.W)
	for c := 0; c < q.C; c++ {
		for y := 0; y < q.H; y++ {
			for x := 0; x < q.W; x++ {
				out = append(out, int16(element(mem, q.FeatureOffset(m.prog.Target, p, c, y, x), p)))
			}
		}
	}
	return out
}

// Memory is a region's bytes as the last run left them; do not change them.
func (m *Machine) Memory(region int) []byte { return m.mem[region] }

// Program is what New was given.
func (m *Machine) Program() *hardware.Program { return m.given }

// Warnings tell what a user should know of the program: cubes that reach beyond
// their memory, which the hardware would not notice.
func (m *Machine) Warnings() []error { return m.warnings }

// reset brings every region that a run changes back to its first state.
func (m *Machine) reset() {
	for i, b := range m.mem {
		if !m.consts[i] {
			clear(b[copy(b, m.prog.Regions[i].Init):])
		}
	}
}

// bind writes the input into memory in the layout that its reader expects.
func (m *Machine) bind(input []int8) error {
	q := m.prog.Input.Cube
	if q.Region < 0 {
		if len(input) != 0 {
			return fmt.Errorf("the program has no input, but %d bytes were given", len(input))
		}
		return nil
	}
	format := inputFormat(m.prog)
	plane := q.H * q.W
	channels := len(input) / max(plane, 1)
	picture := !hardware.IsFeature(format)
	if channels*plane != len(input) || channels > q.C || channels == 0 || (!picture && channels != q.C) {
		return fmt.Errorf("input %q has %d bytes, want %d x %d x %d", m.prog.Input.Name, len(input), q.C, q.H, q.W)
	}
	mem := m.mem[q.Region][q.Offset:]
	for i, v := range input {
		c, y, x := i/plane, i/q.W%q.H, i%q.W
		if picture {
			mem[q.PixelOffset(format, c, y, x)] = byte(v)
		} else {
			mem[q.FeatureOffset(m.prog.Target, hardware.Int8, c, y, x)] = byte(v)
		}
	}
	return nil
}

// element reads one signed element.
func element(mem []byte, off int, p hardware.Precision) int32 {
	if p == hardware.Int8 {
		return int32(int8(mem[off]))
	}
	return int32(int16(uint16(mem[off]) | uint16(mem[off+1])<<8))
}

// setElement writes one element.
func setElement(mem []byte, off int, p hardware.Precision, v int32) {
	mem[off] = byte(v)
	if p != hardware.Int8 {
		mem[off+1] = byte(v >> 8)
	}
}
