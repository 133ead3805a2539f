package loadable

import (
	"fmt"

	"quantbench/harness/runtime/nvdla/hardware"
)

// Layouts of the emulator's lists (emu_interface.h). Files of interface 0.11
// have operations without scale factors and buffers without an offset.
const (
	emuOperation    = 24
	emuOldOperation = 16
	emuBuffers      = 512 // source and destination, 256 bytes each
	emuBuffer       = 256
	emuPower        = 0
	emuSoftmax      = 1
)

// Formats of the emulator's buffers (EMUInterface.h).
const (
	emuInt8x32 = 0
	emuInt8x8  = 1
	emuInt16   = 2
	emuFP16    = 3
)

func (f *File) emuTask(p *hardware.Program, t *Task) error {
	raw, _, err := f.list(t, 0, "network descriptor")
	if err != nil {
		return err
	}
	net, err := entry(raw, 0, 6, "network descriptor")
	if err != nil {
		return err
	}
	ops, _, err := f.list(t, net.i16(0), "operation list")
	if err != nil {
		return err
	}
	buffers, _, err := f.list(t, net.i16(2), "buffer list")
	if err != nil {
		return err
	}
	n := net.u16(4)
	size := emuOperation
	if len(ops) < n*emuOperation {
		size = emuOldOperation
	}
	for i := range n {
		o, err := entry(ops, i, size, "operation")
		if err != nil {
			return err
		}
		b, err := entry(buffers, i, emuBuffers, "buffer pair")
		if err != nil {
			return err
		}
		op, err := f.emuOperation(t, o, b, size == emuOldOperation)
		if err != nil {
			return fmt.Errorf("operation %d: %w", i, err)
		}
		op.Index = i
		p.Operations = append(p.Operations, op)
	}
	return nil
}

// emuOperation decodes one operation with its buffers.
func (f *File) emuOperation(t *Task, o, b desc, old bool) (hardware.Operation, error) {
	op := hardware.Operation{FusedParent: -1, Weights: none, X1: none, X2: none, Y: none}
	in, out, at := float32(0), float32(0), 4
	if !old {
		in, out, at = o.f32(4), o.f32(8), 12
	}
	src, precision, err := f.emuBuffer(t, b[:emuBuffer], old)
	if err != nil {
		return op, fmt.Errorf("source: %w", err)
	}
	dst, _, err := f.emuBuffer(t, b[emuBuffer:], old)
	if err != nil {
		return op, fmt.Errorf("destination: %w", err)
	}
	op.Src, op.Dst = src, dst
	switch o.u8(0) {
	case emuPower:
		op.Kind = hardware.CPUPower
		op.Power = &hardware.PowerDesc{InScale: in, OutScale: out, Power: o.f32(at), Scale: o.f32(at + 4), Precision: precision}
		if !old || at+12 <= len(o) {
			op.Power.Shift = o.f32(at + 8)
		}
	case emuSoftmax:
		op.Kind = hardware.CPUSoftmax
		op.Softmax = &hardware.SoftmaxDesc{InScale: in, OutScale: out, Precision: precision}
	default:
		return op, fmt.Errorf("CPU operation %d is unknown", o.u8(0))
	}
	return op, nil
}

// emuBuffer decodes one buffer.
func (f *File) emuBuffer(t *Task, b desc, old bool) (hardware.Cube, hardware.Precision, error) {
	region, base, err := f.place(t, b.i16(0))
	if err != nil {
		return none, 0, err
	}
	offset, o := 0, 2
	if !old {
		offset, o = b.u32(2), 6
	}
	q := hardware.Cube{
		Region: region, Offset: base + offset, Size: b.u32(o),
		W: b.u16(o + 6), H: b.u16(o + 8), C: b.u16(o + 10),
		LineStride: b.u32(o + 12), SurfStride: b.u32(o + 16),
	}
	format := b.u16(o + 4)
	if old && format > emuInt8x32 {
		format++ // int8 x8 came later and moved the others up
	}
	switch format {
	case emuInt8x32, emuInt8x8:
		return q, hardware.Int8, nil
	case emuInt16:
		return q, hardware.Int16, nil
	case emuFP16:
		return q, hardware.FP16, nil
	default:
		return q, 0, fmt.Errorf("buffer format %d is unknown", format)
	}
}
