package simulate

import (
	"fmt"

	"quantbench/harness/runtime/nvdla/hardware"
)

// RefusedError says that an operation cannot run on the target.
type RefusedError struct {
	Position int // in Program.Operations
	Kind     hardware.Kind
	Target   string
	Reason   string
	// Driver is true if the kernel driver refuses the operation itself; otherwise
	// only this simulator does.
	Driver bool
}

func (e *RefusedError) Error() string {
	who := "the simulator does not run it"
	if e.Driver {
		who = "the driver refuses it"
	}
	return fmt.Sprintf("operation %d (%s) on %s: %s; %s", e.Position, e.Kind, e.Target, e.Reason, who)
}

// maxCube is the largest extent of a cube (DCUBE_MAX_* in kmd/firmware).
const maxCube = 8192

// maxSplit is the largest split_num of PDP (MAX_SPLIT_NUM in kmd/firmware).
const maxSplit = 64

// Check says whether every operation may run on the program's target; the
// error is a *RefusedError for the first that may not. Driver refusals are those
// of nvdla/sw kmd/firmware.
func Check(p *hardware.Program) error {
	for i := range p.Operations {
		op := &p.Operations[i]
		if !complete(op) {
			return fmt.Errorf("operation %d (%s) has no descriptor", i, op.Kind)
		}
		if reason, driver := refusal(p.Target, op); reason != "" {
			return &RefusedError{Position: i, Kind: op.Kind, Target: p.Target.Name, Reason: reason, Driver: driver}
		}
	}
	return nil
}

// complete tells whether the descriptor that Kind names is there.
func complete(op *hardware.Operation) bool {
	switch op.Kind {
	case hardware.BDMA:
		return op.BDMA != nil
	case hardware.Conv:
		return op.Conv != nil
	case hardware.SDP:
		return op.SDP != nil
	case hardware.PDP:
		return op.PDP != nil
	case hardware.CDP:
		return op.CDP != nil && op.CDP.LUT != nil
	case hardware.Rubik:
		return op.Rubik != nil
	case hardware.CPUPower:
		return op.Power != nil
	case hardware.CPUSoftmax:
		return op.Softmax != nil
	}
	return false
}

// refusal is the reason why an operation cannot run, and whether it is the
// driver's.
func refusal(t hardware.Target, op *hardware.Operation) (reason string, driver bool) {
	switch op.Kind {
	case hardware.BDMA:
		return refuseBDMA(t, op.BDMA)
	case hardware.Rubik:
		if !t.Rubik {
			return "RUBIK is not supported for this configuration", true
		}
		return precision(t, op.Rubik.Precision)
	case hardware.Conv:
		return refuseConv(t, op)
	case hardware.SDP:
		return refuseSDP(t, op)
	case hardware.PDP:
		return refusePDP(t, op)
	case hardware.CDP:
		return refuseCDP(t, op)
	case hardware.CPUPower:
		return cpuPrecision(op.Power.Precision)
	case hardware.CPUSoftmax:
		return cpuPrecision(op.Softmax.Precision)
	}
	return "", false
}

func precision(t hardware.Target, list ...hardware.Precision) (string, bool) {
	for _, p := range list {
		switch {
		case p == hardware.FP16:
			return "precision fp16 is not simulated, only int8 and int16 are", false
		case p == hardware.Int16 && !t.Int16:
			return "precision int16 is not supported for this configuration", false
		case p > hardware.FP16:
			return fmt.Sprintf("Invalid precision: %d", p), true
		}
	}
	return "", false
}

// cpuPrecision: the emulator itself knows int8 and fp16 only.
func cpuPrecision(p hardware.Precision) (string, bool) {
	if p == hardware.Int8 {
		return "", false
	}
	return "CPU task in " + p.String() + " is not simulated, only int8 is", false
}

func refuseBDMA(t hardware.Target, d *hardware.BDMADesc) (string, bool) {
	if !t.BDMA {
		return "BDMA is not supported for this configuration", true
	}
	if len(d.Transfers) == 0 {
		return "Invalid number of transfers", true
	}
	return "", false
}

func refuseConv(t hardware.Target, op *hardware.Operation) (string, bool) {
	d := op.Conv
	if r, driver := precision(t, d.InPrecision, d.OutPrecision); r != "" {
		return r, driver
	}
	switch {
	case d.Mode != 0:
		return "Winograd convolution is not simulated", false
	case d.WeightFormat != 0:
		return "compressed weights are not simulated", false
	case d.Batch > 1:
		return "multi-batch convolution is not simulated", false
	case d.MeanFormat != 0:
		return "mean subtraction in the convolution's input is not simulated", false
	case !hardware.IsFeature(d.DataFormat) && hardware.PixelBytes(d.DataFormat) == 0:
		return fmt.Sprintf("pixel format %d is not simulated, only R8 (0) and A8B8G8R8 (12) are", d.DataFormat), false
	case !hardware.IsFeature(d.DataFormat) && d.InPrecision != hardware.Int8:
		return "pictures of other precisions than int8 are not simulated", false
	case op.Dst.Kind != hardware.CubeOnTheFly:
		return "a convolution that does not stream into SDP is not possible", false
	}
	return "", false
}

func refuseSDP(t hardware.Target, op *hardware.Operation) (string, bool) {
	d := op.SDP
	if r, driver := precision(t, d.SrcPrecision, d.DstPrecision); r != "" {
		return r, driver
	}
	for _, s := range []*hardware.SDPStage{&d.X1, &d.X2, &d.Y} {
		if !s.Enable {
			continue
		}
		if s.Precision > hardware.Int16 {
			return "operands that are neither int8 nor int16 are not simulated", false
		}
		if s.Mode > hardware.PerPoint || s.Type > hardware.SDPBoth || s.ALU > hardware.ALUEqual {
			return fmt.Sprintf("Invalid SDP operation: mode %d, type %d, alu %d", s.Mode, s.Type, s.ALU), false
		}
	}
	equal := func(s *hardware.SDPStage) bool {
		return s.Enable && s.ALU == hardware.ALUEqual && (s.Type == hardware.SDPAdd || s.Type == hardware.SDPBoth)
	}
	lut := func(s *hardware.SDPStage) bool { return s.Enable && s.Act == hardware.ActLUT }
	switch {
	case d.Y.Enable && !t.SDPY:
		return "this configuration has no SDP Y stage", false
	case equal(&d.X1) || equal(&d.X2):
		return "comparison for equality is possible in the Y stage only", false
	case lut(&d.X1) || lut(&d.X2):
		return "look-up tables are possible in the Y stage only", false
	case lut(&d.Y) && d.LUT == nil:
		return "the activation needs a look-up table and there is none", false
	case d.Batch > 1:
		return "multi-batch SDP is not simulated", false
	case d.ConvMode != 0:
		return "Winograd output is not simulated", false
	case op.Dst.Kind == hardware.CubeOnTheFly:
		return "SDP that streams into PDP is not simulated", false
	}
	return "", false
}

func refusePDP(t hardware.Target, op *hardware.Operation) (string, bool) {
	d := op.PDP
	switch {
	case op.Dst.Kind == hardware.CubeOnTheFly:
		return "Destination buffer for PDP has to be either MC or CV", true
	case max(op.Src.W, op.Src.H, op.Src.C) > maxCube:
		return fmt.Sprintf("Invalid source cube [W: %d, H: %d, C: %d]", op.Src.W, op.Src.H, op.Src.C), true
	case max(op.Dst.W, op.Dst.H, op.Dst.C) > maxCube:
		return fmt.Sprintf("Invalid destination cube [W: %d, H: %d, C: %d]", op.Dst.W, op.Dst.H, op.Dst.C), true
	case min(d.StrideX, d.StrideY) < 1 || max(d.StrideX, d.StrideY) > 8:
		return fmt.Sprintf("Invalid Stride (x[%d], y[%d])", d.StrideX, d.StrideY), true
	case d.Split > maxSplit:
		return fmt.Sprintf("Invalid split_num: %d", d.Split), true
	case d.Width < 1 || d.Width > hardware.MaxPoolWindow:
		return fmt.Sprintf("Invalid pool_width: %d (a window of %d, %d is the most)", d.Width-1, d.Width, hardware.MaxPoolWindow), true
	case d.Height < 1 || d.Height > hardware.MaxPoolWindow:
		return fmt.Sprintf("Invalid pool_height: %d (a window of %d, %d is the most)", d.Height-1, d.Height, hardware.MaxPoolWindow), true
	case d.Mode > hardware.PoolMin:
		return fmt.Sprintf("Invalid pool_mode: %d", d.Mode), true
	case op.Src.Kind == hardware.CubeOnTheFly:
		return "PDP that is fed by SDP on the fly is not simulated", false
	}
	return precision(t, d.Precision)
}

func refuseCDP(t hardware.Target, op *hardware.Operation) (string, bool) {
	d := op.CDP
	switch {
	case op.Src.Kind == hardware.CubeOnTheFly:
		return "Invalid source memory type", true
	case op.Dst.Kind == hardware.CubeOnTheFly:
		return "Invalid destination memory type", true
	case d.InPrecision != d.OutPrecision:
		return "CDP does not support precision conversion", true
	}
	return precision(t, d.InPrecision)
}
