package jpeg

// Model says what the planes of a picture hold.
type Model uint8

// The colour models of decoded planes.
const (
	Grey  Model = iota // one plane: luma
	YCbCr              // luma and two colour differences, full range (JFIF)
	RGB                // red, green, blue (Adobe marker with transform 0, or CMYK files)
)

// Path says which decoder read a picture.
type Path uint8

// The two decoders.
const (
	Own      Path = iota // this package's baseline decoder
	Standard             // image/jpeg
)

// String is "own" or "image/jpeg".
func (p Path) String() string {
	if p == Standard {
		return "image/jpeg"
	}
	return "own"
}

// Plane is one component of a picture at its own resolution. Sample (x, y) is
// Pix[y*Stride+x] and covers the DX x DY picture pixels from (x*DX, y*DY).
type Plane struct {
	Pix           []byte
	Stride        int
	Width, Height int // samples that count: ceil(picture / DX), ceil(picture / DY)
	DX, DY        int // picture pixels a sample: 1, 2 or 4
}

// Planes is a decoded picture, and the memory to decode the next one into. The
// zero value is ready for use. Not for concurrent use.
type Planes struct {
	Width, Height int // pixels
	Model         Model
	Path          Path
	// Reason says why Path is Standard ("progressive", "4 components"); else empty.
	Reason string
	// MaxPixels refuses larger pictures (Width*Height); 0 means DefaultMaxPixels.
	MaxPixels int
	// Plane holds Y, Cb, Cr, or R, G, B, or (Grey) Y alone.
	Plane [3]Plane

	dec decoder
}

// DefaultMaxPixels is the largest picture that is decoded if nothing else is
// said: 2^26 pixels (8192 x 8192).
const DefaultMaxPixels = 1 << 26

// planes is the number of planes in use: 1 or 3.
func (p *Planes) planes() int {
	if p.Model == Grey {
		return 1
	}
	return 3
}

// resize makes the plane hold stride x rows bytes, in the memory it has if that
// is enough. The contents are undefined.
func (p *Plane) resize(stride, rows int) {
	p.Stride = stride
	p.Pix = grow(p.Pix, stride*rows)
}

// grow is b with length n, in b's memory if it is large enough.
func grow[T any](b []T, n int) []T {
	if cap(b) < n {
		return make([]T, n)
	}
	return b[:n]
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }
