package lower

import (
	"quantbench/harness/runtime/nvdla/hardware"
	"quantbench/models"
)

// Lower compiles a network with trained weights for a target. scales holds the
// calibration table's value of each layer's output, by Layer.Index (real =
// scale * integer); layers of which the compiler makes nothing need none. The
// network is not changed.
//
// The warnings are of type *Warning; a program that came with warnings still
// does exactly what the device would do. The error says, before anything runs,
// why nvdla_compiler would fail, with the layer's file and line.
func Lower(net *models.Network, scales []float32, opt Options) (*hardware.Program, []error, error) {
	opt, err := opt.complete()
	if err != nil {
		return nil, nil, err
	}
	g, err := canonical(net, scales, opt)
	if err != nil {
		return nil, nil, err
	}
	if err := imageInput(g); err != nil {
		return nil, nil, err
	}
	if err := merge(g); err != nil {
		return nil, nil, err
	}
	g.table = scales
	equalizeSums(g)
	checkCopies(g)
	if err := quantize(g); err != nil {
		return nil, nil, err
	}
	if err := rescale(g); err != nil {
		return nil, nil, err
	}
	fuse(g)
	p, err := emit(g)
	return p, g.warned, err
}

// inputScale is the scale with which the caller quantizes the picture: the
// table's, which the Eltwise override does not change, but a Fix does.
func (g *graph) inputScale() float32 {
	if g.opt.fixed(FixEltwiseScale) {
		return g.input.scale
	}
	return tableScale(g.table[g.input.layer.Index])
}
