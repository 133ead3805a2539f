package inspect

import (
	"fmt"
	"strings"

	"quantbench/harness/runtime/nvdla/hardware"
)

// Row describes one operation in words.
type Row struct {
	Position  int
	Kind      string
	Layer     string // empty if unknown
	In, Out   string // channels x lines x columns
	Precision string
	What      string // window, stride, padding; stages
	Rescale   string // what the output converter does
	Memory    string // where it reads and writes, constants
}

// Rows describes a program's operations in their order.
func Rows(p *hardware.Program) []Row {
	rows := make([]Row, len(p.Operations))
	for i := range p.Operations {
		op := &p.Operations[i]
		rows[i] = Row{Position: i, Kind: op.Kind.String(), Layer: op.Layer, In: size(op.Src), Out: size(op.Dst), Memory: memory(op)}
		describe(&rows[i], op)
	}
	return rows
}

func describe(r *Row, op *hardware.Operation) {
	switch op.Kind {
	case hardware.Conv:
		d := op.Conv
		r.Precision, r.What = change(d.InPrecision, d.OutPrecision), conv(d)
		r.Rescale = converter(d.OutCvt)
	case hardware.SDP:
		d := op.SDP
		r.Precision, r.Rescale = change(d.SrcPrecision, d.DstPrecision), converter(d.OutCvt)
		r.What = stages(d)
	case hardware.PDP:
		d := op.PDP
		r.Precision = d.Precision.String()
		r.What = fmt.Sprintf("%s %dx%d stride %dx%d%s", pool(d.Mode), d.Height, d.Width, d.StrideY, d.StrideX, padding(d.PadTop, d.PadDown, d.PadLeft, d.PadRight))
	case hardware.CDP:
		d := op.CDP
		r.Precision, r.Rescale = change(d.InPrecision, d.OutPrecision), converter(d.OutCvt)
		r.What = fmt.Sprintf("table over %d channels", d.LocalSize)
	case hardware.Rubik:
		r.Precision = op.Rubik.Precision.String()
		r.What = name([]string{"contract", "split", "merge"}, op.Rubik.Mode)
	case hardware.BDMA:
		r.What = fmt.Sprintf("%d copies", len(op.BDMA.Transfers))
	case hardware.CPUSoftmax:
		r.Precision, r.Rescale = op.Softmax.Precision.String(), fmt.Sprintf("in %.6g, out %.6g", op.Softmax.InScale, op.Softmax.OutScale)
	case hardware.CPUPower:
		d := op.Power
		r.Precision, r.Rescale = d.Precision.String(), fmt.Sprintf("in %.6g, out %.6g", d.InScale, d.OutScale)
		r.What = fmt.Sprintf("(%g + %g*x)^%g", d.Shift, d.Scale, d.Power)
	}
}

func size(q hardware.Cube) string {
	if q.W == 0 {
		return ""
	}
	return fmt.Sprintf("%dx%dx%d", q.C, q.H, q.W)
}

func change(from, to hardware.Precision) string {
	if from == to {
		return from.String()
	}
	return from.String() + " to " + to.String()
}

// converter says what an output converter does: nothing, or *scale>>shift.
func converter(c hardware.Converter) string {
	if c.Scale == 1 && c.Truncate == 0 && c.Offset == 0 {
		return ""
	}
	s := fmt.Sprintf("*%d>>%d", c.Scale, c.Truncate)
	if c.Offset != 0 {
		s = fmt.Sprintf("(x-%d)%s", c.Offset, s)
	}
	return s
}

func conv(d *hardware.ConvDesc) string {
	s := fmt.Sprintf("%dx%d stride %dx%d%s", d.KernelH, d.KernelW, d.StrideY, d.StrideX, padding(d.PadTop, d.PadDown, d.PadLeft, d.PadRight))
	if d.DilationX > 1 || d.DilationY > 1 {
		s += fmt.Sprintf(" dilation %dx%d", d.DilationY, d.DilationX)
	}
	if d.Mode != 0 {
		s += " winograd"
	}
	if !hardware.IsFeature(d.DataFormat) {
		s += fmt.Sprintf(" image format %d, %d lines together", d.DataFormat, hardware.PostExtensionLines(d.PostExtension))
	}
	return s
}

// padding is empty without any.
func padding(top, down, left, right int) string {
	if top == 0 && down == 0 && left == 0 && right == 0 {
		return ""
	}
	if top == down && left == right && top == left {
		return fmt.Sprintf(" pad %d", top)
	}
	return fmt.Sprintf(" pad %d,%d,%d,%d", top, down, left, right)
}

func pool(mode uint8) string { return name([]string{"average", "max", "min"}, mode) }

func name(list []string, i uint8) string {
	if int(i) < len(list) {
		return list[i]
	}
	return fmt.Sprintf("mode %d", i)
}

func stages(d *hardware.SDPDesc) string {
	var list []string
	for i, s := range []*hardware.SDPStage{&d.X1, &d.X2, &d.Y} {
		if s.Enable {
			list = append(list, [...]string{"x1", "x2", "y"}[i]+" "+stage(s))
		}
	}
	return strings.Join(list, "; ")
}

// stage is one SDP stage: what it does with which operands, its shifts and its
// activation.
func stage(s *hardware.SDPStage) string {
	var parts []string
	if s.Type == hardware.SDPAdd || s.Type == hardware.SDPBoth {
		parts = append(parts, name([]string{"max", "min", "add", "equal"}, s.ALU))
	}
	if s.Type == hardware.SDPMul || s.Type == hardware.SDPBoth {
		parts = append(parts, "mul")
	}
	text := strings.Join(parts, "+")
	if text != "" {
		text += "/" + name([]string{"layer", "channel", "point"}, s.Mode) + " " + s.Precision.String()
	}
	if s.Mode == hardware.PerLayer && s.Type != hardware.SDPNone {
		text += fmt.Sprintf(" (%d, %d)", s.ALUOperand, s.MulOperand)
	}
	if s.Shift > 0 {
		text += fmt.Sprintf(" <<%d", s.Shift)
	}
	if s.Truncate > 0 {
		text += fmt.Sprintf(" >>%d", s.Truncate)
	}
	if s.Act != hardware.ActNone {
		text += " " + name([]string{"", "relu", "lut", "prelu"}, s.Act)
	}
	return strings.TrimSpace(text)
}

// memory says where an operation reads and writes: region+offset, then the
// constants' bytes.
func memory(op *hardware.Operation) string {
	if op.Kind == hardware.BDMA {
		return ""
	}
	s := place(op.Src) + " to " + place(op.Dst)
	for _, q := range []hardware.Cube{op.Weights, op.X1, op.X2, op.Y} {
		if q.Size > 0 && q.Region >= 0 && q.Kind != hardware.CubeOnTheFly {
			s += fmt.Sprintf(", %d bytes at %s", q.Size, place(q))
		}
	}
	return s
}

func place(q hardware.Cube) string {
	if q.Kind == hardware.CubeOnTheFly {
		return "stream"
	}
	return fmt.Sprintf("%d+%d", q.Region, q.Offset)
}
