package lower_test

import (
	"testing"

	"quantbench/harness/runtime/nvdla/lower"
	"quantbench/models"
)

func TestRefusals(t *testing.T) {
	norm := func(mean, factor float32) *tower {
		return newTower(t, 1, 1, 1, 0.5).add("bn", "BatchNorm", models.BatchNorm{}, 0.5, [][]float32{{mean}, {1}, {factor}}, "data")
	}
	norm(0, 0).refused(perKernel, "net.prototxt:2", `"bn"`, "moving-average factor", "is 0")
	norm(-128, 1).refused(perKernel, "net.prototxt:2", `"bn"`, "-128", "below -127")

	two := func(op models.EltwiseOp) *tower {
		b := newTower(t, 8, 2, 2, 0.5).conv("c", 8, 1, 0.5, ramp(64), ramp(8), "data")
		return b.add("e", "Eltwise", models.Eltwise{Operation: op}, 0.5, nil, "data", "c")
	}
	two(models.EltwiseMax).refused(perKernel, "net.prototxt:3", `"e"`, "SUM only")
	two(models.EltwiseProd).refused(perKernel, "SUM only")
	newTower(t, 8, 2, 2, 0.5).add("e", "Eltwise", models.Eltwise{Operation: models.EltwiseSum}, 0.5, nil, "data", "data").refused(perKernel, "itself")

	newTower(t, 1, 1, 1, 0.5).add("l", "Sigmoid", models.Sigmoid{}, 1, nil, "data").refused(perKernel, "net.prototxt:2", "lookup table")
	newTower(t, 1, 1, 1, 0.5).add("l", "LRN", models.LRN{Size: 17}, 1, nil, "data").refused(perKernel, "net.prototxt:2", "local_size 17", "at most 16")
	newTower(t, 1, 1, 1, 0.5).add("p", "Power", models.Power{Power: 2, Scale: 1}, 1, nil, "data").refused(perKernel, "net.prototxt:2", "power 2", "power 1 and shift 0")
	newTower(t, 1, 1, 1, 0.5).add("p", "Power", models.Power{Power: 1, Scale: 1, Shift: 3}, 1, nil, "data").refused(perKernel, "shift 3")
	newTower(t, 1, 1, 1, 0.5).add("l", "PReLU", models.PReLU{}, 1, nil, "data").refused(perKernel, "cannot parse")
	newTower(t, 1, 1, 1, 0.5).add("s", "Split", models.Split{}, 1, nil, "data").refused(perKernel, "net.prototxt:2", "could not parse", "take the layer out")
	deconv := func(kernel, stride, pad, groups int) *tower {
		w := models.Window{KernelH: kernel, KernelW: kernel, StrideH: stride, StrideW: stride, PadH: pad, PadW: pad, DilationH: 1, DilationW: 1}
		op := models.Deconvolution{Window: w, Out: 2, Groups: groups}
		return newTower(t, 2, 3, 3, 0.5).add("d", "Deconvolution", op, 1, [][]float32{ramp(4 * kernel * kernel / groups)}, "data")
	}
	deconv(3, 2, 1, 1).refused(perKernel, "net.prototxt:2", `"d"`, "Padding issue")
	deconv(4, 2, 1, 1).refused(perKernel, "2x6x6", "4x4", "Padding issue")
	deconv(2, 2, 0, 2).refused(perKernel, "2 groups")
	deconv(2, 2, 0, 1).lower(perKernel)
	deconv(4, 2, 2, 1).lower(perKernel)

	bare := newTower(t, 8, 2, 2, 0.5).conv("c", 8, 1, 0.5, ramp(64), nil, "data").relu("r", 0.5, "c")
	bare.refused(perKernel, "net.prototxt:2", "no bias", "single SDP consumer", "per-filter")
	bare.lower(perFilter)

	block := newTower(t, 8, 4, 4, 0.5).conv("a", 8, 1, 0.5, ramp(64), ramp(8), "data").conv("b", 8, 3, 0.5, ramp(576), ramp(8), "a").sum("s", 0.5, "b", "a")
	block.refused(perFilter, "net.prototxt:3", "non-acyclic graph", "per-kernel")
	block.lower(perKernel)
	block.lower(lower.Options{Mode: lower.PerFilter, Profile: lower.Default})
}

func TestScalesRefused(t *testing.T) {
	b := newTower(t, 8, 2, 2, 0).conv("c", 8, 1, 0, ramp(64), ramp(8), "data")
	b.add("drop", "Dropout", models.Dropout{}, 0, nil, "c").relu("r", 1, "drop")
	b.refused(perKernel, `"data" (net.prototxt:1)`, `"c" (net.prototxt:2)`, "2 layers")
	b.scales = b.scales[:2]
	b.refused(perKernel, "2 scales for 4 layers")

	b = newTower(t, 1, 1, 1, 1e6).conv("c", 1, 1, 1e-6, []float32{127}, []float32{1}, "data")
	b.refused(perKernel, "net.prototxt:2", "above 2^15", "calibration table")
	b = newTower(t, 1, 1, 1, 1e-12).conv("c", 1, 1, 1e12, []float32{127e-5}, []float32{0}, "data")
	b.refused(perKernel, "above the 63")
}

func TestWeightsRefused(t *testing.T) {
	newTower(t, 8, 2, 2, 0.5).conv("c", 8, 1, 1, ramp(63), ramp(8), "data").refused(perKernel, "has 63 weights, needs 64")
	newTower(t, 2, 2, 2, 0.5).add("g", "Convolution", models.Convolution{Window: window(1), Out: 2, Groups: 2}, 1, [][]float32{ramp(3)}, "data").refused(perKernel, "has 3 weights, needs 2")
	newTower(t, 8, 2, 2, 0.5).conv("c", 8, 1, 1, ramp(64), ramp(7), "data").refused(perKernel, "has 7 biases, needs 8")
	newTower(t, 8, 2, 2, 0.5).add("c", "Convolution", models.Convolution{Window: window(1), Out: 8, Groups: 1}, 1, nil, "data").refused(perKernel, "caffemodel")
	newTower(t, 2, 1, 1, 0.5).add("s", "Scale", models.Scale{Bias: true}, 1, [][]float32{{1, 2}, {1}}, "data").refused(perKernel, "offsets")
	newTower(t, 2, 1, 1, 0.5).add("s", "Scale", models.Scale{}, 1, [][]float32{{1, 2, 3}}, "data").refused(perKernel, "3 factors")
	newTower(t, 1, 2, 2, 0.5).add("i", "InnerProduct", models.InnerProduct{Out: 1, Transpose: true}, 1, [][]float32{ramp(4)}, "data").refused(perKernel, "transpose")
}

func TestOptionsRefused(t *testing.T) {
	b := two(t)
	b.refused(lower.Options{Mode: "per-channel"}, "per-channel", "per-kernel, per-filter")
	b.refused(lower.Options{Profile: "foo"}, "foo", "fast-math")
	b.refused(lower.Options{InputFormat: "hwc"}, "hwc", "nhwc")
	b.refused(lower.Options{Fixes: []lower.Fix{"all"}}, "all", "eltwise-scale")
}

func TestImageRefused(t *testing.T) {
	image := lower.Options{InputFormat: lower.NHWC}
	newTower(t, 1, 2, 2, 0.5).add("ip", "InnerProduct", models.InnerProduct{Out: 1}, 1, [][]float32{ramp(4)}, "data").refused(image, "net.prototxt:2", "A8B8G8R8")
	newTower(t, 5, 2, 2, 0.5).conv("c", 1, 1, 1, ramp(5), ramp(1), "data").refused(image, "5 channels")
	w := window(3)
	w.DilationH, w.PadH = 2, 2
	newTower(t, 1, 5, 5, 0.5).add("c", "Convolution", models.Convolution{Window: w, Out: 1, Groups: 1}, 1, [][]float32{ramp(9)}, "data").refused(image, "dilated")
}

func TestConcatRefused(t *testing.T) {
	b := newTower(t, 8, 2, 2, 0.5).conv("a", 8, 1, 1, ramp(64), ramp(8), "data")
	b.add("cat", "Concat", models.Concat{}, 1, nil, "a", "data").refused(perKernel, "network's input")
	b = newTower(t, 8, 2, 2, 0.5).conv("a", 8, 1, 1, ramp(64), ramp(8), "data")
	b.add("cat", "Concat", models.Concat{}, 1, nil, "a", "a").refused(perKernel, "twice")
}

func TestIgnoredParameters(t *testing.T) {
	b := newTower(t, 8, 2, 2, 0.5).conv("a", 8, 1, 0.5, ramp(64), ramp(8), "data").add("r", "ReLU", models.ReLU{NegativeSlope: 0.1}, 0.5, nil, "a")
	b.add("s", "Eltwise", models.Eltwise{Operation: models.EltwiseSum, Coeff: []float32{1, -1}}, 0.5, nil, "r", "data")
	_, warnings := b.lower(perKernel)
	warned(t, warnings, lower.Ignored, lower.Ignored)
	b = newTower(t, 8, 9, 9, 0.5).add("p", "Pooling", models.Pooling{Global: true, Method: models.PoolAverage, Window: models.Window{StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1}}, 0.5, nil, "data")
	_, warnings = b.lower(perKernel)
	warned(t, warnings, lower.DriverLimit)
}

func TestLostReLU(t *testing.T) {
	b := newTower(t, 8, 2, 2, 0.5).conv("a", 8, 1, 0.5, ramp(64), nil, "data").relu("r", 0.5, "a")
	b.add("bn", "BatchNorm", models.BatchNorm{Eps: 1}, 0.5, [][]float32{ramp(8), make([]float32, 8), {1}}, "r")
	_, warnings := b.lower(perFilter)
	warned(t, warnings, lower.LostReLU)
}
