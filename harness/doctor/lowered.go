package doctor

import (
	"errors"
	"fmt"
	"strings"

	"quantbench/harness/diagnose"
	"quantbench/harness/runtime/nvdla/hardware"
	"quantbench/harness/runtime/nvdla/lower"
	"quantbench/models"
)

// CodeOf is the code under which a warning of package lower is explained.
func CodeOf(k lower.Kind) string {
	switch k {
	case lower.EltwiseOverride:
		return sumOverride
	case lower.NoRescale:
		return unscaledCopy
	}
	return kinds[k]
}

// kinds are the codes of package lower's warnings. Those about scales are left
// to compareScales, which needs no weights.
var kinds = map[lower.Kind]string{
	lower.ConstantMultiplier: lostMultiplier, lower.LostKernelRow: lostLine, lower.LostReLU: lostActivation,
	lower.Unaligned: unaligned, lower.Ignored: ignoredParam, lower.BorderAverage: borderAverage,
	lower.Groups: groupedConv, lower.DriverLimit: driverLimit, lower.TruncateRange: factorRange,
}

// lowered asks package lower what the compiler would refuse or spoil.
func (e *exam) lowered() {
	if e.bad {
		return
	}
	weighted := hasWeights(e.net)
	if !weighted {
		e.add(noWeights, e.net.File, "no weights were given: rescaling factors, BatchNorm means, filters and biases are not examined")
	}
	if e.refusals(weighted) || !weighted {
		return
	}
	scales, known := e.scales, e.scaled()
	if !known {
		scales = make([]float32, len(e.net.Layers))
		for i := range scales {
			scales[i] = 1
		}
	}
	p, warnings, err := lower.Lower(e.net, scales, e.options)
	e.warnings(warnings, known)
	if err != nil {
		if known || !strings.Contains(err.Error(), "cannot be rescaled") {
			e.refused(err)
		}
		return
	}
	e.filters()
	if known {
		e.factors(p)
	}
}

func hasWeights(net *models.Network) bool {
	for _, l := range net.Layers {
		if len(l.Weights) > 0 {
			return true
		}
	}
	return false
}

func (e *exam) warnings(warnings []error, known bool) {
	for _, w := range warnings {
		var of *lower.Warning
		if !errors.As(w, &of) || kinds[of.Kind] == "" || of.Kind == lower.TruncateRange && !known {
			continue
		}
		f := e.add(kinds[of.Kind], of.Layer.Pos.String(), "%s: %s", name(of.Layer), of.Text)
		if of.Kind == lower.TruncateRange {
			f.Severity = diagnose.Warning
		}
	}
}

// refusals lowers every layer by itself, so that all are reported at once and
// not only the first. Without weights only types are known.
func (e *exam) refusals(weighted bool) bool {
	refused := false
	for _, l := range e.net.Layers {
		if len(l.From) == 0 {
			continue
		}
		err := alone(l, e.options)
		if err == nil || !weighted && strings.Contains(err.Error(), "weight blobs") {
			continue
		}
		e.refused(err)
		refused = true
	}
	return refused
}

// alone lowers a network of one layer behind as many rectified copies of the
// input as it reads.
func alone(l *models.Layer, opt lower.Options) error {
	opt.InputFormat = lower.NCxHWx
	in := &models.Layer{Name: "input", Type: "Input", Op: models.Input{Shape: l.From[0].Out}, Tops: []string{"input"}, Out: l.From[0].Out, Pos: l.Pos}
	net := &models.Network{File: l.Pos.File, Layers: []*models.Layer{in}, Batch: 1}
	single := *l
	single.From = nil
	copies := map[*models.Layer]*models.Layer{}
	for i, f := range l.From {
		if len(l.From) == 1 {
			copies[f] = in
		} else if copies[f] == nil {
			name := fmt.Sprintf("input %d", i)
			copies[f] = &models.Layer{Index: len(net.Layers), Name: f.Name, Type: "ReLU", Op: models.ReLU{}, Bottoms: []string{"input"}, Tops: []string{name}, From: []*models.Layer{in}, Out: f.Out, Pos: f.Pos}
			net.Layers = append(net.Layers, copies[f])
		}
		single.From = append(single.From, copies[f])
	}
	single.Index = len(net.Layers)
	net.Layers = append(net.Layers, &single)
	scales := make([]float32, len(net.Layers))
	for i := range scales {
		scales[i] = 1
	}
	if _, split := l.Op.(models.Split); computesNothing(l) && !split {
		return nil // a Split would do nothing, but the parser stops at it
	}
	_, warnings, err := lower.Lower(net, scales, opt)
	for _, w := range warnings {
		if of := new(lower.Warning); errors.As(w, &of) && of.Kind == lower.EmptyTable {
			return w // it compiles, and is lost all the same
		}
	}
	if err != nil && strings.Contains(err.Error(), "cannot be rescaled") {
		return nil // with these scales; the whole network tells
	}
	return err
}

// refused turns an error of package lower into a finding.
func (e *exam) refused(err error) {
	code, text, where := refusedLayer, err.Error(), e.net.File
	for _, l := range e.net.Layers {
		if at := l.Pos.String() + ": "; strings.HasPrefix(text, at) && strings.Contains(text, fmt.Sprintf("layer %q", l.Name)) {
			where, text = l.Pos.String(), strings.TrimPrefix(text, at)
			break
		}
	}
	switch {
	case strings.Contains(text, "Cannot handle Mean"):
		code = meanLimit
	case strings.Contains(text, "cannot be rescaled"):
		code = factorRange
	case strings.Contains(text, "non-acyclic graph"):
		code = cyclicGraph
	case strings.Contains(text, "surf format"):
		code = surfaceFormat
	}
	e.add(code, where, "%s", text)
}

// dead is the share of a layer's largest weight below which a filter counts as
// dead: its bias, in units of the filter's own scale, has 10 bits more than it
// needs.
const dead = 1.0 / 1024

// filters reports convolutions with filters of nearly no weight, BatchNorm and
// Scale behind them included.
func (e *exam) filters() {
	consumers := e.net.Consumers()
	for _, l := range e.net.Layers {
		op, ok := l.Op.(models.Convolution)
		if !ok || len(l.Weights) == 0 || op.Out == 0 {
			continue
		}
		tops := filterTops(l, op.Out)
		for next := only(consumers, l); next != nil && affine(next, tops); next = only(consumers, next) {
		}
		e.deadFilters(l, tops)
	}
}

func (e *exam) deadFilters(l *models.Layer, tops []float64) {
	largest, smallest, count, first := 0.0, 0.0, 0, -1
	for _, t := range tops {
		largest = max(largest, t)
	}
	for k, t := range tops {
		if t >= dead*largest {
			continue
		}
		if count++; first < 0 || t < smallest {
			first, smallest = k, t
		}
	}
	if count == 0 {
		return
	}
	f := e.add(deadFilters, l.Pos.String(), "%s: %d of %d filters have less than 1/1024 of the largest weight (BatchNorm and Scale included); filter %d has %.2g of it", name(l), count, len(tops), first, smallest/largest)
	if e.options.Mode != lower.PerFilter {
		f.Severity = diagnose.Note
		f.Advice = "harmless per-kernel: these filters become zero; in per-filter mode they spoil the biases of all others"
	}
}

// only is a layer's single reader; nil if there are more or none.
func only(consumers [][]*models.Layer, l *models.Layer) *models.Layer {
	if c := consumers[l.Index]; len(c) == 1 {
		return c[0]
	}
	return nil
}

// filterTops is the largest magnitude of each filter's weights.
func filterTops(l *models.Layer, filters int) []float64 {
	w := l.Weights[0].Data
	per := len(w) / filters
	tops := make([]float64, filters)
	for k := range tops {
		for _, x := range w[k*per : (k+1)*per] {
			tops[k] = max(tops[k], magnitude(x))
		}
	}
	return tops
}

// affine multiplies tops by a BatchNorm's or Scale's factors; false for others.
func affine(l *models.Layer, tops []float64) bool {
	switch op := l.Op.(type) {
	case models.BatchNorm:
		if len(l.Weights) < 3 || len(l.Weights[1].Data) != len(tops) || len(l.Weights[2].Data) == 0 {
			return false
		}
		for k := range tops {
			tops[k] *= normFactor(l.Weights[1].Data[k], l.Weights[2].Data[0], op.Eps)
		}
		return true
	case models.Scale:
		if len(l.Weights) == 0 || len(l.Weights[0].Data) != len(tops) {
			return false
		}
		for k := range tops {
			tops[k] *= magnitude(l.Weights[0].Data[k])
		}
		return true
	}
	return false
}

// factors reports what a lowered program keeps of biases and multipliers.
func (e *exam) factors(p *hardware.Program) {
	reported := map[string]bool{}
	for i := range p.Operations {
		op := &p.Operations[i]
		l := e.net.Layer(op.Layer)
		if op.SDP == nil || l == nil || reported[op.Layer] {
			continue
		}
		for _, s := range []struct {
			stage hardware.SDPStage
			cube  hardware.Cube
		}{{op.SDP.X1, op.X1}, {op.SDP.X2, op.X2}} {
			o := operands(p, s.stage, s.cube)
			if o == nil {
				continue
			}
			e.fewBits(l, o)
			e.lostBias(l, o, s.stage, op.SDP.OutCvt)
			reported[op.Layer] = true // strips of one layer are equal
		}
	}
}
