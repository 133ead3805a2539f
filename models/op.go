package models

// Op is a layer's kind together with its parameters, defaults filled in. The
// set is closed: every Op is one of the types in this file.
type Op interface{ op() }

// Window is the geometry shared by convolution and pooling.
type Window struct {
	KernelH, KernelW     int
	StrideH, StrideW     int // at least 1
	PadH, PadW           int
	DilationH, DilationW int // at least 1; 1 is an ordinary kernel
}

// Input is a network input of Shape; it has no bottom.
type Input struct{ Shape Shape }

// Convolution computes Out maps; its weights are Out x In/Groups x KernelH x
// KernelW, followed by Out biases if Bias.
type Convolution struct {
	Window
	Out    int
	Groups int // at least 1
	Bias   bool
}

// Deconvolution is the transposed Convolution; its weights are
// In x Out/Groups x KernelH x KernelW.
type Deconvolution struct {
	Window
	Out    int
	Groups int
	Bias   bool
}

// PoolMethod says how a Pooling layer sums up its window.
type PoolMethod int

// The pooling methods of Caffe; STOCHASTIC is refused by the reader.
const (
	PoolMax PoolMethod = iota
	PoolAverage
)

// Pooling reduces each window to one value. The output size is rounded up
// (Caffe's ceil mode) unless Floor. A Global pooling's window is its whole
// input: InferShapes fills in the kernel.
type Pooling struct {
	Window
	Method PoolMethod
	Global bool
	Floor  bool // round_mode: FLOOR of newer Caffe
}

// InnerProduct is a fully connected layer with Out results; its weights are
// Out x C*H*W (W x Out, if Transpose), then Out biases if Bias.
type InnerProduct struct {
	Out       int
	Bias      bool
	Transpose bool
}

// ReLU is max(x, 0) + NegativeSlope*min(x, 0).
type ReLU struct{ NegativeSlope float32 }

// PReLU is a ReLU whose negative slope is trained: one a channel, or one for
// all if Shared.
type PReLU struct{ Shared bool }

// BatchNorm is (x - mean/f) / sqrt(var/f + Eps) with f the third blob, the
// moving-average factor (a factor of 0 makes both zero, as in Caffe).
type BatchNorm struct{ Eps float32 }

// Scale multiplies each channel by a trained factor and adds, if Bias, a
// trained offset.
type Scale struct{ Bias bool }

// EltwiseOp is what an Eltwise layer does with its operands.
type EltwiseOp int

// Caffe's Eltwise operations.
const (
	EltwiseProd EltwiseOp = iota
	EltwiseSum
	EltwiseMax
)

// Eltwise combines tensors of one shape element by element. Coeff, for a sum,
// holds one factor a bottom; nil means all ones.
type Eltwise struct {
	Operation EltwiseOp
	Coeff     []float32
}

// Concat joins its bottoms along the channels.
type Concat struct{}

// Softmax normalises over the channels.
type Softmax struct{}

// LRN is local response normalisation: x / (K + Alpha/n * sum x^2)^Beta over
// Size channels (n = Size), or over a Size x Size window if WithinChannel
// (n = Size*Size).
type LRN struct {
	Size           int
	Alpha, Beta, K float32
	WithinChannel  bool
}

// Power is (Shift + Scale*x)^Power.
type Power struct{ Power, Scale, Shift float32 }

// Sigmoid is 1/(1+exp(-x)).
type Sigmoid struct{}

// TanH is the hyperbolic tangent.
type TanH struct{}

// ELU is x where positive, and Alpha*(exp(x)-1) elsewhere.
type ELU struct{ Alpha float32 }

// AbsVal is the absolute value.
type AbsVal struct{}

// Dropout does nothing at inference.
type Dropout struct{}

// Flatten makes a C*H*W x 1 x 1 vector of its input.
type Flatten struct{}

// Reshape gives the same elements another shape. Of its Shape, 0 copies the
// size of the bottom and one -1 stands for what remains.
type Reshape struct{ Shape Shape }

// Split gives its input to several tops; every top is the same tensor.
type Split struct{}

func (Input) op()         {}
func (Convolution) op()   {}
func (Deconvolution) op() {}
func (Pooling) op()       {}
func (InnerProduct) op()  {}
func (ReLU) op()          {}
func (PReLU) op()         {}
func (BatchNorm) op()     {}
func (Scale) op()         {}
func (Eltwise) op()       {}
func (Concat) op()        {}
func (Softmax) op()       {}
func (LRN) op()           {}
func (Power) op()         {}
func (Sigmoid) op()       {}
func (TanH) op()          {}
func (ELU) op()           {}
func (AbsVal) op()        {}
func (Dropout) op()       {}
func (Flatten) op()       {}
func (Reshape) op()       {}
func (Split) op()         {}
