package calibrate

import (
	"fmt"
	"maps"
	"slices"
	"strings"
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

// Choice is what a calibrator chose for one tensor.
type Choice struct {
	Scale float32
	// Threshold is the |x| that becomes the largest integer.
	Threshold float64
	// Bin is the bin m that the choice stands for; -1 if it is not made by bin.
	Bin int
}

// Params are the parameters of a calibrator by name.
type Params map[string]float64

// makers are the known calibrators. A maker takes its parameters out of the map.
func makers() map[string]func(Params) (Calibrator, error) {
	return map[string]func(Params) (Calibrator, error){
		"entropy2": func(Params) (Calibrator, error) { return Entropy2{}, nil },
		"minmax":   func(Params) (Calibrator, error) { return MinMax{}, nil },
		"percentile": func(p Params) (Calibrator, error) {
			percent, ok := p["percent"]
			delete(p, "percent")
			if !ok || percent == 0 {
				percent = DefaultPercent
			}
			return NewPercentile(percent)
		},
	}
}

// Names are the known calibrators, in alphabetical order.
func Names() []string { return slices.Sorted(maps.Keys(makers())) }

// Named makes a calibrator from its name and parameters. "percentile" has the
// parameter "percent" (0 or absent: 99.99). Unknown ones are errors.
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
