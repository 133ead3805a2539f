package table

import (
	"fmt"

	"quantbench/models"
)

// kind is TensorRT's name of a layer's type, as it stands in unnamed rows.
func kind(l *models.Layer) string {
	switch l.Op.(type) {
	case models.BatchNorm, models.Scale, models.Power:
		return "Scale"
	case models.ReLU, models.Sigmoid, models.TanH, models.ELU:
		return "Activation"
	case models.AbsVal:
		return "Unary"
	case models.PReLU:
		return "Parametric ReLU"
	case models.Eltwise:
		return "ElementWise"
	case models.InnerProduct:
		return "Fully Connected"
	case models.Concat:
		return "Concatenation"
	case models.Reshape:
		return "Shuffle"
	case models.Softmax:
		return "Softmax"
	}
	return l.Type // Convolution, Deconvolution, Pooling, LRN
}

func unnamedRow(k key) string {
	return fmt.Sprintf("(Unnamed Layer* %d) [%s]_output", k.number, kind(k.layer))
}

func checkScales(net *models.Network, scales []float32) error {
	if len(scales) != len(net.Layers) {
		return fmt.Errorf("%s: %d scales for %d layers", net.File, len(scales), len(net.Layers))
	}
	return nil
}

// Cache is the table that TensorRT would write for scales by Layer.Index. Fix
// gives the scales back. An empty header means DefaultHeader.
func Cache(net *models.Network, scales []float32, header string) (*Table, error) {
	if err := checkScales(net, scales); err != nil {
		return nil, err
	}
	if header == "" {
		header = DefaultHeader
	}
	t := &Table{File: net.File, Header: header}
	for _, k := range keys(net) {
		name := k.name
		if name == "" {
			name = unnamedRow(k)
		}
		t.Rows = append(t.Rows, Row{Name: name, Scale: scales[k.layer.Index]})
	}
	t.check()
	return t, nil
}

// Named is the table for nvdla_compiler of scales by Layer.Index. FixNamed gives
// the scales back.
func Named(net *models.Network, scales []float32) (*Table, error) {
	if err := checkScales(net, scales); err != nil {
		return nil, err
	}
	t := named(net, scales)
	t.check()
	return t, nil
}

func named(net *models.Network, scales []float32) *Table {
	t := &Table{File: net.File}
	for _, k := range keys(net) {
		name := k.layer.Name
		if k.number < 0 {
			name = k.name
		}
		t.Rows = append(t.Rows, Row{Name: name, Scale: scales[k.layer.Index]})
	}
	return t
}
