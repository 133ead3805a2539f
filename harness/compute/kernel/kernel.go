// Package kernel holds the inner loops of package compute: direct convolution
// over blocks of 16 pictures, Winograd's transforms, requantization, and pooling,
// in assembly for AVX-512 VNNI and for AVX2, and in plain Go for every other
// machine.
//
// Its opinion: one layout (a vector holds one value of 16 pictures), one call a
// row of pixels, and a plain Go twin of every kernel that is short enough to be
// read and is compared with the assembly bit for bit (int8) or within a bound
// (fp32, see Conv). It checks nothing: package compute proves once a layer,
// when it is built, that every address lies inside its tensor.
//
// An element is four bytes: one float32, one int32, or four int8 of adjacent
// channels. An int8 q is stored as the byte q XOR 0x80, that is q+128.
package kernel

import "unsafe"

// Lanes is the number of pictures that a vector holds.
const Lanes = 16

// VectorBytes is the size of one vector of 16 elements.
const VectorBytes = 4 * Lanes

// Block is the number of output channels that one convolution call computes.
const Block = 4

// MaxTile is the largest number of pixels that a convolution tile holds.
const MaxTile = 7

// Conv is one call of a convolution: Tiles tiles of adjacent pixels, all with
// the same 4 output channels. Pixel p, channel o, picture l is
//
//	Init[o] + sum over k of In[p*InStep + Offsets[k]][l] * Weights[k][o]
//
// with the sum in the order of k. In fp32 the assembly uses fused
// multiply-adds and plain Go separate ones, so the two differ by at most
// 2*(K+2)*2^-24 times the sum of the absolute products; int8 is exact: a step is
// the sum of four products of a stored byte (q+128) and a signed weight, modulo
// 2^32, and the caller folds -128*sum(weights) into Init.
//
// The fp32 result goes to Out[p*OutStep + o*OutChannel], after the residual
// was added and ReLU applied; the int8 sums go to the int32 array Out[p][o][l].
// A kernel leaves its arguments as they are: the garbage collector follows the
// pointers, and beyond the last tile there may be no buffer.
type Conv struct {
	In         unsafe.Pointer
	Offsets    unsafe.Pointer // K int32, in bytes
	Weights    unsafe.Pointer // K x 4 elements
	K          int64
	InStep     int64          // bytes
	Init       unsafe.Pointer // 4 float32 or int32
	Out        unsafe.Pointer
	OutStep    int64 // bytes; fp32 only
	OutChannel int64 // bytes; fp32 only
	Residual   unsafe.Pointer
	ResStep    int64 // bytes
	ResChannel int64 // bytes
	ReLU       int64 // 1: max(x, 0)
	Tiles      int64
}

// TensorRT is one call of the floating point requantization of N pixels of 4
// channels: with every operation rounded to float32,
//
//	y = float32(Acc)*Mul[o] + Bias[o]
//	y = y + float32(Residual)*ResMul     if there is a residual
//	y = max(y, Floor)                    0 for ReLU, else -MaxFloat32
//	q = clamp(rne(y*OutMul), -128, 127)  rne rounds half to even
type TensorRT struct {
	Acc      unsafe.Pointer // [N][4][16]int32
	N        int64
	Mul      unsafe.Pointer // 4 float32
	Bias     unsafe.Pointer // 4 float32
	Residual unsafe.Pointer
	ResStep  int64 // bytes
	Out      unsafe.Pointer
	OutStep  int64 // bytes
	ResMul   float32
	Floor    float32
	OutMul   float32
	_        float32
}

// NVDLA is one call of the integer requantization of N pixels of 4 channels.
// rha(v, t) is v/2^t rounded half away from zero; no value may leave int32
// (package compute proves it), products are 64 bits wide.
//
//	v = rha(Acc*Mul[o], Shift1)          if UseMul
//	v = max(v, Floor1)
//	v = max(v + Residual<<ResShift, Floor2)  if there is a residual
//	q = clamp(rha((v-Offset)*Scale, Shift), -128, 127)
type NVDLA struct {
	Acc      unsafe.Pointer // [N][4][16]int32
	N        int64
	Mul      unsafe.Pointer // 4 int32
	UseMul   int64
	Residual unsafe.Pointer
	ResStep  int64 // bytes
	Out      unsafe.Pointer
	OutStep  int64 // bytes
	Shift1   int64 // 0..32
	ResShift int64 // 0..23
	Shift    int64 // 0..32
	Half1    int64 // 2^(Shift1-1); 0 for a shift of 0
	Half     int64
	Away1    int64 // -1; 0 for a shift of 0
	Away     int64
	// Unsigned: 1 if Offset is 0 and neither v before the last line nor Scale is
	// ever negative, which a kernel may use to be faster.
	Unsigned int64
	Floor1   int32
	Floor2   int32
	Offset   int32
	Scale    int32
}

// Pool is one call of a max pooling: N pixels, each the largest of the vectors
// at In + Offsets[k].
type Pool struct {
	In      unsafe.Pointer
	Offsets unsafe.Pointer // K int32, in bytes
	K       int64
	N       int64
	InStep  int64 // bytes
	Out     unsafe.Pointer
	OutStep int64 // bytes
}

// Affine is one call of y = max(x*Mul + Bias, Floor) over N vectors that lie
// one after the other; the product is rounded before the sum.
type Affine struct {
	In    unsafe.Pointer
	Out   unsafe.Pointer
	N     int64
	Mul   float32
	Bias  float32
	Floor float32
	_     float32
}

// Lookup is one call of a table look-up: Rows rows of N bytes.
type Lookup struct {
	In      unsafe.Pointer
	InStep  int64 // bytes
	Out     unsafe.Pointer
	OutStep int64          // bytes
	Table   unsafe.Pointer // 256 bytes
	N       int64
	Rows    int64
}

// Interleave is one call that joins 4 channels of 16 pictures to elements: byte
// c of lane l of vector p becomes the byte at In + l*LaneStep + c*ChannelStep + p.
type Interleave struct {
	In          unsafe.Pointer
	LaneStep    int64 // bytes
	ChannelStep int64 // bytes
	N           int64 // vectors; at least 16
	Out         unsafe.Pointer
}

// Set is one level's kernels. The index of a convolution is the number of
// pixels in its tile, from 1 to the largest that the level has.
type Set struct {
	Name    string // "avx512-vnni", "avx2", "go"
	TileF32 int    // the largest tile
	TileI8  int
	ConvF32 [MaxTile + 1]func(*Conv)
	ConvI8  [MaxTile + 1]func(*Conv)
	// ColumnF32 and ColumnI8 compute one channel instead of 4, with one weight a
	// step, one start value, no residual and no ReLU; the sums go to
	// Out[p*OutStep][l]. Nil for a set that has none.
	ColumnF32 [MaxTile + 1]func(*Conv)
	ColumnI8  [MaxTile + 1]func(*Conv)
	// FusedTensorRT and FusedNVDLA take tiles like ConvI8.
	FusedTensorRT FusedKernels
	FusedNVDLA    FusedKernels
	TensorRT      func(*TensorRT)
	NVDLA         func(*NVDLA)
	MaxF32        func(*Pool)
	MaxU8         func(*Pool)
	Affine        func(*Affine)
	WinogradIn    func(*WinogradIn)
	WinogradOut   func(*WinogradOut)
	// Lookup and Interleave are nil where they would not be faster than Go.
	Lookup     func(*Lookup)
	Interleave func(*Interleave)
}

// Best is the fastest set of this machine, or the one that the environment
// variable BENCH_CPU names (avx512, avx2, go); a level that the machine lacks is
// ignored.
func Best() *Set { return best }

// Level names Best's instruction level, for reports.
func Level() string { return best.Name }

// Sets are all sets that this machine can run, plain Go first.
func Sets() []*Set { return sets }

// Rounding gives the two constants of rha(v, shift) = (v + half + (away & v>>63)) >> shift.
func Rounding(shift int) (half, away int64) {
	if shift == 0 {
		return 0, 0
	}
	return 1 << (shift - 1), -1
}
