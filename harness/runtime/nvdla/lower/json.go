package lower

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"quantbench/harness/runtime/nvdla/hardware"
)

// kindNames are the names that the dumps give to operations.
var kindNames = map[hardware.Kind]string{
	hardware.BDMA: "bdma", hardware.Conv: "conv", hardware.SDP: "sdp", hardware.PDP: "pdp", hardware.CDP: "cdp",
	hardware.Rubik: "rubik", hardware.CPUPower: "power", hardware.CPUSoftmax: "softmax",
}

// WriteJSON writes {"operations":[...],"cpu":[...]}: one object an operation of
// the hardware, in order of execution, with the field names of the firmware's
// descriptors; then the tasks of the CPU, such as Softmax, whose order is the
// number of operations before them. A cube's addr is the index of the program's
// region.
func WriteJSON(w io.Writer, p *hardware.Program) error {
	b := bufio.NewWriter(w)
	var engines, tasks []string
	for _, i := range ExecutionOrder(p.Operations) {
		var text strings.Builder
		writeOperation(&text, len(engines), &p.Operations[i])
		if k := p.Operations[i].Kind; k == hardware.CPUPower || k == hardware.CPUSoftmax {
			tasks = append(tasks, text.String())
		} else {
			engines = append(engines, text.String())
		}
	}
	fmt.Fprintf(b, "{\"operations\":[\n%s\n],\n\"cpu\":[\n%s\n]}\n", strings.Join(engines, ",\n"), strings.Join(tasks, ",\n"))
	return b.Flush()
}

// WriteOperation writes one operation as WriteJSON does, with its place in the
// order of execution.
func WriteOperation(w io.Writer, order int, op *hardware.Operation) error {
	b := bufio.NewWriter(w)
	writeOperation(b, order, op)
	return b.Flush()
}

func writeOperation(b io.Writer, order int, op *hardware.Operation) {
	fmt.Fprintf(b, "{\n  \"order\":%d, \"index\":%d, \"op\":%q,\n  \"fused_parent\":%d,\n", order, op.Index, kindNames[op.Kind], op.FusedParent)
	writeCube(b, "src", op.Src)
	writeCube(b, "dst", op.Dst)
	switch op.Kind {
	case hardware.Conv:
		writeCube(b, "weight", op.Weights)
		writeConv(b, op.Conv, op.Dst)
	case hardware.SDP:
		writeCube(b, "x1", op.X1)
		writeCube(b, "x2", op.X2)
		writeCube(b, "y", op.Y)
		writeSDP(b, op.SDP)
	case hardware.PDP:
		writePDP(b, op.PDP)
	case hardware.CDP:
		writeCDP(b, op.CDP)
	case hardware.Rubik:
		fmt.Fprintf(b, "  \"mode\":%d,\"precision\":%d,\"stride\":[%d,%d]\n", op.Rubik.Mode, op.Rubik.Precision, op.Rubik.StrideX, op.Rubik.StrideY)
	case hardware.BDMA:
		writeBDMA(b, op.BDMA)
	case hardware.CPUSoftmax:
		fmt.Fprintf(b, "  \"in_scale\":%g,\"out_scale\":%g\n", op.Softmax.InScale, op.Softmax.OutScale)
	case hardware.CPUPower:
		d := op.Power
		fmt.Fprintf(b, "  \"in_scale\":%g,\"out_scale\":%g,\"power\":%g,\"scale\":%g,\"shift\":%g\n", d.InScale, d.OutScale, d.Power, d.Scale, d.Shift)
	}
	fmt.Fprint(b, "}")
}

func writeCube(b io.Writer, name string, c hardware.Cube) {
	addr := c.Region
	switch {
	case c.Kind == hardware.CubeOnTheFly:
		addr = -1
	case addr < 0:
		addr = 0 // a cube that is not used is all zeros in the descriptor
	}
	fmt.Fprintf(b, "  %q: {\"type\":%d,\"addr\":%d,\"offset\":%d,\"size\":%d,\"w\":%d,\"h\":%d,\"c\":%d,\"line\":%d,\"surf\":%d},\n",
		name, c.Kind, addr, c.Offset, c.Size, c.W, c.H, c.C, c.LineStride, c.SurfStride)
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

func writeConverter(b io.Writer, name string, c hardware.Converter) {
	fmt.Fprintf(b, "  %q: {\"scale\":%d,\"truncate\":%d,\"enable\":%d,\"offset\":%d},\n", name, c.Scale, c.Truncate, bit(c.Enable), c.Offset)
}

func writeConv(b io.Writer, d *hardware.ConvDesc, dst hardware.Cube) {
	writeConverter(b, "in_cvt", d.InCvt)
	writeConverter(b, "out_cvt", d.OutCvt)
	r := d.Reserved
	fmt.Fprintf(b, "  \"conv_mode\":%d,\"data_reuse\":%d,\"weight_reuse\":%d,\"skip_data_rls\":%d,\"skip_weight_rls\":%d,\"entry_per_slice\":%d,\"data_format\":%d,\"pixel_mapping\":%d,\"fetch_grain\":%d,\"batch\":%d,\"weight_format\":%d,\"data_bank\":%d,\"weight_bank\":%d,\"batch_stride\":%d,\"post_extension\":%d,\"pixel_override\":%d,\"release\":%d,\n",
		d.Mode, r["data_reuse"], r["weight_reuse"], r["skip_data_rls"], r["skip_weight_rls"], d.EntryPerSlice, d.DataFormat, r["pixel_mapping"], d.FetchGrain, d.Batch, d.WeightFormat, d.DataBank, d.WeightBank, r["batch_stride"], d.PostExtension, d.PixelOverride, d.Release)
	fmt.Fprintf(b, "  \"input_csc\":[%d,%d,%d],\"kernel_csc\":[%d,%d,%d],\"input_cmac\":[%d,%d,0],\"bytes_per_kernel\":%d,\"mean\":[0,0,0,0],\"mean_format\":0,\"stride\":[%d,%d],\"pad_xl_xr_yt_yb\":[%d,%d,%d,%d],\"dilation\":[%d,%d],\"pra_truncate\":0,\"in_precision\":%d,\"out_precision\":%d,\"pad_val\":%d\n",
		d.InputW, d.InputH, d.InputC, d.KernelW, d.KernelH, d.KernelC, dst.W, dst.H, d.BytesPerKernel, d.StrideX, d.StrideY,
		d.PadLeft, d.PadRight, d.PadTop, d.PadDown, d.DilationX, d.DilationY, d.InPrecision, d.OutPrecision, d.PadValue)
}

func writeSDP(b io.Writer, d *hardware.SDPDesc) {
	writeConverter(b, "out_cvt", d.OutCvt)
	writeStage(b, "x1_op", d.X1)
	writeStage(b, "x2_op", d.X2)
	writeStage(b, "y_op", d.Y)
	fmt.Fprintf(b, "  \"src_precision\":%d,\"dst_precision\":%d,\"lut_index\":%d,\"conv_mode\":%d,\"batch_num\":%d\n", d.SrcPrecision, d.DstPrecision, lutIndex(d.LUT), d.ConvMode, d.Batch)
}

func writeStage(b io.Writer, name string, s hardware.SDPStage) {
	fmt.Fprintf(b, "  %q: {\"enable\":%d,\"alu_type\":%d,\"type\":%d,\"mode\":%d,\"act\":%d,\"shift\":%d,\"truncate\":%d,\"precision\":%d,\"alu_operand\":%d,\"mul_operand\":%d,\"alu_cvt\":%s,\"mul_cvt\":%s},\n",
		name, bit(s.Enable), s.ALU, s.Type, s.Mode, s.Act, s.Shift, s.Truncate, s.Precision, s.ALUOperand, s.MulOperand, operandConverter(s.ALUCvt), operandConverter(s.MulCvt))
}

// lutIndex is -1 without a look-up table.
func lutIndex(l *hardware.LUT) int {
	if l == nil {
		return -1
	}
	return 0
}

// operandConverter is scale, truncate, enable, offset.
func operandConverter(c hardware.Converter) string {
	return fmt.Sprintf("[%d,%d,%d,%d]", c.Scale, c.Truncate, bit(c.Enable), c.Offset)
}

func writeCDP(b io.Writer, d *hardware.CDPDesc) {
	writeConverter(b, "in_cvt", d.InCvt)
	writeConverter(b, "out_cvt", d.OutCvt)
	fmt.Fprintf(b, "  \"in_precision\":%d,\"out_precision\":%d,\"lut_index\":%d,\"local_size\":%d,\"bypass_sqsum\":%d,\"bypass_out_mul\":%d\n",
		d.InPrecision, d.OutPrecision, d.LUTIndex, d.LocalSize, bit(d.BypassSquareSum), bit(d.BypassMultiply))
}

// writeBDMA writes a list of copies; addresses are indices of regions.
func writeBDMA(b io.Writer, d *hardware.BDMADesc) {
	var list []string
	for _, t := range d.Transfers {
		list = append(list, fmt.Sprintf("{\"src\":%d,\"src_offset\":%d,\"dst\":%d,\"dst_offset\":%d,\"line_size\":%d,\"line_repeat\":%d,\"src_line\":%d,\"dst_line\":%d,\"surface_repeat\":%d,\"src_surface\":%d,\"dst_surface\":%d}",
			t.SrcRegion, t.SrcOffset, t.DstRegion, t.DstOffset, t.LineSize, t.LineRepeat, t.SrcLine, t.DstLine, t.SurfaceRepeat, t.SrcSurface, t.DstSurface))
	}
	fmt.Fprintf(b, "  \"transfers\":[%s]\n", strings.Join(list, ","))
}

func writePDP(b io.Writer, d *hardware.PDPDesc) {
	fmt.Fprintf(b, "  \"partial_in\":%s,\"partial_out\":%s,\"split_num\":%d,\"pool_mode\":%d,\"pool_w\":%d,\"pool_h\":%d,\"stride\":[%d,%d],\"pad_l_r_t_b\":[%d,%d,%d,%d],\"precision\":%d,\"padding_value\":%s\n",
		list(d.PartialIn[:]), list(d.PartialOut[:]),
		d.Split, d.Mode, d.Width-1, d.Height-1, d.StrideX, d.StrideY, d.PadLeft, d.PadRight, d.PadTop, d.PadDown, d.Precision, list(d.PadValue[:]))
}

// list is a JSON list of integers.
func list[T int | int32](values []T) string {
	return strings.ReplaceAll(fmt.Sprint(values), " ", ",")
}
