package caffe

import "quantbench/models"

// builders make the operation of each supported layer type from its layer
// message. They fill in Caffe's defaults.
var builders = map[string]func(layer fields) models.Op{
	"Input":         input,
	"Convolution":   convolution,
	"Deconvolution": deconvolution,
	"Pooling":       pooling,
	"InnerProduct":  innerProduct,
	"ReLU": func(l fields) models.Op {
		return models.ReLU{NegativeSlope: l.block("relu_param").float("negative_slope", 0)}
	},
	"PReLU": func(l fields) models.Op {
		return models.PReLU{Shared: l.block("prelu_param").boolean("channel_shared", false)}
	},
	"BatchNorm": batchNorm,
	"Scale":     scale,
	"Eltwise":   eltwise,
	"Concat": func(l fields) models.Op {
		p := l.block("concat_param")
		p.only("axis", 1, -3)
		p.only("concat_dim", 1)
		return models.Concat{}
	},
	"Softmax":         softmax,
	"SoftmaxWithLoss": softmax,
	"LRN":             lrn,
	"Power": func(l fields) models.Op {
		p := l.block("power_param")
		return models.Power{Power: p.float("power", 1), Scale: p.float("scale", 1), Shift: p.float("shift", 0)}
	},
	"Sigmoid": func(fields) models.Op { return models.Sigmoid{} },
	"TanH":    func(fields) models.Op { return models.TanH{} },
	"ELU": func(l fields) models.Op {
		return models.ELU{Alpha: l.block("elu_param").float("alpha", 1)}
	},
	"AbsVal":  func(fields) models.Op { return models.AbsVal{} },
	"Dropout": func(fields) models.Op { return models.Dropout{} },
	"Flatten": func(l fields) models.Op {
		p := l.block("flatten_param")
		p.only("axis", 1, -3)
		p.only("end_axis", -1, 3)
		return models.Flatten{}
	},
	"Reshape": reshape,
	"Split":   func(fields) models.Op { return models.Split{} },
}

func input(l fields) models.Op {
	shape := l.block("input_param").block("shape")
	if shape.message == nil {
		l.fail(l.line(), "layer %q (Input) has no input_param { shape { dim: ... } }", l.text("name"))
	}
	_, s := l.pictures(shape.line(), shape.integers("dim", 1))
	return models.Input{Shape: s}
}

// pictures splits dimensions into the number of pictures and the shape of one.
// Of the four dimensions, trailing ones may be missing.
func (r *reader) pictures(line int, dims []int) (int, models.Shape) {
	if r.err != nil {
		return 0, models.Shape{}
	}
	if len(dims) < 2 || len(dims) > 4 {
		r.fail(line, "the input has %d dimensions; 4 are supported (pictures, channels, height, width), or the first 2 or 3 of them", len(dims))
		return 0, models.Shape{}
	}
	d := [4]int{1, 1, 1, 1}
	copy(d[:], dims)
	return d[0], models.Shape{C: d[1], H: d[2], W: d[3]}
}

func convolution(l fields) models.Op {
	p := l.block("convolution_param")
	p.only("axis", 1, -3)
	return models.Convolution{
		Window: convolutionWindow(p),
		Out:    p.integer("num_output", 1, 0),
		Groups: p.integer("group", 1, 1),
		Bias:   p.boolean("bias_term", true),
	}
}

func deconvolution(l fields) models.Op {
	return models.Deconvolution(convolution(l).(models.Convolution))
}

func convolutionWindow(p fields) (w models.Window) {
	w.KernelH, w.KernelW = p.pair("kernel_size", "kernel_h", "kernel_w", 1, 0)
	w.StrideH, w.StrideW = p.pair("stride", "stride_h", "stride_w", 1, 1)
	w.PadH, w.PadW = p.pair("pad", "pad_h", "pad_w", 0, 0)
	w.DilationH, w.DilationW = p.pair("dilation", "", "", 1, 1)
	return w
}

// pair reads a size given for both axes, once for each axis in a repeated
// field, or by the fields of each axis.
func (f fields) pair(both, high, wide string, low, missing int) (int, int) {
	sizes := f.integers(both, low)
	if high != "" && (f.has(high) || f.has(wide)) {
		if len(sizes) > 0 {
			f.fail(f.line(), "%s: give either %s or %s and %s, not both", f.owner, both, high, wide)
		}
		return f.integer(high, low, missing), f.integer(wide, low, missing)
	}
	switch len(sizes) {
	case 0:
		return missing, missing
	case 1:
		return sizes[0], sizes[0]
	case 2:
		return sizes[0], sizes[1]
	}
	f.fail(f.line(), "%s: %s is given %d times; pictures have two axes", f.owner, both, len(sizes))
	return missing, missing
}

func pooling(l fields) models.Op {
	p := l.block("pooling_param")
	op := models.Pooling{Global: p.boolean("global_pooling", false)}
	op.Method = []models.PoolMethod{models.PoolMax, models.PoolAverage}[p.enum("pool", 0, "MAX", "AVE")]
	op.Floor = p.enum("round_mode", 0, "CEIL", "FLOOR") == 1
	for _, name := range words("kernel_size stride pad") {
		p.one(name) // a repetition is an error here
	}
	w := &op.Window
	w.KernelH, w.KernelW = p.pair("kernel_size", "kernel_h", "kernel_w", 1, 0)
	w.StrideH, w.StrideW = p.pair("stride", "stride_h", "stride_w", 1, 1)
	w.PadH, w.PadW = p.pair("pad", "pad_h", "pad_w", 0, 0)
	w.DilationH, w.DilationW = 1, 1
	if op.Global && *w != (models.Window{StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1}) {
		p.fail(p.line(), "pooling_param: global_pooling takes the whole input; remove kernel, stride and pad")
	}
	return op
}

func innerProduct(l fields) models.Op {
	p := l.block("inner_product_param")
	p.only("axis", 1, -3)
	return models.InnerProduct{
		Out:       p.integer("num_output", 1, 0),
		Bias:      p.boolean("bias_term", true),
		Transpose: p.boolean("transpose", false),
	}
}

func batchNorm(l fields) models.Op {
	p := l.block("batch_norm_param")
	if !p.boolean("use_global_stats", true) {
		l.warn(p.line(), "use_global_stats: false has no effect; the trained mean and variance are always used")
	}
	return models.BatchNorm{Eps: p.float("eps", 1e-5)}
}

func scale(l fields) models.Op {
	p := l.block("scale_param")
	p.only("axis", 1, -3)
	p.only("num_axes", 1)
	return models.Scale{Bias: p.boolean("bias_term", false)}
}

func eltwise(l fields) models.Op {
	p := l.block("eltwise_param")
	op := models.Eltwise{
		Operation: models.EltwiseOp(p.enum("operation", 1, "PROD", "SUM", "MAX")),
		Coeff:     p.floats("coeff"),
	}
	for _, c := range op.Coeff {
		if c != 1 || op.Operation != models.EltwiseSum || len(op.Coeff) != len(l.texts("bottom")) {
			return op
		}
	}
	op.Coeff = nil
	return op
}

func softmax(l fields) models.Op {
	l.block("softmax_param").only("axis", 1, -3)
	return models.Softmax{}
}

func lrn(l fields) models.Op {
	p := l.block("lrn_param")
	return models.LRN{
		Size:          p.integer("local_size", 1, 5),
		Alpha:         p.float("alpha", 1),
		Beta:          p.float("beta", 0.75),
		K:             p.float("k", 1),
		WithinChannel: p.enum("norm_region", 0, "ACROSS_CHANNELS", "WITHIN_CHANNEL") == 1,
	}
}

// reshape reads dimensions of which the first, unless axis is 1, counts
// pictures; only 0 (unchanged) is supported for it.
func reshape(l fields) models.Op {
	p := l.block("reshape_param")
	p.only("axis", 0, 1)
	p.only("num_axes", -1)
	shape := p.block("shape")
	dims := shape.integers("dim", -1)
	if p.integer("axis", 0, 0) == 0 && len(dims) > 0 {
		if dims[0] != 0 {
			l.fail(shape.line(), "reshape_param: the first dim counts pictures and must be 0 (unchanged), found %d", dims[0])
		}
		dims = dims[1:]
	}
	if len(dims) < 1 || len(dims) > 3 {
		l.fail(p.line(), "reshape_param: %d dims after the pictures; 1 to 3 are supported (channels, height, width)", len(dims))
		return models.Reshape{}
	}
	d := [3]int{1, 1, 1}
	copy(d[:], dims)
	return models.Reshape{Shape: models.Shape{C: d[0], H: d[1], W: d[2]}}
}
