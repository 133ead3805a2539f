package cycles

// Sheet is one convolution row of NVIDIA's spreadsheet of performance
// (hw/perf/NVDLA_OpenSource_Performance.xlsx) with the arithmetic that the sheet
// states: 2048 multipliers, a granule of 16 channels x 128 kernels (not the
// hardware's 64 x 32), Winograd for every 3x3 of stride 1, fully connected layers
// in batches of 16. It is kept to check the published rows, not as a model.
type Sheet struct {
	C, H, W, K, R, S int
	Padded           bool
	StrideV, StrideH int // 0 counts as 1
	FullyConnected   bool
}

// sheetMultipliers is the sheet's configuration.
const sheetMultipliers = 2048

// OutH and OutW are the output's size.
func (l Sheet) OutH() int { return l.extent(l.H, l.R, l.StrideV) }

// OutW is the output's width.
func (l Sheet) OutW() int { return l.extent(l.W, l.S, l.StrideH) }

func (l Sheet) extent(in, kernel, stride int) int {
	if l.Padded {
		kernel = 1
	}
	return int(up(in-kernel+1, max(stride, 1)))
}

// Batch is 16 for fully connected layers.
func (l Sheet) Batch() int {
	if l.FullyConnected {
		return 16
	}
	return 1
}

// Winograd tells whether the sheet assumes it.
func (l Sheet) Winograd() bool { return l.R == 3 && l.S == 3 && l.strides() == 1 }

func (l Sheet) strides() int { return max(l.StrideV, 1) * max(l.StrideH, 1) }

// MACCycles is the sheet's column of MAC cycles, with kernels rounded up to a
// multiple of granule: 128 or 16, the sheet has a column for each.
func (l Sheet) MACCycles(granule int) float64 {
	s, b := l.strides(), l.Batch()
	channels, kernels := up(l.C*s, 16)*16, up(l.K*b, granule)*int64(granule)
	n := float64(channels) * float64(l.OutH()*l.OutW()) * float64(kernels) * float64(l.R*l.S)
	n /= float64(s * sheetMultipliers * b)
	if l.Winograd() {
		n /= 2.25
	}
	return n
}

// DRAMCycles is the sheet's time of traffic of so many KB at 10 GB/s and 1 GHz.
func DRAMCycles(kb float64) float64 { return kb * 100 }
