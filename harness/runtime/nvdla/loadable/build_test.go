package loadable

import (
	"encoding/binary"
	"testing"
)

// The tests build small loadables of their own with this writer of flatbuffers:
// every table is written before what it refers to, offsets are patched later.

// builder writes a flatbuffer from front to back.
type builder struct{ b []byte }

// fieldValue is one field of a table: raw bytes, or a reference.
type fieldValue struct {
	raw []byte
	ref func(*builder) int // writes the thing, returns its position
}

func u8v(v uint8) fieldValue   { return fieldValue{raw: []byte{v}} }
func u16v(v uint16) fieldValue { return fieldValue{raw: binary.LittleEndian.AppendUint16(nil, v)} }
func u32v(v uint32) fieldValue { return fieldValue{raw: binary.LittleEndian.AppendUint32(nil, v)} }
func u64v(v uint64) fieldValue { return fieldValue{raw: binary.LittleEndian.AppendUint64(nil, v)} }
func version(v Version) fieldValue {
	return fieldValue{raw: v[:]}
}

// vectorOf writes n elements that are already encoded.
func vectorOf(n int, data []byte) fieldValue {
	return fieldValue{ref: func(b *builder) int {
		at := len(b.b)
		b.b = binary.LittleEndian.AppendUint32(b.b, uint32(n))
		b.b = append(b.b, data...)
		return at
	}}
}

func text(s string) fieldValue { return vectorOf(len(s), []byte(s)) }

func u16list(v ...uint16) fieldValue {
	var d []byte
	for _, e := range v {
		d = binary.LittleEndian.AppendUint16(d, e)
	}
	return vectorOf(len(v), d)
}

func u64list(v ...uint64) fieldValue {
	var d []byte
	for _, e := range v {
		d = binary.LittleEndian.AppendUint64(d, e)
	}
	return vectorOf(len(v), d)
}

// refs is a vector of references.
func refs(list ...fieldValue) fieldValue {
	return fieldValue{ref: func(b *builder) int {
		at := len(b.b)
		b.b = binary.LittleEndian.AppendUint32(b.b, uint32(len(list)))
		b.b = append(b.b, make([]byte, 4*len(list))...)
		for i, f := range list {
			b.patch(at+4+4*i, f.ref(b))
		}
		return at
	}}
}

// tableOf is a table; nil fields are absent.
func tableOf(fields ...*fieldValue) fieldValue {
	return fieldValue{ref: func(b *builder) int {
		vt := len(b.b)
		b.b = append(b.b, make([]byte, 4+2*len(fields))...)
		binary.LittleEndian.PutUint16(b.b[vt:], uint16(4+2*len(fields)))
		at := len(b.b)
		b.b = binary.LittleEndian.AppendUint32(b.b, uint32(at-vt))
		var later []func()
		for i, f := range fields {
			if f == nil {
				continue
			}
			pos := len(b.b)
			binary.LittleEndian.PutUint16(b.b[vt+4+2*i:], uint16(pos-at))
			if f.ref == nil {
				b.b = append(b.b, f.raw...)
				continue
			}
			b.b = append(b.b, 0, 0, 0, 0)
			later = append(later, func() { b.patch(pos, f.ref(b)) })
		}
		for _, f := range later {
			f()
		}
		return at
	}}
}

func (b *builder) patch(at, target int) {
	binary.LittleEndian.PutUint32(b.b[at:], uint32(target-at))
}

func fields(f ...fieldValue) []*fieldValue {
	var r []*fieldValue
	for i := range f {
		r = append(r, &f[i])
	}
	return r
}

// sample describes the loadable that the tests vary: a 2x2 max pooling of one
// channel, then softmax on the CPU.
type sample struct {
	version Version // of the firmware interface
	engine  uint8   // 3 is PDP
	mode    uint8   // of the pooling
	size    uint64  // of the input memory
	emuOld  bool
	format  uint16 // of the CPU's buffers
	flags   uint16 // of the output memory
}

func plainSample() sample {
	return sample{version: Version{0, 12, 3}, engine: 3, mode: 1, size: 256, flags: FlagAlloc | FlagOutput}
}

// put16 and put32 set fields of a descriptor.
func put16(b []byte, at int, v ...int) {
	for i, e := range v {
		binary.LittleEndian.PutUint16(b[at+2*i:], uint16(e))
	}
}

func put32(b []byte, at int, v ...uint32) {
	for i, e := range v {
		binary.LittleEndian.PutUint32(b[at+4*i:], e)
	}
}

// putCube encodes a data cube in memory.
func putCube(b []byte, old bool, address, size, w, h, c, line, surf int) {
	put16(b, 2, address)
	at := 4
	if !old {
		at = 8
	}
	put32(b, at, uint32(size))
	put16(b, at+4, w, h, c)
	put32(b, at+12, uint32(line), uint32(surf))
}

// descriptors makes the lists of the pooling task and of the CPU task.
func (s sample) descriptors() map[string][]byte {
	net := make([]byte, networkDesc)
	put16(net, 0, 4, 5, 3, -1)
	put16(net, 30, 1)
	graph := make([]byte, graphEntry)
	graph[3] = s.engine
	put16(graph, 32, -1)
	op := make([]byte, operationEntry)
	copy(op[13:], []byte{s.mode, 1, 1, 2, 2})
	surf := make([]byte, surfaceEntry)
	old := s.version[1] <= 11
	width := newCube
	if old {
		width = oldCube
	}
	putCube(surf, old, 1, 256, 4, 2, 1, 128, 256)
	putCube(surf[width:], old, 2, 64, 2, 1, 1, 64, 64)
	emu := make([]byte, 6)
	put16(emu, 0, 1, 2, 1)
	return map[string][]byte{"net": net, "graph": graph, "op": op, "surf": surf, "emu": emu, "emuop": s.emuOp(), "emubuf": s.emuBuffers()}
}

func (s sample) emuOp() []byte {
	if s.emuOld {
		return append([]byte{1, 1}, make([]byte, emuOldOperation-2)...)
	}
	op := make([]byte, emuOperation)
	op[0] = 1
	put32(op, 4, 0x3f800000, 0x3c000000) // 1 and 1/128
	return op
}

func (s sample) emuBuffers() []byte {
	b := make([]byte, emuBuffers)
	for i, address := range []int{3, 4} {
		at := i * emuBuffer
		put16(b, at, address)
		at += 2
		if !s.emuOld {
			at += 4
		}
		put32(b, at, 64)
		put16(b, at+4, int(s.format), 1, 1, 2)
		put32(b, at+12, 32, 32)
	}
	return b
}

// file builds the loadable.
func (s sample) file() []byte {
	blobs := s.descriptors()
	names := []string{"net", "graph", "op", "surf", "emu", "emuop", "emubuf"}
	memory := []fieldValue{
		tableOf(fields(u16v(0), u8v(0), u16v(FlagAlloc|FlagInput), u64v(s.size), u32v(4096), refs(), u64list(), u16v(0), u16v(0))...),
		tableOf(fields(u16v(1), u8v(0), u16v(FlagAlloc), u64v(64), u32v(4096))...),
		tableOf(fields(u16v(2), u8v(0), u16v(s.flags), u64v(64), u32v(4096), refs(), u64list(), u16v(0), u16v(1))...),
	}
	address := []fieldValue{}
	var blobTables []fieldValue
	for i, n := range names {
		memory = append(memory, tableOf(fields(u16v(uint16(3+i)), u8v(0), u16v(FlagAlloc|FlagSet), u64v(uint64(len(blobs[n]))), u32v(4096), refs(text(n)), u64list(0))...))
		blobTables = append(blobTables, tableOf(fields(text(n), u64v(uint64(len(blobs[n]))), u32v(1), u32v(1), version(s.version), vectorOf(len(blobs[n]), blobs[n]))...))
	}
	for i := range memory {
		address = append(address, tableOf(fields(u16v(uint16(i)), u16v(uint16(i)), u64v(0), u64v(0))...))
	}
	tasks := refs(
		tableOf(fields(u16v(0), u32v(InterfaceDLA), u16v(0), u16list(3, 0, 1, 4, 5, 6))...),
		tableOf(fields(u16v(1), u32v(InterfaceEMU), u16v(0), u16list(7, 8, 9, 1, 2))...),
	)
	tensor := func(name string, id, mem uint16, c, h, w, line, surf uint32) fieldValue {
		return tableOf(fields(text(name), u16v(id), u16v(mem), u64v(64), u64v(0), u8v(3), u8v(typeInt8), u8v(2), u8v(36), u8v(0),
			u32v(1), u32v(c), u32v(h), u32v(w), u32v(1), u32v(line), u32v(surf))...)
	}
	tensors := refs(tensor("data", 0, 0, 1, 2, 4, 128, 256), tensor("prob", 1, 2, 2, 1, 1, 32, 32))
	submits := refs(tableOf(fields(u16v(0), u16list(0, 1))...))
	root := tableOf(fields(version(Version{0, 7, 0}), tasks, refs(memory...), refs(address...), refs(), refs(blobTables...), tensors, refs(), submits)...)
	b := &builder{b: make([]byte, 4)}
	b.patch(0, root.ref(b))
	return b.b
}

func TestBuilder(t *testing.T) {
	f, err := Parse("x", plainSample().file())
	if err != nil {
		t.Fatal(err)
	}
	if f.Version != (Version{0, 7, 0}) || f.Version.String() != "0.7.0" || len(f.Memory) != 10 || len(f.Blobs) != 7 || f.Tensors[1].Name != "prob" || f.Tensors[0].Stride[1] != 128 {
		t.Errorf("%+v", f)
	}
	if v := f.InterfaceVersions(); len(v) != 1 || v[0] != (Version{0, 12, 3}) {
		t.Errorf("versions %v", v)
	}
}
