package fp32

import (
	"math"

	"quantbench/models"
)

// Reference runs one picture through a network the plain way: every layer on a
// C x H x W slice, sums in float64, rounded to float32 once a layer. input is the
// network's input (Preprocess.Floats made it). The result holds each layer's
// output by Layer.Index. It is slow and meant for checks.
func Reference(net *models.Network, input []float32) ([][]float32, error) {
	out := make([][]float32, len(net.Layers))
	for _, l := range net.Layers {
		if err := checkWeights(l); err != nil {
			return nil, err
		}
		in := make([][]float32, len(l.From))
		for i, f := range l.From {
			in[i] = out[f.Index]
		}
		if _, ok := l.Op.(models.Input); ok {
			in = [][]float32{input}
		}
		if len(in) == 0 {
			return nil, l.Errorf("has no input")
		}
		if out[l.Index] = refer(l, in); out[l.Index] == nil {
			return nil, l.Errorf("is not known to the reference")
		}
	}
	return out, nil
}

// refer computes one layer; nil if its kind is unknown.
func refer(l *models.Layer, in [][]float32) []float32 {
	x := in[0]
	switch op := l.Op.(type) {
	case models.Input, models.Dropout, models.Split, models.Flatten, models.Reshape:
		return x
	case models.Convolution:
		return referConvolution(l, op, x)
	case models.Deconvolution:
		return referDeconvolution(l, op, x)
	case models.InnerProduct:
		return referInnerProduct(l, op, x)
	case models.Pooling:
		return referPooling(l, op, x)
	case models.Eltwise:
		return referEltwise(op, in)
	case models.Concat:
		var all []float32
		for _, v := range in {
			all = append(all, v...)
		}
		return all
	case models.LRN:
		if op.WithinChannel {
			return referLRNWithin(l, op, x)
		}
		return referLRN(l, op, x)
	case models.Softmax:
		return referSoftmax(l, x)
	}
	return referElements(l, x)
}

// referElements computes the layers that work on each element alone.
func referElements(l *models.Layer, x []float32) []float32 {
	plane := l.Out.H * l.Out.W
	f := element(l)
	if f == nil {
		return nil
	}
	y := make([]float32, len(x))
	for i, v := range x {
		y[i] = float32(f(i/plane, float64(v)))
	}
	return y
}

// element is the function of channel and value that a layer applies.
func element(l *models.Layer) func(c int, v float64) float64 {
	switch op := l.Op.(type) {
	case models.BatchNorm:
		mean, variance := statistics(l)
		return func(c int, v float64) float64 { return (v - mean[c]) / math.Sqrt(variance[c]+float64(op.Eps)) }
	case models.Scale:
		return func(c int, v float64) float64 {
			v *= float64(l.Weights[0].Data[c])
			if op.Bias {
				v += float64(l.Weights[1].Data[c])
			}
			return v
		}
	case models.ReLU:
		return func(_ int, v float64) float64 { return max(v, 0) + float64(op.NegativeSlope)*min(v, 0) }
	case models.PReLU:
		slopes := l.Weights[0].Data
		return func(c int, v float64) float64 { return max(v, 0) + float64(slopes[min(c, len(slopes)-1)])*min(v, 0) }
	case models.Power:
		return func(_ int, v float64) float64 {
			return math.Pow(float64(op.Shift)+float64(op.Scale)*v, float64(op.Power))
		}
	case models.Sigmoid:
		return func(_ int, v float64) float64 { return 1 / (1 + math.Exp(-v)) }
	case models.TanH:
		return func(_ int, v float64) float64 { return math.Tanh(v) }
	case models.AbsVal:
		return func(_ int, v float64) float64 { return math.Abs(v) }
	case models.ELU:
		return func(_ int, v float64) float64 { return max(v, 0) + float64(op.Alpha)*math.Expm1(min(v, 0)) }
	}
	return nil
}

// statistics are a BatchNorm layer's mean and variance, divided by the
// moving-average factor (0 makes both zero; caffe, batch_norm_layer.cpp).
func statistics(l *models.Layer) (mean, variance []float64) {
	f := float64(l.Weights[2].Data[0])
	if f != 0 {
		f = 1 / f
	}
	for i, m := range l.Weights[0].Data {
		mean = append(mean, float64(m)*f)
		variance = append(variance, float64(l.Weights[1].Data[i])*f)
	}
	return mean, variance
}

func referConvolution(l *models.Layer, op models.Convolution, x []float32) []float32 {
	in, out := l.In(), l.Out
	y := make([]float32, 0, out.Len())
	per := in.C / op.Groups
	for o := range out.C {
		weights := l.Weights[0].Data[o*per*op.KernelH*op.KernelW:]
		first := o / (op.Out / op.Groups) * per
		for i := range out.H * out.W {
			var sum float64
			if op.Bias {
				sum = float64(l.Weights[1].Data[o])
			}
			for k := range per * op.KernelH * op.KernelW {
				c, ky, kx := k/(op.KernelH*op.KernelW), k/op.KernelW%op.KernelH, k%op.KernelW
				row := i/out.W*op.StrideH - op.PadH + ky*op.DilationH
				column := i%out.W*op.StrideW - op.PadW + kx*op.DilationW
				if row >= 0 && row < in.H && column >= 0 && column < in.W {
					sum += float64(x[((first+c)*in.H+row)*in.W+column]) * float64(weights[k])
				}
			}
			y = append(y, float32(sum))
		}
	}
	return y
}

// referDeconvolution adds every input element, times the kernel, to the output.
func referDeconvolution(l *models.Layer, op models.Deconvolution, x []float32) []float32 {
	in, out := l.In(), l.Out
	sums := make([]float64, out.Len())
	outs := op.Out / op.Groups
	for i, v := range x {
		c, row, column := i/(in.H*in.W), i/in.W%in.H*op.StrideH-op.PadH, i%in.W*op.StrideW-op.PadW
		first := c / (in.C / op.Groups) * outs
		for k := range outs * op.KernelH * op.KernelW {
			o, y, z := first+k/(op.KernelH*op.KernelW), row+k/op.KernelW%op.KernelH*op.DilationH, column+k%op.KernelW*op.DilationW
			if y >= 0 && y < out.H && z >= 0 && z < out.W {
				sums[(o*out.H+y)*out.W+z] += float64(v) * float64(l.Weights[0].Data[c*outs*op.KernelH*op.KernelW+k])
			}
		}
	}
	y := make([]float32, len(sums))
	for i, s := range sums {
		if op.Bias {
			s += float64(l.Weights[1].Data[i/(out.H*out.W)])
		}
		y[i] = float32(s)
	}
	return y
}

func referInnerProduct(l *models.Layer, op models.InnerProduct, x []float32) []float32 {
	y := make([]float32, op.Out)
	for o := range y {
		var sum float64
		if op.Bias {
			sum = float64(l.Weights[1].Data[o])
		}
		for i, v := range x {
			k := o*len(x) + i
			if op.Transpose {
				k = i*op.Out + o
			}
			sum += float64(v) * float64(l.Weights[0].Data[k])
		}
		y[o] = float32(sum)
	}
	return y
}

// referPooling follows caffe, pooling_layer.cpp: an average's divisor is the
// window clipped to the padded picture, its sum the window clipped to the picture.
func referPooling(l *models.Layer, op models.Pooling, x []float32) []float32 {
	in, out := l.In(), l.Out
	y := make([]float32, 0, out.Len())
	for i := range out.Len() {
		c, top, left := i/(out.H*out.W), i/out.W%out.H*op.StrideH-op.PadH, i%out.W*op.StrideW-op.PadW
		bottom, right := min(top+op.KernelH, in.H+op.PadH), min(left+op.KernelW, in.W+op.PadW)
		size := (bottom - top) * (right - left)
		sum, largest := 0.0, math.Inf(-1)
		for r := max(top, 0); r < min(bottom, in.H); r++ {
			for k := max(left, 0); k < min(right, in.W); k++ {
				v := float64(x[(c*in.H+r)*in.W+k])
				sum, largest = sum+v, max(largest, v)
			}
		}
		if op.Method == models.PoolAverage {
			largest = sum / float64(size)
		}
		y = append(y, float32(largest))
	}
	return y
}

func referEltwise(op models.Eltwise, in [][]float32) []float32 {
	y := make([]float32, len(in[0]))
	for i := range y {
		var v float64
		for k, x := range in {
			f := 1.0
			if op.Coeff != nil && op.Operation == models.EltwiseSum {
				f = float64(op.Coeff[k])
			}
			operand := f * float64(x[i])
			switch {
			case k == 0:
				v = operand
			case op.Operation == models.EltwiseSum:
				v += operand
			case op.Operation == models.EltwiseProd:
				v *= operand
			default:
				v = max(v, operand)
			}
		}
		y[i] = float32(v)
	}
	return y
}

func referLRN(l *models.Layer, op models.LRN, x []float32) []float32 {
	plane := l.Out.H * l.Out.W
	y := make([]float32, len(x))
	for i := range x {
		var sum float64
		for c := i/plane - op.Size/2; c <= i/plane+op.Size/2; c++ {
			if c >= 0 && c < l.Out.C {
				sum += float64(x[c*plane+i%plane]) * float64(x[c*plane+i%plane])
			}
		}
		y[i] = float32(float64(x[i]) * math.Pow(float64(op.K)+float64(op.Alpha)/float64(op.Size)*sum, -float64(op.Beta)))
	}
	return y
}

// referLRNWithin is normalisation within a channel, where Caffe's k is always 1
// (caffe, lrn_layer.cpp).
func referLRNWithin(l *models.Layer, op models.LRN, x []float32) []float32 {
	h, w := l.Out.H, l.Out.W
	y := make([]float32, len(x))
	half := (op.Size - 1) / 2
	for i := range x {
		c, row, column := i/(h*w), i/w%h, i%w
		var sum float64
		for r := max(0, row-half); r <= min(h-1, row+half); r++ {
			for k := max(0, column-half); k <= min(w-1, column+half); k++ {
				v := float64(x[(c*h+r)*w+k])
				sum += v * v
			}
		}
		y[i] = float32(float64(x[i]) * math.Pow(1+float64(op.Alpha)/float64(op.Size*op.Size)*sum, -float64(op.Beta)))
	}
	return y
}

func referSoftmax(l *models.Layer, x []float32) []float32 {
	plane := l.Out.H * l.Out.W
	y := make([]float32, len(x))
	for p := range plane {
		largest, sum := math.Inf(-1), 0.0
		for i := p; i < len(x); i += plane {
			largest = max(largest, float64(x[i]))
		}
		for i := p; i < len(x); i += plane {
			sum += math.Exp(float64(x[i]) - largest)
		}
		for i := p; i < len(x); i += plane {
			y[i] = float32(math.Exp(float64(x[i])-largest) / sum)
		}
	}
	return y
}
