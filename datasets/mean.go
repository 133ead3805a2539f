package datasets

import (
	"encoding/binary"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// Mean is a mean image: C x H x W values in units of pixels, in the network's
// channel order (Caffe's own are blue, green, red).
type Mean struct {
	C, H, W int
	Values  []float32
}

// maxMean bounds the values of a mean image.
const maxMean = 1 << 24

// ParseMean reads a mean image as Caffe's compute_image_mean writes it, a
// BlobProto (.binaryproto); file names it in errors. Both ways to give the
// dimensions are read: num, channels, height, width, and shape.
func ParseMean(file string, data []byte) (Mean, error) {
	m, err := parseMean(data)
	if err != nil {
		return m, fmt.Errorf("%s: %w", file, err)
	}
	return m, nil
}

// blob collects the fields of a BlobProto.
type blob struct {
	legacy [4]uint64 // num, channels, height, width
	shape  []uint64
	values []float32
}

func parseMean(data []byte) (Mean, error) {
	b := blob{legacy: [4]uint64{1, 1, 1, 1}}
	for rest := data; len(rest) > 0; {
		at := len(data) - len(rest)
		n, err := b.field(rest)
		if err != nil {
			return Mean{}, fmt.Errorf("byte %d: %w", at, err)
		}
		rest = rest[n:]
	}
	dims := b.legacy[:]
	if b.shape != nil {
		dims = b.shape
	}
	if len(dims) == 4 && dims[0] == 1 {
		dims = dims[1:]
	}
	if len(dims) != 3 {
		return Mean{}, fmt.Errorf("the blob has shape %v instead of channels x height x width; this is no mean image", dims)
	}
	n := uint64(1)
	for _, d := range dims {
		if d == 0 || d > maxMean || n*d > maxMean {
			return Mean{}, fmt.Errorf("the blob has shape %v; this is no mean image", dims)
		}
		n *= d
	}
	if uint64(len(b.values)) != n {
		return Mean{}, fmt.Errorf("shape %v needs %d values, the file has %d; it is cut off or damaged", dims, n, len(b.values))
	}
	for i, v := range b.values {
		if !finite(v) {
			return Mean{}, fmt.Errorf("value %d is %v", i, v)
		}
	}
	return Mean{int(dims[0]), int(dims[1]), int(dims[2]), b.values}, nil
}

// Fields of BlobProto that are read.
const (
	blobWidth, blobData, blobShape, blobDouble = 4, 5, 7, 8
)

// field reads the field that rest begins with and returns its length.
func (b *blob) field(rest []byte) (int, error) {
	number, kind, n := protowire.ConsumeTag(rest)
	if n < 0 {
		return 0, fmt.Errorf("no protobuf field begins here; the file is cut off or no .binaryproto")
	}
	m := protowire.ConsumeFieldValue(number, kind, rest[n:])
	if m < 0 {
		return 0, fmt.Errorf("field %d is cut off or damaged", number)
	}
	value := rest[n : n+m]
	switch {
	case number <= blobWidth && kind == protowire.VarintType:
		b.legacy[number-1], _ = protowire.ConsumeVarint(value)
	case number == blobShape && kind == protowire.BytesType:
		inner, _ := protowire.ConsumeBytes(value)
		return n + m, b.dimensions(inner)
	case number == blobData || number == blobDouble:
		return n + m, b.data(number == blobDouble, kind, value)
	}
	return n + m, nil
}

// dimensions reads a BlobShape: field 1, packed or not.
func (b *blob) dimensions(in []byte) error {
	for len(in) > 0 {
		number, kind, n := protowire.ConsumeTag(in)
		if n < 0 || number != 1 || kind != protowire.BytesType && kind != protowire.VarintType {
			return fmt.Errorf("the blob's shape is damaged")
		}
		in = in[n:]
		packed := in
		if kind == protowire.BytesType {
			if packed, n = protowire.ConsumeBytes(in); n < 0 {
				return fmt.Errorf("the blob's shape is cut off")
			}
			in = in[n:]
		}
		for len(packed) > 0 {
			d, n := protowire.ConsumeVarint(packed)
			if n < 0 || len(b.shape) == 8 {
				return fmt.Errorf("the blob's shape is damaged")
			}
			b.shape, packed = append(b.shape, d), packed[n:]
			if kind == protowire.VarintType {
				in = packed
				break
			}
		}
	}
	return nil
}

// data appends values: float or double, packed or not.
func (b *blob) data(double bool, kind protowire.Type, value []byte) error {
	size := 4
	if double {
		size = 8
	}
	if kind == protowire.BytesType {
		value, _ = protowire.ConsumeBytes(value)
	} else if kind != protowire.Fixed32Type && !double || kind != protowire.Fixed64Type && double {
		return fmt.Errorf("the values have wire type %d, which neither float nor double has", kind)
	}
	if len(value)%size != 0 {
		return fmt.Errorf("the values have %d bytes, no multiple of %d", len(value), size)
	}
	for ; len(value) > 0; value = value[size:] {
		if double {
			b.values = append(b.values, float32(math.Float64frombits(binary.LittleEndian.Uint64(value))))
		} else {
			b.values = append(b.values, math.Float32frombits(binary.LittleEndian.Uint32(value)))
		}
	}
	return nil
}

// Center is the middle h x w of the mean image, as Preprocess.MeanImage wants
// it: what Caffe subtracts when it crops. A smaller mean image, or another number
// of channels, is an error.
func (m Mean) Center(c, h, w int) ([]float32, error) {
	if m.C != c || m.H < h || m.W < w {
		return nil, fmt.Errorf("the mean image is %dx%dx%d, the network takes %dx%dx%d; use one of the pictures that it was trained on", m.C, m.H, m.W, c, h, w)
	}
	y0, x0 := (m.H-h)/2, (m.W-w)/2
	out := make([]float32, 0, c*h*w)
	for ch := range c {
		for y := y0; y < y0+h; y++ {
			row := (ch*m.H+y)*m.W + x0
			out = append(out, m.Values[row:row+w]...)
		}
	}
	return out, nil
}

// Channels are the averages of the mean image, one a channel: the mean to use
// when pictures are not of the mean image's size.
func (m Mean) Channels() []float32 {
	out, plane := make([]float32, m.C), m.H*m.W
	for c := range out {
		sum := 0.0
		for _, v := range m.Values[c*plane : (c+1)*plane] {
			sum += float64(v)
		}
		out[c] = float32(sum / float64(plane))
	}
	return out
}
