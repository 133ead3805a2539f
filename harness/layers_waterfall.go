package harness

import (
	"context"
	"errors"

	"quantbench/harness/record"
	"quantbench/harness/runtime"
	"quantbench/harness/runtime/emulated"
	"quantbench/harness/runtime/nvdla"
	"quantbench/harness/runtime/nvdla/lower"
	"quantbench/models"
)

// rung is one step of a waterfall before it is measured.
type rung struct {
	name string
	// program is an emulation's mix, or a real program; neither for the last
	// rung, which is the stored cell.
	mix  *emulated.Mix
	real func() (runtime.Program, error)
}

// waterfall splits the difference between the stored cells of the reference and
// of the int8 program. Every step is a pass over all pictures, so that the steps
// add up to the difference, picture by picture.
func (a *analysis) waterfall(ctx context.Context, ref, cell *outcome) (*record.Waterfall, error) {
	fixed, rungs, err := a.ladder()
	if err != nil {
		return nil, err
	}
	n := len(cell.predictions)
	a.passes += len(rungs) - 1
	w := &record.Waterfall{Reference: ref.cell.ID, Images: n, Start: ref.cell.Correct, End: cell.cell.Correct, Foreign: emulated.Foreign(a.net.Network, fixed)}
	before := ref.predictions
	for i, r := range rungs {
		after := cell.predictions
		switch {
		case r.mix != nil:
			after, err = a.mixed(ctx, "waterfall: "+r.name, n, fixed, *r.mix)
		case i < len(rungs)-1:
			after, err = a.run(ctx, "waterfall: "+r.name, n, r.real)
		}
		if err != nil {
			return nil, err
		}
		s := record.Step{Name: r.name, Emulated: r.mix != nil, Mixed: compared(after, before, a.pix.labels), Same: same(after, before)}
		w.Steps = append(w.Steps, s)
		if r.name == record.StepInteger {
			w.Agreement = float64(s.Same) / float64(n)
		}
		before = after
	}
	return w, nil
}

// ladder lists the steps that a cell has, and the grid of its emulation: that of
// the program without the compiler's fault in sums.
func (a *analysis) ladder() (emulated.Grid, []rung, error) {
	program := a.program
	careful, override, input := a.variants()
	if careful != nil {
		var err error
		if program, err = careful(); err != nil {
			return nil, nil, err
		}
	}
	g, err := gridOf(program)
	if err != nil {
		return nil, nil, err
	}
	rungs := a.emulatedRungs(g)
	rungs = append(rungs, rung{name: record.StepInteger, real: func() (runtime.Program, error) { return program, nil }})
	if override {
		r := rung{name: record.StepOverride}
		if input {
			r.real = func() (runtime.Program, error) { return a.variant(nvdla.Quantized)(a.model) }
		}
		rungs = append(rungs, r)
	}
	if input {
		rungs = append(rungs, rung{name: record.StepInput})
	}
	return g, rungs, nil
}

// emulatedRungs round weights, then tensors, then the scores.
func (a *analysis) emulatedRungs(g emulated.Grid) []rung {
	weights, inner, all := emulated.NewMix(len(a.net.Layers)), emulated.All(len(a.net.Layers)), emulated.All(len(a.net.Layers))
	for i := range weights.Weights {
		weights.Weights[i] = true
	}
	ties := false
	for _, l := range scoreLayers(a.net.Network) {
		inner.Tensors[l.Index] = false
		ties = ties || g.Steps()[l.Index] != 0
	}
	rungs := []rung{{name: record.StepWeights, mix: &weights}, {name: record.StepActivations, mix: &inner}}
	if ties {
		rungs = append(rungs, rung{name: record.StepTies, mix: &all})
	}
	return rungs
}

// scoreLayers are the layers whose rounding cannot change the order of the scores,
// except that it makes equals: the output, what a final Softmax reads, and what
// only gives these another shape.
func scoreLayers(n *models.Network) []*models.Layer {
	l := n.Output()
	list := []*models.Layer{l}
	for len(l.From) == 1 {
		switch l.Op.(type) {
		case models.Softmax, models.Flatten, models.Reshape, models.Dropout, models.Split:
			l = l.From[0]
			list = append(list, l)
		default:
			return list
		}
	}
	return list
}

// variants tell which steps an NVDLA cell has beyond the integer arithmetic:
// careful makes its program without them, and is nil if there are none.
func (a *analysis) variants() (careful func() (runtime.Program, error), override, input bool) {
	r, ok := a.engine.(nvdla.Runtime)
	if !ok {
		return nil, false, false
	}
	for _, w := range a.program.Warnings() {
		var fault *lower.Warning
		override = override || errors.As(w, &fault) && fault.Kind == lower.EltwiseOverride
	}
	input = r.Input == nvdla.RuntimeInput
	if !override && !input {
		return nil, false, false
	}
	return func() (runtime.Program, error) { return a.variant(nvdla.Quantized, lower.FixEltwiseScale)(a.model) }, override, input
}

// variant prepares the cell's runtime with another input rule and fixes.
func (a *analysis) variant(in nvdla.InputMode, fixes ...lower.Fix) func(runtime.Model) (runtime.Program, error) {
	r, _ := a.engine.(nvdla.Runtime) // variants has checked it
	r.Input, r.Fixes = in, fixes
	return r.Prepare
}
