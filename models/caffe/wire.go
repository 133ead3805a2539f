package caffe

import (
	"encoding/binary"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// wireField is one field of a message in protobuf's wire format.
type wireField struct {
	number protowire.Number
	kind   protowire.Type
	bits   uint64 // a varint, or a fixed value's bits
	bytes  []byte // of a length-delimited field
	at     int    // where the field begins in the file
	inside int    // where bytes begin in the file
}

// wireError says where in the file the wire format is broken.
func wireError(at int, format string, args ...any) error {
	return fmt.Errorf("byte %d: %s", at, fmt.Sprintf(format, args...))
}

// walk hands each field of the message to see. Groups are skipped. at is the
// place of the message in the file.
func walk(message []byte, at int, see func(f wireField) error) error {
	for rest := message; len(rest) > 0; {
		f, n, err := consume(rest, at+len(message)-len(rest))
		if err != nil {
			return err
		}
		rest = rest[n:]
		if f.kind == protowire.StartGroupType {
			continue
		}
		if err := see(f); err != nil {
			return err
		}
	}
	return nil
}

// consume reads the field that b begins with, and its length.
func consume(b []byte, at int) (wireField, int, error) {
	number, kind, n := protowire.ConsumeTag(b)
	if n < 0 {
		return wireField{}, 0, wireError(at, "no valid field begins here; the file is cut off or not a .caffemodel")
	}
	f := wireField{number: number, kind: kind, at: at}
	var m int
	switch kind {
	case protowire.VarintType:
		f.bits, m = protowire.ConsumeVarint(b[n:])
	case protowire.Fixed32Type:
		var bits uint32
		bits, m = protowire.ConsumeFixed32(b[n:])
		f.bits = uint64(bits)
	case protowire.Fixed64Type:
		f.bits, m = protowire.ConsumeFixed64(b[n:])
	case protowire.BytesType:
		f.bytes, m = protowire.ConsumeBytes(b[n:])
		f.inside = at + n + m - len(f.bytes)
	default:
		m = protowire.ConsumeFieldValue(number, kind, b[n:])
	}
	if m >= 0 {
		return f, n + m, nil
	}
	if size, k := protowire.ConsumeVarint(b[n:]); kind == protowire.BytesType && k > 0 {
		return f, 0, wireError(at, "field %d has %d bytes but only %d are left; the file is cut off", number, size, len(b)-n-k)
	}
	return f, 0, wireError(at, "field %d is cut off or damaged", number)
}

// expect checks the wire type of a known field.
func (f wireField) expect(kind protowire.Type, what string) error {
	if f.kind != kind {
		return wireError(f.at, "%s (field %d) has wire type %d, expected %d", what, f.number, f.kind, kind)
	}
	return nil
}

// floats appends the values of a repeated float field, packed or not.
func (f wireField) floats(to []float32) ([]float32, error) {
	if f.kind == protowire.Fixed32Type {
		return append(to, math.Float32frombits(uint32(f.bits))), nil
	}
	if err := f.expect(protowire.BytesType, "data"); err != nil {
		return nil, err
	}
	if len(f.bytes)%4 != 0 {
		return nil, wireError(f.at, "data has %d bytes, no multiple of 4", len(f.bytes))
	}
	return appendFloats(to, f.bytes), nil
}

// appendFloats appends little-endian single precision values.
func appendFloats(to []float32, b []byte) []float32 {
	n := len(to)
	to = append(to, make([]float32, len(b)/4)...)
	for out := to[n:]; len(out) > 0; out, b = out[1:], b[4:] {
		out[0] = math.Float32frombits(binary.LittleEndian.Uint32(b))
	}
	return to
}

// doubles appends the values of a repeated double field, packed or not,
// rounded to single precision.
func (f wireField) doubles(to []float32) ([]float32, error) {
	if f.kind == protowire.Fixed64Type {
		return append(to, float32(math.Float64frombits(f.bits))), nil
	}
	if err := f.expect(protowire.BytesType, "double_data"); err != nil {
		return nil, err
	}
	if len(f.bytes)%8 != 0 {
		return nil, wireError(f.at, "double_data has %d bytes, no multiple of 8", len(f.bytes))
	}
	for b := f.bytes; len(b) > 0; b = b[8:] {
		to = append(to, float32(math.Float64frombits(binary.LittleEndian.Uint64(b))))
	}
	return to, nil
}

// Element types of raw_data, an addition of OpenCV's fork.
const (
	rawDouble = 0
	rawFloat  = 1
	rawHalf   = 2
)

// rawFloats decodes raw_data of the element type.
func rawFloats(b []byte, kind uint64, at int) ([]float32, error) {
	size := map[uint64]int{rawDouble: 8, rawFloat: 4, rawHalf: 2}[kind]
	if size == 0 {
		return nil, wireError(at, "raw_data has element type %d; 0 (double), 1 (float) and 2 (half) are supported", kind)
	}
	if len(b)%size != 0 {
		return nil, wireError(at, "raw_data has %d bytes, no multiple of %d", len(b), size)
	}
	switch kind {
	case rawFloat:
		return appendFloats(nil, b), nil
	case rawDouble:
		return wireField{kind: protowire.BytesType, bytes: b, at: at}.doubles(nil)
	}
	out := make([]float32, len(b)/2)
	for i := range out {
		out[i] = half(binary.LittleEndian.Uint16(b[2*i:]))
	}
	return out, nil
}

// half is the value of an IEEE 754 half precision number.
func half(bits uint16) float32 {
	sign := uint32(bits&0x8000) << 16
	exponent, fraction := uint32(bits>>10)&31, uint32(bits&0x3ff)
	switch exponent {
	case 0:
		f := float32(fraction) / (1 << 24)
		return math.Float32frombits(sign | math.Float32bits(f))
	case 31:
		return math.Float32frombits(sign | 0xff<<23 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+112)<<23 | fraction<<13)
}
