package compute

import (
	"unsafe"

	"quantbench/harness/compute/kernel"
)

// Type is the type of a tensor's elements.
type Type uint8

// The element types. Int32 tensors are the raw sums of an int8 convolution and
// can only be read out.
const (
	Float32 Type = iota
	Int8
	Int32
)

// Tensor names a tensor of one Builder and of the Program it made. The zero
// Tensor is none.
type Tensor int

// tensor is a tensor's geometry and, once the program is built, its place in a
// worker's arena.
type tensor struct {
	kind    Type
	c, h, w int
	// The halo: rows above and below, columns left and right.
	top, bottom, left, right int
	// taps: an int8 tensor of one channel whose element at x holds the four
	// values at x..x+3, so that a convolution consumes four taps a step.
	taps   bool
	kept   bool
	copies bool // a buffer for every group of 16 pictures
	writer int  // index of the operation that writes it
	reader int  // index of the last operation that reads it
	offset int  // bytes from the arena's start
	stride int  // bytes from one group's buffer to the next; 0 for one buffer
}

// planes is the number of vectors a pixel: channels, rounded up to whole blocks.
func (t *tensor) planes() int {
	blocks := (t.c + kernel.Block - 1) / kernel.Block
	if t.kind == Int8 {
		return blocks
	}
	return blocks * kernel.Block
}

func (t *tensor) rowBytes() int   { return (t.left + t.w + t.right) * kernel.VectorBytes }
func (t *tensor) planeBytes() int { return (t.top + t.h + t.bottom) * t.rowBytes() }
func (t *tensor) size() int       { return t.planes() * t.planeBytes() }

// at is the position of the vector (plane, y, x) in the tensor's buffer, in
// bytes; y and x may lie in the halo.
func (t *tensor) at(plane, y, x int) int {
	return plane*t.planeBytes() + (y+t.top)*t.rowBytes() + (x+t.left)*kernel.VectorBytes
}

// widen makes the halo at least so wide.
func (t *tensor) widen(top, bottom, left, right int) {
	t.top, t.bottom = max(t.top, top), max(t.bottom, bottom)
	t.left, t.right = max(t.left, left), max(t.right, right)
}

// zero is the element that stands for 0.
func (t *tensor) zero() uint32 {
	if t.kind == Int8 {
		return 0x80808080
	}
	return 0
}

// row is row y of a plane of group g, without the halo, as 4-byte elements.
func row[T float32 | uint32 | int32](w *Worker, t *tensor, g, plane, y int) []T {
	return unsafe.Slice((*T)(w.pointer(t, g, t.at(plane, y, 0))), t.w*kernel.Lanes)
}

// rowWithHalo is row y of plane 0 of group g with its halo.
func rowWithHalo(w *Worker, t *tensor, g, y int) []uint32 {
	n := (t.left + t.w + t.right) * kernel.Lanes
	return unsafe.Slice((*uint32)(w.pointer(t, g, t.at(0, y, -t.left))), n)
}
