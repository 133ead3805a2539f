package hardware

// Data formats of a convolution's input (dla_interface.h, FORMAT_*).
const (
	FormatR8        uint8 = 0
	FormatA8B8G8R8  uint8 = 12
	FormatFeature   uint8 = 36
	FormatFeatureX8 uint8 = 37 // the loadable's name for a feature cube with 8-byte atoms
)

// IsFeature tells whether a data format is the feature layout, not a picture.
func IsFeature(format uint8) bool { return format == FormatFeature || format == FormatFeatureX8 }

// ElementsPerAtom is how many channels lie side by side in one memory atom.
func (t Target) ElementsPerAtom(p Precision) int { return t.Atom / p.Bytes() }

// FeatureOffset is the byte offset of element (c, y, x) from the cube's start,
// Offset not included: c/e*SurfStride + y*LineStride + x*atom + c%e*bytes.
func (q Cube) FeatureOffset(t Target, p Precision, c, y, x int) int {
	e := t.ElementsPerAtom(p)
	return c/e*q.SurfStride + y*q.LineStride + x*t.Atom + c%e*p.Bytes()
}

// PixelOffset is the byte offset of channel c of pixel (y, x) of a picture with
// the given data format, from the cube's start: one byte a pixel in R8, four in
// A8B8G8R8, channel 0 at the lowest address.
func (q Cube) PixelOffset(format uint8, c, y, x int) int {
	return y*q.LineStride + x*PixelBytes(format) + c
}

// PixelBytes is the size of a pixel of a picture format; 0 if it is not one.
func PixelBytes(format uint8) int {
	switch format {
	case FormatR8:
		return 1
	case FormatA8B8G8R8:
		return 4
	}
	return 0
}

// KernelGroup is how many kernels form one group of the weight layout.
func (t Target) KernelGroup(p Precision) int { return t.AtomicK / p.Bytes() }

// KernelShape is the shape of a weight blob: K kernels of R x S x C.
type KernelShape struct{ K, C, R, S int }

// WeightIndex is the index (in elements) of weight (k, c, r, s) in the layout of
// a direct convolution: groups of kernels, blocks of atomicC channels, lines,
// columns, kernel in group, channel; the last group and block are short.
func (w KernelShape) WeightIndex(t Target, p Precision, k, c, r, s int) int {
	ak, ac := t.KernelGroup(p), t.AtomicC
	g0, c0 := k/ak*ak, c/ac*ac
	gn, cn := min(ak, w.K-g0), min(ac, w.C-c0)
	return g0*w.C*w.R*w.S + gn*c0*w.R*w.S + ((r*w.S+s)*gn+(k-g0))*cn + (c - c0)
}

// ExtendedIndex is the index of weight (k, c, r) of a picture convolution with
// channel post-extension (S is 1, C the pre-extended count): groups of kernels,
// groups of `lines` kernel lines, kernel in group, line in group, channel.
func (w KernelShape) ExtendedIndex(t Target, p Precision, lines, k, c, r int) int {
	ak := t.KernelGroup(p)
	g0, r0 := k/ak*ak, r/lines*lines
	gn, rn := min(ak, w.K-g0), min(lines, w.R-r0)
	return g0*w.C*w.R + gn*r0*w.C + ((k-g0)*rn+(r-r0))*w.C + c
}

// PostExtensionLines is how many kernel lines are stored together for a value of
// ConvDesc.PostExtension: 1, 2 or 4.
func PostExtensionLines(field uint8) int { return 1 << min(field, 2) }
