package doctor

import (
	"encoding/binary"
	"math"
	"math/bits"

	"quantbench/harness/diagnose"
	"quantbench/harness/runtime/nvdla/hardware"
	"quantbench/models"
)

func magnitude(x float32) float64 { return math.Abs(float64(x)) }

// normFactor is 1/sqrt(var/moving + eps).
func normFactor(variance, moving, eps float32) float64 {
	if moving == 0 {
		return 0
	}
	return 1 / math.Sqrt(float64(variance/moving)+float64(eps))
}

// operandSet are the per-channel operands of an SDP stage; nil for none.
type operandSet struct{ add, mul []int16 }

// operands reads a stage's 16-bit operands from the program's memory.
func operands(p *hardware.Program, s hardware.SDPStage, c hardware.Cube) *operandSet {
	if !s.Enable || s.Mode != hardware.PerChannel || s.Precision != hardware.Int16 || c.Region < 0 || c.Size == 0 {
		return nil
	}
	data := p.Regions[c.Region].Init
	if c.Offset+c.Size > len(data) {
		return nil
	}
	data = data[c.Offset : c.Offset+c.Size]
	o := &operandSet{}
	for i := 0; i+1 < len(data); i += 2 {
		v := int16(binary.LittleEndian.Uint16(data[i:]))
		if s.Type == hardware.SDPAdd || s.Type == hardware.SDPBoth && i%4 == 0 {
			o.add = append(o.add, v)
		} else {
			o.mul = append(o.mul, v)
		}
	}
	return o
}

// fewBits reports multipliers that keep too few bits beside the largest one.
func (e *exam) fewBits(l *models.Layer, o *operandSet) {
	poor, zero, worst := 0, 0, -1
	for k, m := range o.mul {
		b := bits.Len16(uint16(abs16(m)))
		switch {
		case b == 0:
			zero++
		case b <= 3:
			if poor++; worst < 0 || abs16(m) < abs16(o.mul[worst]) {
				worst = k
			}
		}
	}
	if poor == 0 {
		return
	}
	f := e.add(factorRange, l.Pos.String(), "%s: %d of %d channels have a multiplier of 3 bits or less beside the layer's common shift (channel %d: %d), an error of up to %.0f %%; %d more are 0", name(l), poor, len(o.mul), worst, o.mul[worst], 100/float64(abs16(o.mul[worst])), zero)
	f.Severity = diagnose.Warning
}

func abs16(v int16) int { return max(int(v), -int(v)) }

// lostBias reports biases whose stored step is more than one output step.
func (e *exam) lostBias(l *models.Layer, o *operandSet, s hardware.SDPStage, out hardware.Converter) {
	if len(o.add) == 0 || s.Shift == 0 {
		return
	}
	largest, where := 0, 0
	worst, channel := 0.0, 0
	all := math.Exp2(float64(s.Shift)-float64(s.Truncate)-float64(out.Truncate)) * float64(abs16(out.Scale))
	for k := range o.add {
		if a := abs16(o.add[k]); a > largest {
			largest, where = a, k
		}
		step := all
		if o.mul != nil {
			step *= float64(abs16(o.mul[k]))
		}
		if step > worst {
			worst, channel = step, k
		}
	}
	if worst < 1 || largest == 0 {
		return
	}
	f := e.add(biasBits, l.Pos.String(), "%s: channel %d's bias needs a shift of %d for all %d channels; in channel %d one step of the stored bias is %.3g steps of the output", name(l), where, s.Shift, len(o.add), channel, worst)
	if worst >= 16 {
		f.Severity = diagnose.Error
	}
}
