package calibrate

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"quantbench/models"
)

// Levels is the largest integer of a scale: real = scale * integer, -127..127.
const Levels = 127

// ZeroScale is the scale of a tensor that was never anything but zero. Any
// positive scale represents it exactly; this one gives the range [-1, 1].
const ZeroScale = float32(1) / Levels

// Calibrator chooses where a tensor is clipped.
type Calibrator interface {
	// Name is the calibrator with its parameters: "percentile-99.99".
	Name() string
	// Choose chooses from a histogram with at least one value other than 0.
	Choose(h *Histogram) Choice
}

// NetworkCalibrator chooses for all tensors of a network together, because they
// depend on each other.
type NetworkCalibrator interface {
	Calibrator
	// ChooseAll chooses for every layer by Index. A choice without a scale stands
	// for a tensor that nothing is known of; those of layers that keep their
	// input's scale are not looked at.
	ChooseAll(net *models.Network, layers []Histogram) []Choice
}

// Choice is what a calibrator chose for one tensor.
type Choice struct {
	Scale float32
	// Threshold is the |x| that becomes the largest integer.
	Threshold float64
	// Bin is the bin m that the choice stands for; -1 if it is not made by bin.
	Bin int
}

// Parse makes a calibrator from a name as Name gives it: "entropy2",
// "percentile-99.9", "ort-entropy-2048".
func Parse(name string) (Calibrator, error) {
	if _, ok := makers()[name]; ok {
		return Named(name, nil)
	}
	if at := strings.LastIndexByte(name, '-'); at > 0 {
		if v, err := strconv.ParseFloat(name[at+1:], 64); err == nil && v != 0 {
			for _, parameter := range []string{"percent", "bins"} {
				if k, err := Named(name[:at], Params{parameter: v}); err == nil && k.Name() == name {
					return k, nil
				}
			}
		}
	}
	return Named(name, nil)
}

// chosen is the choice of a threshold.
func chosen(threshold float64, bin int) Choice {
	return Choice{Scale: float32(threshold / Levels), Threshold: threshold, Bin: bin}
}

// Params are the parameters of a calibrator by name.
type Params map[string]float64

// makers are the known calibrators. A maker takes its parameters out of the map.
func makers() map[string]func(Params) (Calibrator, error) {
	return map[string]func(Params) (Calibrator, error){
		"bug1989":         plain(Bug1989{}),
		"entropy2":        plain(Entropy2{}),
		"minmax":          plain(MinMax{}),
		"mxnet-kl":        plain(MXNetKL{}),
		"ncnn-aciq":       plain(NcnnACIQ{}),
		"ncnn-kl":         plain(NcnnKL{}),
		"nvdla-mse":       plain(NVDLAMSE{}),
		"pytorch-entropy": plain(PytorchEntropy{}),
		"pytorch-mse":     plain(PytorchMSE{}),
		"trt-s7310":       plain(S7310{}),
		"tvm-kl":          plain(TVMKL{}),
		"ort-entropy":     func(p Params) (Calibrator, error) { return NewORTEntropy(int(p.take("bins", ortLevels))) },
		"ort-percentile":  func(p Params) (Calibrator, error) { return NewORTPercentile(p.take("percent", ORTPercent)) },
		"percentile":      func(p Params) (Calibrator, error) { return NewPercentile(p.take("percent", DefaultPercent)) },
		"pytorch-percentile": func(p Params) (Calibrator, error) {
			return NewPytorchPercentile(p.take("percent", DefaultPercent))
		},
	}
}

// plain makes a calibrator without parameters.
func plain(c Calibrator) func(Params) (Calibrator, error) {
	return func(Params) (Calibrator, error) { return c, nil }
}

// take removes a parameter; 0 stands for its usual value.
func (p Params) take(name string, usual float64) float64 {
	v := p[name]
	delete(p, name)
	if v == 0 {
		return usual
	}
	return v
}

// Names are the known calibrators, in alphabetical order.
func Names() []string { return slices.Sorted(maps.Keys(makers())) }

// Named makes a calibrator from its name and parameters. "percentile",
// "pytorch-percentile" and "ort-percentile" have the parameter "percent", and
// "ort-entropy" the parameter "bins"; 0 or absent means their usual value.
// Unknown names and parameters are errors.
func Named(name string, params Params) (Calibrator, error) {
	maker, ok := makers()[name]
	if !ok {
		return nil, fmt.Errorf("calibrator %q is unknown; known are %s", name, strings.Join(Names(), ", "))
	}
	rest := maps.Clone(params)
	c, err := maker(rest)
	if err != nil {
		return nil, err
	}
	for _, k := range slices.Sorted(maps.Keys(rest)) {
		return nil, fmt.Errorf("calibrator %s has no parameter %q; remove it", name, k)
	}
	return c, nil
}
