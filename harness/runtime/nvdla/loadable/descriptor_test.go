package loadable

import (
	"bytes"
	"image"
	"image/jpeg"
	"testing"

	"quantbench/harness/runtime/nvdla/hardware"
)

// counting is a descriptor whose bytes are 0, 1, 2, ...: every field tells where
// it was read.
func counting(n int) desc {
	d := make(desc, n)
	for i := range d {
		d[i] = byte(i)
	}
	return d
}

// at16 is the 16-bit value at an offset of a counting descriptor.
func at16(o int) int { return o | (o+1)<<8 }

func TestConvDescriptor(t *testing.T) {
	c := counting(operationEntry).conv()
	if c.Mode != 0 || c.EntryPerSlice != at16(6) || c.DataFormat != 8 || c.FetchGrain != at16(10) || c.Batch != 20 || c.WeightFormat != 21 ||
		c.DataBank != 22 || c.WeightBank != 23 || c.PostExtension != 28 || c.PixelOverride != 29 || c.InputW != at16(32) || c.InputC != at16(36) ||
		c.KernelW != at16(38) || c.KernelH != at16(40) || c.KernelC != at16(42) || c.MeanFormat != 60 || c.StrideX != 61 || c.StrideY != 62 ||
		c.PadLeft != 63 || c.PadRight != 64 || c.PadTop != 65 || c.PadDown != 66 || c.DilationX != 67 || c.DilationY != 68 ||
		c.InPrecision != 72 || c.OutPrecision != 73 || int(c.PadValue) != at16(74) {
		t.Errorf("%+v", c)
	}
	if v := c.OutCvt; int(v.Scale) != at16(84) || v.Truncate != 86 || !v.Enable || v.Offset != int32(at16(88)|at16(90)<<16) {
		t.Errorf("%+v", v)
	}
	if c.Reserved["mean_ax"] != at16(58) || c.Reserved["pra_truncate"] != 71 {
		t.Errorf("%v", c.Reserved)
	}
}

func TestSDPDescriptor(t *testing.T) {
	s, lut := counting(operationEntry).sdp()
	if lut != at16(2) || s.SrcPrecision != 0 || s.DstPrecision != 1 || int(s.OutCvt.Scale) != at16(4) || s.ConvMode != 12 || s.Batch != 13 {
		t.Errorf("%+v, %d", s, lut)
	}
	for _, c := range []struct {
		s hardware.SDPStage
		o int
	}{{s.X1, 20}, {s.X2, 52}, {s.Y, 84}} {
		o := uint8(c.o)
		if !c.s.Enable || c.s.ALU != o+1 || c.s.Type != o+2 || c.s.Mode != o+3 || c.s.Act != o+4 || c.s.Shift != o+5 || c.s.Truncate != o+6 || uint8(c.s.Precision) != o+7 ||
			c.s.ALUOperand != int32(at16(c.o+8)|at16(c.o+10)<<16) || c.s.MulOperand != int32(at16(c.o+12)|at16(c.o+14)<<16) {
			t.Errorf("stage at %d: %+v", c.o, c.s)
		}
	}
	if s.X1.ALUCvt.Enable || int(s.Y.ALUCvt.Scale) != at16(100) || int(s.Y.MulCvt.Scale) != at16(108) {
		t.Error("operand converters belong to Y alone")
	}
}

func TestOtherDescriptors(t *testing.T) {
	p := counting(operationEntry).pdp()
	if p.Split != 12 || p.Mode != 13 || p.Width != 15 || p.Height != 16 || p.StrideX != 16 || p.StrideY != 17 || p.PadLeft != 18 || p.PadDown != 21 || p.Precision != 22 || p.PadValue[0] != int32(at16(24)|at16(26)<<16) {
		t.Errorf("%+v", p)
	}
	c, lut := counting(operationEntry).cdp()
	if lut != at16(2) || int(c.InCvt.Scale) != at16(4) || int(c.OutCvt.Scale) != at16(12) || c.LocalSize != 20 || !c.BypassSquareSum || !c.BypassMultiply {
		t.Errorf("%+v", c)
	}
	if r := counting(operationEntry).rubik(); r.Mode != 0 || r.Precision != 1 || r.StrideX != 2 || r.StrideY != 3 {
		t.Errorf("%+v", r)
	}
}

func TestLUTDescriptor(t *testing.T) {
	d := make(desc, lutEntry)
	put16(d, 0, -5)
	put16(d, 2*64, 7, -9) // last of LE, first of LO
	put16(d, 642, 11)
	d[644], d[646] = 0xff, 4
	put32(d, 648, 0xfffffff0, 0xffffffff, 1, 0, 2, 0, 3, 0)
	put16(d, 680, -3)
	d[682] = 0xfe
	copy(d[696:], []byte{1, 2, 3, 4})
	l := d.lut()
	if l.LE[0] != -5 || l.LE[64] != 7 || l.LO[0] != -9 || l.LO[256] != 11 || l.LEOffset != -1 || l.LOOffset != 4 ||
		l.LEStart != -16 || l.LEEnd != 1 || l.LOStart != 2 || l.LOEnd != 3 || l.LEUnderflow != (hardware.Slope{Scale: -3, Shift: -2}) ||
		l.HybridPriority != 1 || l.UnderflowPriority != 2 || l.OverflowPriority != 3 || l.Method != 4 {
		t.Errorf("%+v", l)
	}
}

// decoding is a task with one address, memory 0 from byte 16.
func decoding() *dla {
	f := &File{Memory: []Memory{{Size: 64}}, Address: []Address{{Offset: 16}}, memoryAt: map[uint16]int{0: 0}, addrAt: map[uint16]int{0: 0}}
	return &dla{file: f, task: &Task{Addresses: []uint16{0, 9}}, cube: newCube, lut: make([]byte, lutEntry)}
}

func TestDecode(t *testing.T) {
	d := decoding()
	o, s := make(desc, operationEntry), make(desc, surfaceEntry)
	put16(s, 2, 1)
	put32(s, 4+4, 32, 2, 64, 128, 3, 256, 512) // address 0 to address 0
	op := hardware.Operation{Kind: hardware.BDMA}
	if err := d.decode(&op, o, s); err != nil {
		t.Fatal(err)
	}
	if b := op.BDMA.Transfers; len(b) != 1 || b[0].SrcOffset != 16 || b[0].LineSize != 32 || b[0].LineRepeat != 2 || b[0].SurfaceRepeat != 3 || b[0].DstSurface != 512 {
		t.Errorf("%+v", b)
	}
	put16(s, 4, 1)
	if err := d.decode(&op, o, s); err == nil {
		t.Error("an address id that is not in the file")
	}
	put16(s, 4, 0, 7)
	if err := d.decode(&op, o, s); err == nil {
		t.Error("an address index that the task does not have")
	}
	put16(s, 2, 99)
	if err := d.decode(&op, o, s); err == nil {
		t.Error("more transfers than fit")
	}
	clear(s)
	for _, k := range []hardware.Kind{hardware.Conv, hardware.SDP, hardware.CDP, hardware.Rubik} {
		op := hardware.Operation{Kind: k}
		if err := d.decode(&op, o, s); err != nil {
			t.Errorf("%s: %v", k, err)
		}
		if (k == hardware.CDP && op.CDP.LUT == nil) || (k == hardware.SDP && op.SDP.LUT == nil) {
			t.Errorf("%s has lost its look-up table", k)
		}
	}
	put16(o, 2, 5)
	if err := d.decode(&hardware.Operation{Kind: hardware.SDP}, o, s); err == nil {
		t.Error("look-up table beyond its list")
	}
	put16(s, 0, 3)
	if err := d.decode(&hardware.Operation{Kind: hardware.PDP}, o, s); err == nil {
		t.Error("unknown memory type")
	}
}

func TestJPEGInput(t *testing.T) {
	g := image.NewGray(image.Rect(0, 0, 8, 8))
	for i := range g.Pix {
		g.Pix[i] = 255
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, g, nil); err != nil {
		t.Fatal(err)
	}
	p, err := ReadPicture("x.jpg", b.Bytes())
	if err != nil || p.C != 1 || p.W != 8 || p.Pixels[0] != 255 {
		t.Errorf("%+v, %v", p, err)
	}
}
