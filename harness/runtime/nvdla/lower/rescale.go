package lower

import (
	"fmt"

	"quantbench/harness/runtime/nvdla/hardware"
)

// identity is the output converter of operations that rescale in X1.
var identity = hardware.Converter{Scale: 1, Enable: true}

// unset is the compiler's converter before anything is programmed.
var unset = hardware.Converter{Scale: 1}

// rescale programs how each SDP operation gets from the scale of its input to
// that of its output (handleLowPrecisionConversions).
func rescale(g *graph) error {
	for _, n := range g.ordered() {
		var err error
		switch n.kind {
		case kBias:
			err = rescaleBias(n, g.opt.Mode)
		case kScale:
			err = rescaleScale(n)
		case kNorm:
			err = rescaleNorm(n)
		case kEltwise:
			n.out1, err = converter(n.in[0].scale / n.out.scale)
		case kAct:
			n.out1 = unset
		}
		if err != nil {
			return n.layer.Errorf("cannot be rescaled from %g to %g: %v; check the calibration table", n.inScale(), n.out.scale, err)
		}
		if t := max(n.truncate, n.out1.Truncate); t > 31 {
			g.warn(n.layer, TruncateRange, fmt.Sprintf("a factor so small that it needs a shift of %d; the compiler reports \"Truncate too high\"", t))
		}
	}
	return nil
}

func converter(x float32) (hardware.Converter, error) {
	scale, shift, err := factorize(x, 0)
	return hardware.Converter{Scale: scale, Truncate: shift, Enable: true}, err
}

// rescaleBias: per-kernel the output converter rescales; per-filter X1
// multiplies each channel by a factor of its own after adding.
func rescaleBias(n *node, m Mode) (err error) {
	ratio := n.inScale() / n.out.scale
	conv := n.fused()
	if m == PerKernel {
		if conv != nil {
			ratio *= conv.conv.scales[0]
		}
		n.out1, err = converter(ratio)
		return err
	}
	factors := repeated(ratio, len(n.add))
	if conv != nil {
		for i := range factors {
			factors[i] *= conv.conv.scales[i]
		}
	}
	n.both, n.out1 = true, identity
	n.mulInt, n.truncate, err = factorizeAll(factors, largest(factors))
	return err
}

// rescaleScale: the factor is ((s * Sw) * Sin) / Sout.
func rescaleScale(n *node) (err error) {
	factors := make([]float32, len(n.mul))
	conv := n.fused()
	for i, s := range n.mul {
		if conv != nil {
			s *= conv.conv.scales[i]
		}
		factors[i] = float32(s*n.inScale()) / n.out.scale
	}
	n.out1 = identity
	n.mulInt, n.truncate, err = factorizeAll(factors, largestMagnitude(factors))
	return err
}

// rescaleNorm: the factor is ((Sin * var') / Sout) * Sw.
func rescaleNorm(n *node) (err error) {
	factors := make([]float32, len(n.mul))
	conv := n.fused()
	for i, v := range n.mul {
		factors[i] = float32(n.inScale()*v) / n.out.scale
		if conv != nil {
			factors[i] *= conv.conv.scales[i]
		}
	}
	n.out1 = identity
	n.mulInt, n.truncate, err = factorizeAll(factors, largest(factors))
	return err
}
