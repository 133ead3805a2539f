package speed

import (
	"math"
	"time"
	"unsafe"

	"quantbench/harness/compute/kernel"
)

// The peak's convolution: long sums over 16 KB of inputs that stay in the
// first-level cache.
const (
	peakSteps   = 1024
	peakVectors = 256
	peakTrial   = 2 * time.Millisecond
	peakTrials  = 60
)

// Peak is the most multiply-accumulates a second that one core was seen to do
// with this machine's kernel instructions: the largest tile of the convolution
// over data in the first-level cache, the best of many short trials. The clock
// moves, so a share of the peak is good to a few per cent only.
func Peak(integers bool) float64 {
	a, f := peakCall(integers)
	macs := float64(peakSteps*kernel.Block*kernel.Lanes) * float64(peakPixels(integers))
	if integers {
		macs *= kernel.Block
	}
	best := 0.0
	for range peakTrials {
		calls, start := 0, time.Now()
		for time.Since(start) < peakTrial {
			f(a)
			calls++
		}
		best = max(best, macs*float64(calls)/time.Since(start).Seconds())
	}
	return best
}

func peakPixels(integers bool) int {
	if integers {
		return kernel.Best().TileI8
	}
	return kernel.Best().TileF32
}

// peakCall prepares one call of one tile; adjacent pixels lie next to each other.
func peakCall(integers bool) (*kernel.Conv, func(*kernel.Conv)) {
	set, pixels := kernel.Best(), peakPixels(integers)
	in := make([]float32, (peakVectors+pixels)*kernel.Lanes)
	for i := range in {
		in[i] = float32(math.Sin(float64(i)))
	}
	offsets := make([]int32, peakSteps)
	for i := range offsets {
		offsets[i] = int32(i % peakVectors * kernel.VectorBytes)
	}
	weights := make([]float32, peakSteps*kernel.Block)
	out := make([]float32, pixels*kernel.Block*kernel.Lanes)
	a := &kernel.Conv{
		In: unsafe.Pointer(&in[0]), InStep: kernel.VectorBytes, Offsets: unsafe.Pointer(&offsets[0]),
		Weights: unsafe.Pointer(&weights[0]), K: peakSteps, Init: unsafe.Pointer(&weights[0]), Tiles: 1,
		Out: unsafe.Pointer(&out[0]), OutStep: kernel.Block * kernel.VectorBytes, OutChannel: kernel.VectorBytes,
	}
	if integers {
		return a, set.ConvI8[pixels]
	}
	return a, set.ConvF32[pixels]
}
