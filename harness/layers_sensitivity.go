package harness

import (
	"context"

	"quantbench/harness/record"
	"quantbench/harness/runtime"
	"quantbench/harness/runtime/emulated"
)

// sensitivity tries every unit of a cell alone in int8 and alone in float, on the
// first pictures.
func (a *analysis) sensitivity(ctx context.Context, pictures int) (*record.Sensitivity, error) {
	g, err := gridOf(a.program)
	if err != nil {
		return nil, err
	}
	n, layers := min(pictures, a.pix.n()), len(a.net.Layers)
	labels := a.pix.labels
	units := emulated.Units(a.net.Network, g)
	a.passes += 3 + 2*len(units)
	float, err := a.mixed(ctx, "float", n, g, emulated.NewMix(layers))
	if err != nil {
		return nil, err
	}
	all, err := a.mixed(ctx, "emulated", n, g, emulated.All(layers))
	if err != nil {
		return nil, err
	}
	own, err := a.run(ctx, "program", n, func() (runtime.Program, error) { return a.program, nil })
	if err != nil {
		return nil, err
	}
	s := &record.Sensitivity{Images: n, Float: compared(float, float, labels), Int8: compared(all, float, labels),
		Agreement: float64(same(all, own)) / float64(n), Foreign: emulated.Foreign(a.net.Network, g)}
	for _, u := range units {
		only, err := a.mixed(ctx, "only "+u.Name, n, g, emulated.Only(layers, u.Layers...))
		if err != nil {
			return nil, err
		}
		without, err := a.mixed(ctx, "without "+u.Name, n, g, emulated.All(layers, u.Layers...))
		if err != nil {
			return nil, err
		}
		s.Layers = append(s.Layers, record.LayerSensitivity{Layer: u.Name, Parts: a.names(u.Layers),
			Only: compared(only, float, labels), Without: compared(without, all, labels)})
	}
	return s, nil
}

// names are the names of layers.
func (a *analysis) names(layers []int) []string {
	var names []string
	for _, i := range layers {
		names = append(names, a.net.Layers[i].Name)
	}
	return names
}
