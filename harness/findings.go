package harness

import (
	"errors"
	"fmt"

	"quantbench/harness/diagnose"
	"quantbench/harness/doctor"
	"quantbench/harness/record"
	"quantbench/harness/runtime/nvdla/lower"
)

// A layer output is reported as saturated where both hold: more than this share
// of its elements sits at a limit, and its ratio of signal to quantization noise
// is below this, dB. A ReLU that clips a few outliers stays silent.
const (
	saturatedShare = 0.01
	saturatedSQNR  = 15
)

// warningFinding gives a program's warning its code and advice.
func warningFinding(err error) record.Finding {
	var w *lower.Warning
	if !errors.As(err, &w) {
		return diagnose.FromError(err, "RT001")
	}
	f := record.Finding{Code: doctor.CodeOf(w.Kind), Severity: diagnose.Warning, Fact: w.Text, Where: fmt.Sprintf("%s: %s", w.Layer.Pos, w.Layer.Name)}
	if w.Kind == lower.EltwiseOverride {
		f.Advice = "give both operands of the sum one common scale"
	}
	return f
}

// saturation reports the first layer output that a table clips badly: what
// comes after it suffers from the same loss.
func saturation(layers []record.LayerError) []record.Finding {
	for _, l := range layers {
		if l.Saturation > saturatedShare && l.SQNR < saturatedSQNR {
			return []record.Finding{{
				Code: "QT101", Severity: diagnose.Warning, Where: l.Layer,
				Fact: fmt.Sprintf("%.1f %% of the elements sit at the largest integer, and the signal-to-quantization-noise ratio is %.1f dB: the calibrated range is too small",
					100*l.Saturation, l.SQNR),
				Advice: "compare the layer's scale with minmax's in the section on scales, and calibrate with another calibrator or more pictures",
			}}
		}
	}
	return nil
}

// merged joins findings of one code and advice, such as one a layer: a cell then
// has one mark in a table, with all the evidence behind it.
func merged(findings []record.Finding) []record.Finding {
	var out []record.Finding
	count := map[string]int{}
	at := map[string]int{}
	for _, f := range findings {
		kind := f.Code + "\x00" + f.Advice
		count[kind]++
		i, seen := at[kind]
		if !seen {
			at[kind] = len(out)
			out = append(out, f)
			continue
		}
		out[i].Fact += "; " + f.Fact
		if f.Severity == diagnose.Error {
			out[i].Severity = f.Severity
		}
	}
	for kind, i := range at {
		if n := count[kind]; n > 1 {
			out[i].Fact = fmt.Sprintf("%d times: %s", n, out[i].Fact)
			if out[i].Where != "" {
				out[i].Where += fmt.Sprintf(" and %d more", n-1)
			}
		}
	}
	return out
}
