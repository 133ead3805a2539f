package loadable

import (
	"encoding/binary"
	"fmt"
)

// buffer reads a flatbuffer with every access checked. The first fault is kept
// in err; after it every read gives zero, so that callers test err once.
type buffer struct {
	b   []byte
	err error
}

// table is one flatbuffer table; the zero table has no fields.
type table struct {
	buf         *buffer
	pos, vtable int
	size        int // bytes of the vtable
}

func (b *buffer) fail(pos int, what string) {
	if b.err == nil {
		b.err = fmt.Errorf("byte %d: %s, the file has %d bytes", pos, what, len(b.b))
	}
}

// bytes gives n bytes at pos, or nil and an error.
func (b *buffer) bytes(pos, n int, what string) []byte {
	if b.err != nil {
		return nil
	}
	if pos < 0 || n < 0 || pos > len(b.b) || n > len(b.b)-pos {
		b.fail(pos, fmt.Sprintf("%s of %d bytes lies outside", what, n))
		return nil
	}
	return b.b[pos : pos+n]
}

// uint reads an unsigned integer of 1, 2, 4 or 8 bytes.
func (b *buffer) uint(pos, size int, what string) uint64 {
	v := b.bytes(pos, size, what)
	if v == nil {
		return 0
	}
	switch size {
	case 1:
		return uint64(v[0])
	case 2:
		return uint64(binary.LittleEndian.Uint16(v))
	case 4:
		return uint64(binary.LittleEndian.Uint32(v))
	}
	return binary.LittleEndian.Uint64(v)
}

// root is the table that the file begins with.
func (b *buffer) root() table { return b.table(int(b.uint(0, 4, "root offset"))) }

func (b *buffer) table(pos int) table {
	v := int32(b.uint(pos, 4, "table"))
	t := table{buf: b, pos: pos, vtable: pos - int(v)}
	t.size = int(b.uint(t.vtable, 2, "vtable"))
	if b.err != nil {
		return table{buf: b}
	}
	return t
}

// field is the position of field i, or 0 if the table does not have it.
func (t table) field(i int) int {
	if 4+2*i+2 > t.size {
		return 0
	}
	o := int(t.buf.uint(t.vtable+4+2*i, 2, "vtable entry"))
	if o == 0 {
		return 0
	}
	return t.pos + o
}

// num is a scalar of size bytes; absent fields are 0.
func (t table) num(i, size int) uint64 {
	p := t.field(i)
	if p == 0 {
		return 0
	}
	return t.buf.uint(p, size, "field")
}

func (t table) u8(i int) uint8   { return uint8(t.num(i, 1)) }
func (t table) u16(i int) uint16 { return uint16(t.num(i, 2)) }
func (t table) u32(i int) uint32 { return uint32(t.num(i, 4)) }
func (t table) i32(i int) int    { return int(int32(t.num(i, 4))) }

// size64 is an unsigned 64-bit size; what no file can need is an error.
func (t table) size64(i int) int {
	v := t.num(i, 8)
	if v > maxMemory {
		t.buf.fail(t.pos, fmt.Sprintf("size or offset %d is more than the %d bytes allowed", v, maxMemory))
		return 0
	}
	return int(v)
}

// version is a struct of three bytes.
func (t table) version(i int) Version {
	p := t.field(i)
	if p == 0 {
		return Version{}
	}
	if b := t.buf.bytes(p, 3, "version"); b != nil {
		return Version{b[0], b[1], b[2]}
	}
	return Version{}
}

// vector is the position and the length of vector field i, whose elements have
// size bytes; 0, 0 if the table does not have it.
func (t table) vector(i, size int) (pos, n int) {
	p := t.field(i)
	if p == 0 {
		return 0, 0
	}
	p += int(t.buf.uint(p, 4, "offset"))
	n = int(t.buf.uint(p, 4, "vector length"))
	if n > (len(t.buf.b)-p)/size {
		t.buf.fail(p, fmt.Sprintf("vector of %d elements lies outside", n))
		return 0, 0
	}
	if t.buf.err != nil {
		return 0, 0
	}
	return p + 4, n
}

// data is a vector of bytes, or a string.
func (t table) data(i int) []byte {
	p, n := t.vector(i, 1)
	return t.buf.bytes(p, n, "bytes")
}

func (t table) text(i int) string { return string(t.data(i)) }

func (t table) u16s(i int) []uint16 {
	p, n := t.vector(i, 2)
	var r []uint16
	for k := range n {
		r = append(r, uint16(t.buf.uint(p+2*k, 2, "element")))
	}
	return r
}

func (t table) sizes(i int) []int {
	p, n := t.vector(i, 8)
	var r []int
	for k := range n {
		v := t.buf.uint(p+8*k, 8, "element")
		if v > maxMemory {
			t.buf.fail(p+8*k, fmt.Sprintf("offset %d is more than the %d bytes allowed", v, maxMemory))
			return nil
		}
		r = append(r, int(v))
	}
	return r
}

func (t table) texts(i int) []string {
	p, n := t.vector(i, 4)
	var r []string
	for k := range n {
		q := p + 4*k
		q += int(t.buf.uint(q, 4, "string offset"))
		r = append(r, string(t.buf.bytes(q+4, int(t.buf.uint(q, 4, "string length")), "string")))
	}
	return r
}

// tables calls f for every table of a vector, until a fault.
func (t table) tables(i int, f func(table)) {
	p, n := t.vector(i, 4)
	for k := 0; k < n && t.buf.err == nil; k++ {
		q := p + 4*k
		if e := t.buf.table(q + int(t.buf.uint(q, 4, "table offset"))); t.buf.err == nil {
			f(e)
		}
	}
}
