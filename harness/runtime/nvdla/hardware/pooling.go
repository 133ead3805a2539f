package hardware

// MaxPoolWindow is the largest window that PDP can be programmed for
// (recip_kernel_size and map_pool_kernel in kmd/firmware/pdp.c).
const MaxPoolWindow = 8

// reciprocal[n] is 2^16/n as the driver programs it (recip_kernel_size).
var reciprocal = [MaxPoolWindow + 1]int64{0, 65536, 32768, 21845, 16384, 13107, 10922, 9362, 8192}

// PoolMean is PDP's average of a window of width x height (1..8 each) with the
// given sum of elements. The divisor is always the full window, and the two
// divisions round separately, half away from zero: 2x2 with sum 1 gives 1.
func PoolMean(sum int64, width, height int) int32 {
	t := RoundHalfAway(sum*reciprocal[width], 16)
	return int32(RoundHalfAway(t*reciprocal[height], 16))
}

// Normalize is CDP at one position (cmod/cdp): the channels in, the channels
// out. Each value passes the input converter, the table is read at the sum of
// squares of LocalSize channels, the product with the value passes the output
// converter. in and out have one element a channel; tmp has room for as many.
func (d *CDPDesc) Normalize(in, out, tmp []int32) {
	wide := d.InPrecision.Bits() + 1
	for c, x := range in {
		t := (int64(x) - int64(d.InCvt.Offset)) * int64(d.InCvt.Scale)
		tmp[c] = int32(Saturate(RoundHalfAway(t, uint(d.InCvt.Truncate)), wide))
	}
	half := (d.LocalSize - 1) / 2
	for c := range in {
		q := int64(tmp[c])
		if !d.BypassSquareSum {
			q = squareSum(tmp[max(0, c-half):min(len(in), c+half+1)])
		}
		y := d.LUT.Lookup(q, 16, 16)
		if !d.BypassMultiply {
			y *= int64(tmp[c])
		}
		t := (y - int64(d.OutCvt.Offset)) * int64(d.OutCvt.Scale)
		out[c] = int32(Saturate(RoundHalfAway(t, uint(d.OutCvt.Truncate)), d.OutPrecision.Bits()))
	}
}

func squareSum(v []int32) int64 {
	var s int64
	for _, x := range v {
		s += int64(x) * int64(x)
	}
	return s
}
