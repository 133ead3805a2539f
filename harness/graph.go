package harness

import (
	"fmt"
	"strings"

	"quantbench/harness/record"
	"quantbench/models"
)

// Graph is a network as records keep it.
func Graph(net *models.Network) *record.Graph {
	g := &record.Graph{}
	for _, l := range net.Layers {
		n := record.GraphNode{Name: l.Name, Type: l.Type, Detail: detail(l), Out: [3]int{l.Out.C, l.Out.H, l.Out.W}, Parameters: l.Parameters(), MACs: l.MACs()}
		for _, f := range l.From {
			n.From = append(n.From, f.Index)
		}
		g.Nodes = append(g.Nodes, n)
	}
	return g
}

// detail says what is particular of a layer, in a few characters.
func detail(l *models.Layer) string {
	switch op := l.Op.(type) {
	case models.Convolution:
		return convolutionDetail(op)
	case models.Deconvolution:
		return convolutionDetail(models.Convolution(op))
	case models.Pooling:
		return poolingDetail(op)
	case models.InnerProduct:
		return fmt.Sprint(op.Out)
	case models.ReLU:
		if op.NegativeSlope != 0 {
			return fmt.Sprintf("slope %g", op.NegativeSlope)
		}
	case models.Eltwise:
		return []string{"product", "sum", "maximum"}[op.Operation]
	case models.LRN:
		if op.WithinChannel {
			return fmt.Sprintf("%dx%d", op.Size, op.Size)
		}
		return fmt.Sprintf("%d channels", op.Size)
	case models.Power:
		return fmt.Sprintf("(%g + %g x)^%g", op.Shift, op.Scale, op.Power)
	}
	return ""
}

func convolutionDetail(op models.Convolution) string {
	s := fmt.Sprintf("%d of %s", op.Out, window(op.Window))
	if op.DilationH > 1 || op.DilationW > 1 {
		s += ", dilation " + sides(op.DilationH, op.DilationW)
	}
	if op.Groups > 1 {
		s += fmt.Sprintf(", %d groups", op.Groups)
	}
	return s
}

func poolingDetail(op models.Pooling) string {
	method := []string{"max", "average"}[op.Method]
	if op.Global {
		return method + ", global"
	}
	return method + " " + window(op.Window)
}

// window is "3x3/2, pad 1".
func window(w models.Window) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%dx%d", w.KernelH, w.KernelW)
	if w.StrideH > 1 || w.StrideW > 1 {
		b.WriteString("/" + sides(w.StrideH, w.StrideW))
	}
	if w.PadH > 0 || w.PadW > 0 {
		b.WriteString(", pad " + sides(w.PadH, w.PadW))
	}
	return b.String()
}

// sides is one number if both axes agree.
func sides(h, w int) string {
	if h == w {
		return fmt.Sprint(h)
	}
	return fmt.Sprintf("%dx%d", h, w)
}
