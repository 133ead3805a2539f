package loadable

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// DIMG is the binary image that NVIDIA's regression keeps as golden output:
// a header of the surface and its elements, packed, channel by channel.
type DIMG struct {
	Format, W, H, C        int
	LineStride, SurfStride int
	Size                   int
	Data                   []byte
}

// Surface formats of the goldens (an older enumeration than today's).
const (
	dimgInt8  = 40 // 32 channels an atom
	dimgInt16 = 41
	dimgFP16  = 42
)

// dimgHeader is the size of the header, bytes.
const dimgHeader = 36

// ElementBytes is the size of an element.
func (d *DIMG) ElementBytes() int {
	if d.Format == dimgInt8 {
		return 1
	}
	return 2
}

// ReadDIMG reads a golden. Errors name the file.
func ReadDIMG(file string, b []byte) (*DIMG, error) {
	if len(b) < dimgHeader || string(b[:4]) != "DIMG" {
		return nil, fmt.Errorf("%s: not a DIMG file: it does not begin with a DIMG header of %d bytes", file, dimgHeader)
	}
	n := func(i int) int { return int(binary.LittleEndian.Uint32(b[4+4*i:])) }
	d := &DIMG{Format: n(1), W: n(2), H: n(3), C: n(4), LineStride: n(5), SurfStride: n(6), Size: n(7), Data: b[dimgHeader:]}
	if d.Format < dimgInt8 || d.Format > dimgFP16 {
		return nil, fmt.Errorf("%s: surface format %d is not supported, only %d to %d are", file, d.Format, dimgInt8, dimgFP16)
	}
	const most = 1 << 16
	if max(d.W, d.H, d.C) > most || d.W*d.H*d.C*d.ElementBytes() != len(d.Data) {
		return nil, fmt.Errorf("%s: %d x %d x %d elements of %d bytes, but %d bytes follow the header", file, d.C, d.H, d.W, d.ElementBytes(), len(d.Data))
	}
	return d, nil
}

// Image is the DIMG that the regression's runtime makes of a bound tensor, still
// without data: see Gather and File.
func (t *Tensor) Image() (*DIMG, error) {
	d := &DIMG{Format: dimgInt8, W: t.W, H: t.H, C: t.C, LineStride: int(t.Stride[1]), SurfStride: int(t.Stride[2]), Size: t.Size}
	switch t.DataType {
	case typeInt8:
	case typeInt16:
		d.Format = dimgInt16
	default:
		return nil, fmt.Errorf("tensor %q has data type %d; only int8 (%d) and int16 (%d) have an image", t.Name, t.DataType, typeInt8, typeInt16)
	}
	return d, nil
}

// Gather collects a buffer as the writer of the goldens did: with atoms of 32
// bytes whatever the hardware's are, so that goldens of nv_small (atoms of 8)
// can be compared. Elements outside the buffer are an error.
func (d *DIMG) Gather(buffer []byte) ([]byte, error) {
	size := d.ElementBytes()
	per := 32 / size
	out := make([]byte, 0, d.W*d.H*d.C*size)
	for c := range d.C {
		for y := range d.H {
			for x := range d.W {
				at := c/per*d.SurfStride + y*d.LineStride + x*32 + c%per*size
				if at+size > len(buffer) {
					return nil, fmt.Errorf("element (%d, %d, %d) lies at byte %d of a buffer of %d", c, y, x, at, len(buffer))
				}
				out = append(out, buffer[at:at+size]...)
			}
		}
	}
	return out, nil
}

// File writes the golden's header with other data: the bytes of a .dimg file.
func (d *DIMG) File(data []byte) []byte {
	b := append([]byte("DIMG"), make([]byte, dimgHeader-4)...)
	for i, v := range []int{0, d.Format, d.W, d.H, d.C, d.LineStride, d.SurfStride, d.Size} {
		binary.LittleEndian.PutUint32(b[4+4*i:], uint32(v))
	}
	return append(b, data...)
}

// ReadRaw reads what nvdla_runtime --rawdump writes: integers separated by
// blanks. Errors name the file and the word.
func ReadRaw(file string, b []byte) ([]int, error) {
	var r []int
	for i, w := range strings.Fields(string(b)) {
		v, err := strconv.Atoi(w)
		if err != nil {
			return nil, fmt.Errorf("%s: word %d: %q is not an integer", file, i+1, w)
		}
		r = append(r, v)
	}
	return r, nil
}

// FormatRaw writes elements as nvdla_runtime --rawdump does: each followed by a
// blank, all in one line without an end.
func FormatRaw(v []int16) []byte {
	var b []byte
	for _, e := range v {
		b = append(strconv.AppendInt(b, int64(e), 10), ' ')
	}
	return b
}
