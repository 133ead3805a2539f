// Package nvdla is the runtime "nvdla-int8": a network as NVIDIA's compiler
// programs it for NVDLA, computed bit for bit as the hardware does.
//
// A network is lowered (package lower) and then runs either on the kernels of
// harness/compute, 16 pictures at a time, or, where those cannot express an
// operation, on the plain simulator (package simulate). Both give the same
// bytes; only the speed differs, and a warning says which it is.
package nvdla

import (
	"errors"
	"fmt"
	"strings"

	"quantbench/harness/runtime"
	"quantbench/harness/runtime/nvdla/hardware"
	"quantbench/harness/runtime/nvdla/lower"
	"quantbench/harness/runtime/nvdla/simulate"
	"quantbench/models"
)

// InputMode says how a picture becomes the network's int8 input.
type InputMode string

const (
	// Quantized is what a careful caller does: the preprocessed pixel divided by
	// the input's scale, rounded half to even and clamped to -128..127.
	Quantized InputMode = "quantized"
	// RuntimeInput is the fixed rule of NVIDIA's nvdla_runtime,
	// floor(pixel*127/255 + 0.5), which knows neither mean nor scale.
	RuntimeInput InputMode = "nvdla_runtime"
)

// Runtime is the runtime "nvdla-int8" with its settings. The zero value is
// nv_full, per-kernel, fast-math, quantized input.
type Runtime struct {
	Target  string // nv_small, nv_large or nv_full
	Mode    lower.Mode
	Profile lower.Profile
	Input   InputMode
	Format  lower.InputFormat // of the picture in memory; feature data if unset
	Fixes   []lower.Fix
}

var _ runtime.Runtime = Runtime{}

// Name is "nvdla-int8".
func (Runtime) Name() string { return "nvdla-int8" }

// Prepare lowers the network and makes it ready. It fails where nvdla_compiler
// or the target's driver would refuse, and says why.
func (r Runtime) Prepare(m runtime.Model) (runtime.Program, error) {
	opt, err := r.options()
	if err != nil {
		return nil, err
	}
	hw, warnings, err := lower.Lower(m.Network, m.Scales, opt)
	if err != nil {
		return nil, err
	}
	machine, err := simulate.New(hw)
	if err != nil {
		return nil, driverError(m.Network, hw, err)
	}
	p := &program{model: m, hardware: hw, machine: machine, warnings: warnings, mode: r.Mode, input: newInput(r.Input, m, hw)}
	if p.fast, err = compile(hw, m.Network.Input().Out.C); err != nil {
		p.warnings = append(p.warnings, fmt.Errorf("%s: runs on the plain simulator, which is far slower but gives the same bytes: %w", m.Network.File, err))
	}
	p.layers = results(m.Network, hw)
	return p, nil
}

// results finds the layer whose output each operation makes. A layer may take
// several operations, of which the last makes it; one that is made part by part
// has no operation that makes all of it, and is not shown.
func results(net *models.Network, hw *hardware.Program) []*models.Layer {
	layers, seen := make([]*models.Layer, len(hw.Operations)), map[string]bool{}
	for i := len(hw.Operations) - 1; i >= 0; i-- {
		op := &hw.Operations[i]
		if seen[op.Layer] {
			continue
		}
		seen[op.Layer] = true
		if l := net.Layer(op.Layer); l != nil && op.Dst.C*op.Dst.H*op.Dst.W >= l.Out.Len() {
			layers[i] = l
		}
	}
	return layers
}

// options checks the settings.
func (r Runtime) options() (lower.Options, error) {
	opt := lower.Options{Mode: r.Mode, Profile: r.Profile, InputFormat: r.Format, Fixes: r.Fixes, Whole: true}
	if r.Input != "" && r.Input != Quantized && r.Input != RuntimeInput {
		return opt, fmt.Errorf("unknown input mode %q; choose %s or %s", r.Input, Quantized, RuntimeInput)
	}
	if r.Target == "" {
		return opt, nil
	}
	var ok bool
	if opt.Target, ok = hardware.TargetNamed(r.Target); !ok {
		var names []string
		for _, t := range hardware.Targets {
			names = append(names, t.Name)
		}
		return opt, fmt.Errorf("unknown NVDLA target %q; choose one of %s", r.Target, strings.Join(names, ", "))
	}
	return opt, nil
}

// driverError names the layer of an operation that the target refuses.
func driverError(net *models.Network, p *hardware.Program, err error) error {
	var refused *simulate.RefusedError
	if errors.As(err, &refused) {
		if l := net.Layer(p.Operations[refused.Position].Layer); l != nil {
			return l.Errorf("%w", err)
		}
	}
	return fmt.Errorf("%s: %w", net.File, err)
}

// program is a prepared network.
type program struct {
	model    runtime.Model
	hardware *hardware.Program
	machine  *simulate.Machine // only forked
	fast     *fast             // nil: the simulator runs it
	input    *input
	warnings []error
	mode     lower.Mode
	layers   []*models.Layer // by operation; nil where none ends there
}

// Warnings are the compiler's faults that were reproduced and their cost.
func (p *program) Warnings() []error { return p.warnings }

// NewWorker makes an executor with buffers of its own.
func (p *program) NewWorker() runtime.Worker {
	if p.fast != nil {
		return newFastWorker(p)
	}
	return &simulator{p: p, machine: p.machine.Fork()}
}

// classes is the number of scores a picture.
func (p *program) classes() int {
	c := p.hardware.Output.Cube
	return c.C * c.H * c.W
}

// real turns output integers into scores.
func (p *program) real(q []int8, scores []float32) {
	for i, v := range q {
		scores[i] = float32(v) * p.hardware.Output.Scale
	}
}

// check compares the sizes of a call's buffers.
func (p *program) check(pixels []byte, scores []float32) (pictures int, err error) {
	size := p.model.Network.Input().Out.Len()
	pictures = len(pixels) / size
	if len(pixels) != pictures*size || len(scores) != pictures*p.classes() {
		return 0, fmt.Errorf("%d bytes and %d scores are not whole pictures of %d bytes with %d scores each", len(pixels), len(scores), size, p.classes())
	}
	return pictures, nil
}

// show gives one operation's result to a tracer.
func (p *program) show(op int, q []int8, real []float32, see func(l *models.Layer, values []float32, clipped int)) {
	l, scale := p.layers[op], p.hardware.Operations[op].DstScale
	if l == nil {
		return
	}
	q = q[:min(len(q), l.Out.Len())] // Rubik writes channels up to a whole atom
	clipped := 0
	for i, v := range q {
		real[i] = float32(v) * scale
		if v == 127 || v == -128 {
			clipped++
		}
	}
	see(l, real[:len(q)], clipped)
}
