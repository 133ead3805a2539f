package models

// WeightShapes are the shapes of the trained blobs that the layer needs, in
// Caffe's order and layout; nil for a layer that has none. The network's
// shapes must have been inferred.
func (l *Layer) WeightShapes() [][]int {
	in := l.In()
	switch op := l.Op.(type) {
	case Convolution:
		return withBias([]int{op.Out, in.C / op.Groups, op.KernelH, op.KernelW}, op.Bias, op.Out)
	case Deconvolution:
		return withBias([]int{in.C, op.Out / op.Groups, op.KernelH, op.KernelW}, op.Bias, op.Out)
	case InnerProduct:
		if op.Transpose {
			return withBias([]int{in.Len(), op.Out}, op.Bias, op.Out)
		}
		return withBias([]int{op.Out, in.Len()}, op.Bias, op.Out)
	case BatchNorm:
		return [][]int{{in.C}, {in.C}, {1}}
	case Scale:
		return withBias([]int{in.C}, op.Bias, in.C)
	case PReLU:
		if op.Shared {
			return [][]int{{}}
		}
		return [][]int{{in.C}}
	}
	return nil
}

func withBias(weights []int, bias bool, n int) [][]int {
	if bias {
		return [][]int{weights, {n}}
	}
	return [][]int{weights}
}

// Parameters is the number of trained values of the layer, BatchNorm's
// statistics and factor included.
func (l *Layer) Parameters() int {
	n := 0
	for _, shape := range l.WeightShapes() {
		n += Elements(shape)
	}
	return n
}

// MACs is the number of multiply-accumulate operations for one picture. Only
// Convolution, Deconvolution and InnerProduct are counted, as is usual; border
// positions count like inner ones.
func (l *Layer) MACs() int64 {
	in, out := l.In(), l.Out
	switch op := l.Op.(type) {
	case Convolution:
		return int64(out.Len()) * int64(in.C/op.Groups*op.KernelH*op.KernelW)
	case Deconvolution:
		return int64(in.Len()) * int64(op.Out/op.Groups*op.KernelH*op.KernelW)
	case InnerProduct:
		return int64(in.Len()) * int64(op.Out)
	}
	return 0
}

// Parameters is the number of trained values of the network.
func (n *Network) Parameters() int {
	sum := 0
	for _, l := range n.Layers {
		sum += l.Parameters()
	}
	return sum
}

// MACs is the number of multiply-accumulate operations for one picture.
func (n *Network) MACs() int64 {
	var sum int64
	for _, l := range n.Layers {
		sum += l.MACs()
	}
	return sum
}

// Elements is the product of the dimensions; 1 for a scalar without any.
func Elements(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}
