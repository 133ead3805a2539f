package hardware

// This file states what one hardware operation is: the firmware's descriptors
// (dla_interface.h of nvdla/sw), decoded. Package lower makes operations from a
// network, package loadable reads them from a file, package simulate runs them.

// Program is a list of operations and the memory that they work on.
type Program struct {
	Target Target
	// Regions are the memory areas, by the index that Cube.Region names.
	Regions []Region
	// Operations in an order in which they may be executed.
	Operations []Operation
	// Input and Output are the cubes that the application binds.
	Input, Output Tensor
}

// Engines is the number of operations of the hardware's engines; the CPU's tasks
// are not among them.
func (p *Program) Engines() int {
	n := 0
	for i := range p.Operations {
		if k := p.Operations[i].Kind; k != CPUPower && k != CPUSoftmax {
			n++
		}
	}
	return n
}

// Region is one area of memory: its size, and the bytes it begins with (the
// rest is zero).
type Region struct {
	Name string
	Size int
	Init []byte
}

// Tensor is a cube that the application reads or writes, with its meaning.
type Tensor struct {
	Name  string
	Cube  Cube
	Scale float32 // real value of one integer step; 0 if not known
}

// Cube is a tensor in memory (dla_data_cube). Element (c,y,x) of a feature cube
// lies at Offset + c/e*SurfStride + y*LineStride + x*atom + c%e*bytes, with e
// elements to an atom.
type Cube struct {
	// Kind says where the cube is: CubeMemory, CubeSRAM, or CubeOnTheFly for the
	// stream from the operation before (a fused convolution).
	Kind       CubeKind
	Region     int // index into Program.Regions; -1 for none
	Offset     int // bytes
	Size       int // bytes
	W, H, C    int
	LineStride int // bytes
	SurfStride int // bytes
	// PlaneStride is the distance between channels of a planar cube, bytes; only
	// RUBIK's split and merge use it.
	PlaneStride int
}

// CubeKind is where a cube lies (dla_data_cube.type).
type CubeKind uint8

// The places of a cube.
const (
	CubeMemory CubeKind = iota
	CubeSRAM
	CubeOnTheFly
)

// Kind is the engine that an operation runs on (dla_common_op_desc.op_type),
// or one of the CPU tasks of NVDLA's emulator.
type Kind uint8

// The engines, with the numbers of the firmware; the CPU tasks follow.
const (
	BDMA Kind = iota
	Conv
	SDP
	PDP
	CDP
	Rubik
	CPUPower
	CPUSoftmax
)

// Precision of a cube's elements (dla_interface.h).
type Precision uint8

// The precisions; FP16 is refused by name.
const (
	Int8 Precision = iota
	Int16
	FP16
)

// Operation is one operation. Exactly the descriptor named by Kind is set.
type Operation struct {
	Kind Kind
	// Index is the operation's index in its task.
	Index int
	// FusedParent is the index of the convolution whose result streams into this
	// SDP operation; -1 if there is none.
	FusedParent int
	Src, Dst    Cube
	// Weights of a convolution.
	Weights Cube
	// X1, X2 and Y are the operand cubes of an SDP operation.
	X1, X2, Y Cube

	Conv    *ConvDesc
	SDP     *SDPDesc
	PDP     *PDPDesc
	CDP     *CDPDesc
	Rubik   *RubikDesc
	BDMA    *BDMADesc
	Softmax *SoftmaxDesc
	Power   *PowerDesc

	// Layer names the network layer whose output Dst is; empty if unknown
	// (a loadable does not say).
	Layer string
	// DstScale is the real value of one step of Dst, as later operations take
	// it; 0 if unknown.
	DstScale float32
}

// Converter is dla_cvt_param: sat(rha((v-Offset)*Scale, Truncate)). Disabled it
// is the identity, except SDP's and CDP's output, which have no such switch: the
// driver programs them always, and files hold scale 1, truncate 0 there.
type Converter struct {
	Scale    int16
	Truncate uint8
	Enable   bool
	Offset   int32
}

// ConvDesc is dla_conv_op_desc, without the fields that only schedule.
type ConvDesc struct {
	Mode                               uint8 // 0 direct, 1 Winograd
	DataFormat                         uint8 // 36 feature, 12 A8B8G8R8, 0 R8
	WeightFormat                       uint8 // 0 plain, 1 compressed
	PostExtension                      uint8 // 0 none, 1 two lines, 2 four lines
	PixelOverride                      uint8 // 0 uint, 1 int
	Batch                              uint8
	KernelW, KernelH, KernelC          int // as the sequencer sees them (csc)
	InputW, InputH, InputC             int // as the sequencer sees them (csc)
	StrideX, StrideY                   int
	PadLeft, PadRight, PadTop, PadDown int
	DilationX, DilationY               int
	PadValue                           int16
	MeanFormat                         uint8 // 0: no mean is subtracted
	InPrecision, OutPrecision          Precision
	InCvt, OutCvt                      Converter // OutCvt.Truncate is CACC's clip_truncate
	// The rest is carried for display and comparison; it has no effect on results.
	EntryPerSlice, FetchGrain, DataBank, WeightBank, Release int
	BytesPerKernel                                           int
	Reserved                                                 map[string]int `json:"-"`
}

// Follows marks, in ConvDesc.Reserved, a convolution that waits for no result, nor
// does the SDP operation behind it: it is programmed while SDP still writes the
// result of the convolution before it.
const Follows = "follows"

// ALU operations of SDP (dla_sdp_op.alu_type).
const (
	ALUMax uint8 = iota
	ALUMin
	ALUSum
	ALUEqual
)

// SDP operation types (dla_sdp_op.type).
const (
	SDPNone uint8 = iota
	SDPMul
	SDPAdd
	SDPBoth
)

// SDP operand modes (dla_sdp_op.mode).
const (
	PerLayer uint8 = iota
	PerChannel
	PerPoint
)

// SDP activations (dla_sdp_op.act).
const (
	ActNone uint8 = iota
	ActReLU
	ActLUT
	ActPReLU
)

// SDPStage is dla_sdp_op: one of X1, X2 and Y.
type SDPStage struct {
	Enable     bool
	ALU        uint8
	Type       uint8
	Mode       uint8
	Act        uint8
	Shift      uint8
	Truncate   uint8
	Precision  Precision // of the operands in memory
	ALUOperand int32
	MulOperand int32
	ALUCvt     Converter // Y only
	MulCvt     Converter // Y only
}

// SDPDesc is dla_sdp_op_desc.
type SDPDesc struct {
	SrcPrecision, DstPrecision Precision
	OutCvt                     Converter
	X1, X2, Y                  SDPStage
	LUT                        *LUT // nil if not used
	ConvMode                   uint8
	Batch                      int
}

// PDP pooling modes (dla_pdp_op_desc.pool_mode).
const (
	PoolAverage uint8 = iota
	PoolMax
	PoolMin
)

// PDPDesc is dla_pdp_op_desc; Width and Height are the window's true size.
type PDPDesc struct {
	Mode                               uint8
	Width, Height                      int
	StrideX, StrideY                   int
	PadLeft, PadRight, PadTop, PadDown int
	Precision                          Precision
	PadValue                           [7]int32
	Split                              int
	// PartialIn and PartialOut are the columns of the first, the middle and the
	// last of Split stripes; they have no effect on results.
	PartialIn, PartialOut [3]int
}

// CDPDesc is dla_cdp_op_desc.
type CDPDesc struct {
	InPrecision, OutPrecision       Precision
	InCvt, OutCvt                   Converter
	LocalSize                       int
	BypassSquareSum, BypassMultiply bool
	LUT                             *LUT
	LUTIndex                        int // of LUT in the file's list, for display
}

// RubikDesc is dla_rubik_op_desc: Mode 0 contract, 1 split, 2 merge.
type RubikDesc struct {
	Mode             uint8
	Precision        Precision
	StrideX, StrideY int
}

// BDMADesc lists the copies of a BDMA operation.
type BDMADesc struct{ Transfers []BDMATransfer }

// BDMATransfer is dla_bdma_transfer_desc, with resolved regions.
type BDMATransfer struct {
	SrcRegion, SrcOffset                   int
	DstRegion, DstOffset                   int
	LineSize, LineRepeat, SrcLine, DstLine int
	SurfaceRepeat, SrcSurface, DstSurface  int
}

// LUT is dla_lut_param: the two tables of SDP's and CDP's look-up.
type LUT struct {
	LE                                                  [65]int16
	LO                                                  [257]int16
	LEOffset, LOOffset                                  int8 // exponent offset or index bits
	LEStart, LEEnd, LOStart, LOEnd                      int64
	LEUnderflow, LEOverflow, LOUnderflow, LOOverflow    Slope
	HybridPriority, UnderflowPriority, OverflowPriority uint8
	Method                                              uint8 // 0 exponential, 1 linear
}

// Empty tells whether every look-up gives 0.
func (l *LUT) Empty() bool {
	return l.LE == [65]int16{} && l.LO == [257]int16{} &&
		l.LEUnderflow.Scale|l.LEOverflow.Scale|l.LOUnderflow.Scale|l.LOOverflow.Scale == 0
}

// Slope is dla_slope: extrapolation beyond a table's end.
type Slope struct {
	Scale int16
	Shift int8
}

// SoftmaxDesc is the emulator's softmax: scales of what it reads and writes.
type SoftmaxDesc struct {
	InScale, OutScale float32
	Precision         Precision // of the elements in memory
}

// PowerDesc is the emulator's power task.
type PowerDesc struct {
	InScale, OutScale, Power, Scale, Shift float32
	Precision                              Precision // of the elements in memory
}
