package doctor

import (
	"fmt"
	"math"

	"quantbench/datasets"
	"quantbench/harness/diagnose"
	"quantbench/models"
)

// input compares the range of the input's row with what will feed it.
func (e *exam) input() {
	in := e.net.Input()
	s := e.scales[in.Index]
	if s == 0 {
		if e.Calibrated {
			e.uncalibrated(in)
		}
		return
	}
	reach := 127 * float64(s)
	switch {
	case e.Preprocess == nil:
		e.unknownInput(in, reach)
	case e.Input == Quantized:
		e.quantizedInput(in, reach)
	default:
		e.mappedInput(in, reach)
	}
}

// uncalibrated: the table will be made, so only the map can be wrong.
func (e *exam) uncalibrated(in *models.Layer) {
	if e.Input != RuntimeInput || e.Preprocess == nil {
		return
	}
	if what := unmapped(*e.Preprocess); what != "" {
		e.add(inputRange, in.Pos.String(), "nvdla_runtime feeds floor(pixel*127/255 + 0.5) whatever the preprocessing is, but the network was trained with %s", what)
	}
}

// unmapped says what of a preprocessing the runtime's map cannot do.
func unmapped(p datasets.Preprocess) string {
	switch {
	case len(p.MeanImage) > 0 || p.MeanFile != "":
		return "a mean image subtracted"
	case p.Invert:
		return "inverted pictures"
	}
	for _, m := range p.Mean {
		if m != 0 {
			return fmt.Sprintf("the mean %v subtracted", p.Mean)
		}
	}
	return ""
}

// tolerance of a range against what it should be: TensorRT's own choice for the
// range 1 of a uniform picture lies 0.4 % below.
const tolerance = 0.02

func (e *exam) mappedInput(in *models.Layer, reach float64) {
	want := 255 * float64(e.Preprocess.Factor())
	if what := unmapped(*e.Preprocess); what != "" {
		e.add(inputRange, e.rowPlace(in), "int8 nvdla_runtime does not subtract: the network was trained with %s, the table's input range is ±%.4g, and pixels 0..255 arrive as 0..%.4g", what, reach, reach)
		return
	}
	if math.Abs(reach/want-1) > tolerance {
		e.add(inputRange, e.rowPlace(in), "nvdla_runtime maps pixel 255 to 127*scale = %.4g; the network was trained to see %.4g there (%.3g times)", reach, want, reach/want)
	}
}

// quantizedInput: the harness quantizes with the table's scale, which should
// cover the values and not much more.
func (e *exam) quantizedInput(in *models.Layer, reach float64) {
	p, top := *e.Preprocess, 0.0
	if len(p.MeanImage) > 0 || p.MeanFile != "" {
		return // bounded by the picture's own mean only
	}
	for c := range in.Out.C {
		if len(p.Mean) > 1 && c >= len(p.Mean) {
			return
		}
		lut := p.LUT(c)
		top = max(top, math.Abs(float64(lut[0])), math.Abs(float64(lut[255])))
	}
	if ratio := reach / top; ratio < 0.5 || ratio > 4 {
		f := e.add(inputRange, e.rowPlace(in), "the table's input range is ±%.4g, but the preprocessing gives values up to %.4g: %.3g times", reach, top, ratio)
		f.Severity = diagnose.Warning
		f.Advice = "calibrate with the preprocessing that is used"
	}
}

// unknownInput: without a declared preprocessing only two ranges make sense.
func (e *exam) unknownInput(in *models.Layer, reach float64) {
	if e.Input == Quantized || math.Abs(reach/255-1) <= tolerance || math.Abs(reach-1) <= tolerance {
		return
	}
	fact := fmt.Sprintf("nvdla_runtime maps pixel 255 to 127*scale = %.4g, neither 255 (raw pixels) nor 1 (pixel/255)", reach)
	if reach > 100 && reach < 254 {
		fact += fmt.Sprintf("; %.4g = 255 - %.4g, so the table was calibrated on pixels with a mean near %.0f subtracted, which the runtime does not do", reach, 255-reach, 255-reach)
	}
	f := e.add(inputRange, e.rowPlace(in), "%s", fact)
	f.Severity = diagnose.Warning
}

// softmax reports output scales that saturate.
func (e *exam) softmax() {
	for _, l := range e.net.Layers {
		if _, ok := l.Op.(models.Softmax); !ok {
			continue
		}
		if s := e.scales[l.Index]; s > 0 {
			e.saturating(l, 127*float64(s))
		}
		if l == e.net.Output() {
			e.add(softmaxSteps, l.Pos.String(), "the network ends in %s: probabilities come in steps of 1/127", name(l))
		}
	}
}

func (e *exam) saturating(l *models.Layer, reach float64) {
	if reach >= 0.98 {
		return
	}
	f := e.add(softmaxRange, e.rowPlace(l), "%s must reach 1, its range is %.4g: every probability above becomes 127", name(l), reach)
	if ties := int(1 / reach); ties > 1 {
		f.Fact += fmt.Sprintf(", up to %d classes can tie for the first place", ties)
		return
	}
	f.Severity = diagnose.Note
}
