package compute

import (
	"fmt"
	"math"

	"quantbench/harness/compute/kernel"
)

// TensorRT is the requantization of TensorRT's int8 layers: the exact int32 sum
// goes through float32, and the result is rounded half to even. Every operation
// is rounded to float32 on its own, in this order (no fused multiply-add):
//
//	y = float32(sum)*Mul[k] + Bias[k]
//	y = y + float32(residual)*ResidualMul   if there is a residual
//	y = max(y, 0)                           if Conv.ReLU
//	q = clamp(rne(y*OutMul), -128, 127)
//
// With Mul = s_in*s_w[k], ResidualMul = s_residual and OutMul = float32(1/s_out)
// y is the real value. TensorRT does not document its order of operations.
type TensorRT struct {
	Mul         []float32 // one a channel
	Bias        []float32 // one a channel; nil for none
	ResidualMul float32
	OutMul      float32
}

// NVDLA is the requantization of NVDLA's SDP, in integers. rha(v, t) is v/2^t
// rounded half away from zero.
//
//	v = sum + Conv.BiasInt32[k]
//	v = rha(v*Mul[k], MulShift)               if Mul is not nil
//	v = max(v, 0)                             if ReLU
//	v = v + residual<<ResidualShift           if there is a residual
//	v = max(v, 0)                             if Conv.ReLU
//	q = clamp(rha((v-Offset)*Scale, Shift), -128, 127)
//
// The hardware saturates v to 32 bits after each stage and the converter to 17
// before 8. A layer where v could leave 32 bits is refused (ErrRange), so that
// these saturations have no effect.
type NVDLA struct {
	Mul           []int16 // one a channel, or one for all; nil for none
	MulShift      int     // 0..32
	ReLU          bool    // before the residual is added
	ResidualShift int     // 0..23
	Offset        int32
	Scale         int16
	Shift         int // 0..32
}

// requant is one block's prepared requantization.
type requant struct {
	tensorRT  kernel.TensorRT
	mul, bias [kernel.Block]float32
	nvdla     kernel.NVDLA
	factor    [kernel.Block]int32
}

func (t *TensorRT) check(out int) error {
	if len(t.Mul) != out || t.Bias != nil && len(t.Bias) != out {
		return fmt.Errorf("%d multipliers and %d biases for %d channels", len(t.Mul), len(t.Bias), out)
	}
	for _, list := range [][]float32{t.Mul, t.Bias, {t.ResidualMul, t.OutMul}} {
		for _, v := range list {
			if v != v || math.Abs(float64(v)) > 1e15 {
				return fmt.Errorf("factor or bias %g is not a number or above 1e15", v)
			}
		}
	}
	return nil
}

func (n *NVDLA) check(out int) error {
	if n.Mul != nil && len(n.Mul) != 1 && len(n.Mul) != out {
		return fmt.Errorf("%d multipliers for %d channels", len(n.Mul), out)
	}
	if n.MulShift < 0 || n.MulShift > 32 || n.Shift < 0 || n.Shift > 32 || n.ResidualShift < 0 || n.ResidualShift > 23 {
		return fmt.Errorf("%w: shifts %d, %d, %d", ErrRange, n.MulShift, n.ResidualShift, n.Shift)
	}
	return nil
}

// span is a range of integers.
type span struct{ lo, hi int64 }

func (s span) fits() bool { return s.lo >= math.MinInt32 && s.hi <= math.MaxInt32 }

// size is the largest magnitude.
func (s span) size() int64 { return max(s.hi, -s.lo) }

func (s span) times(m int64) span {
	a, b := s.lo*m, s.hi*m
	return span{min(a, b), max(a, b)}
}

func (s span) rounded(shift int) span {
	return span{kernel.RoundAway(s.lo, shift), kernel.RoundAway(s.hi, shift)}
}

func (s span) floor(relu bool) span {
	if relu {
		return span{max(s.lo, 0), max(s.hi, 0)}
	}
	return s
}

// requantize prepares the epilogue of output channels o..o+3 and proves that no
// integer leaves 32 bits.
func (c *conv) requantize(blk *block, o int) error {
	if c.in.kind == Float32 {
		return nil
	}
	for j := 0; j < kernel.Block && o+j < c.Out; j++ {
		var bias, sum int64
		s := span{}
		c.eachWeight(o+j, func(_, _, _, i int) {
			w := int64(c.Int8[i])
			sum += w
			s.lo -= max(w*128, -w*127)
			s.hi += max(w*127, -w*128)
		})
		if c.BiasInt32 != nil {
			bias = int64(c.BiasInt32[o+j])
		}
		s = span{s.lo + bias, s.hi + bias}
		if !s.fits() {
			return fmt.Errorf("%w: sums of %d..%d", ErrRange, s.lo, s.hi)
		}
		blk.init[j], blk.sums[j] = uint32(bias-128*sum), s
		if c.NVDLA != nil {
			if err := c.nvdlaChannel(blk, s, o, j); err != nil {
				return err
			}
		}
	}
	if c.TensorRT != nil {
		c.tensorRTBlock(blk, o)
	}
	return nil
}

func (c *conv) tensorRTBlock(blk *block, o int) {
	t, r := c.TensorRT, &blk.requant
	copy(r.mul[:], t.Mul[o:])
	if t.Bias != nil {
		copy(r.bias[:], t.Bias[o:])
	}
	r.tensorRT = kernel.TensorRT{ResMul: t.ResidualMul, OutMul: t.OutMul, Floor: -math.MaxFloat32}
	if c.ReLU {
		r.tensorRT.Floor = 0
	}
}

// nvdlaChannel prepares one channel, whose sums lie in s.
func (c *conv) nvdlaChannel(blk *block, s span, o, j int) error {
	n, r := c.NVDLA, &blk.requant
	if n.Mul != nil {
		m := n.Mul[0]
		if len(n.Mul) > 1 {
			m = n.Mul[o+j]
		}
		r.factor[j] = int32(m)
		s = s.times(int64(m)).rounded(n.MulShift)
	}
	ok := s.fits()
	s = s.floor(n.ReLU || c.ReLU && c.Residual == 0)
	if c.Residual != 0 {
		s = span{s.lo - 128<<n.ResidualShift, s.hi + 127<<n.ResidualShift}
		ok = ok && s.fits()
		s = s.floor(c.ReLU)
	}
	s = span{s.lo - int64(n.Offset), s.hi - int64(n.Offset)}
	ok = ok && s.fits() && s.times(int64(n.Scale)).rounded(n.Shift).fits()
	if !ok {
		return fmt.Errorf("%w in the converter of channel %d", ErrRange, o+j)
	}
	r.nvdla = c.nvdlaArguments()
	return nil
}

func (c *conv) nvdlaArguments() kernel.NVDLA {
	n := c.NVDLA
	a := kernel.NVDLA{Shift1: int64(n.MulShift), ResShift: int64(n.ResidualShift), Shift: int64(n.Shift),
		Offset: n.Offset, Scale: int32(n.Scale), Floor1: math.MinInt32, Floor2: math.MinInt32}
	if n.Mul != nil {
		a.UseMul = 1
	}
	a.Half1, a.Away1 = kernel.Rounding(n.MulShift)
	a.Half, a.Away = kernel.Rounding(n.Shift)
	if n.ReLU || c.ReLU && c.Residual == 0 {
		a.Floor1 = 0
	}
	if c.ReLU {
		a.Floor2 = 0
	}
	positive := c.ReLU || n.ReLU && c.Residual == 0
	if positive && n.Offset == 0 && n.Scale >= 0 {
		a.Unsigned = 1
	}
	return a
}
