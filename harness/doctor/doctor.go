// Package doctor tells before anything runs what will go wrong between a
// calibration table, a Caffe network and NVDLA, and explains what the vendor's
// tools say when it did.
//
// Its opinion: a finding has a code that can be searched for, a place, the
// numbers that prove it, and a remedy; what cannot be proved from the files is
// not claimed. What the compiler refuses is asked of package lower, which is
// compared with the compiler itself, and not listed a second time here.
//
// It runs nothing and changes nothing.
package doctor

import (
	"fmt"
	"slices"
	"strings"

	"quantbench/datasets"
	"quantbench/harness/diagnose"
	"quantbench/harness/runtime/nvdla/hardware"
	"quantbench/harness/runtime/nvdla/lower"
	"quantbench/harness/table"
	"quantbench/models"
)

// RuntimeInput and Quantized are the values of Subject.Input.
const (
	RuntimeInput = "nvdla_runtime"
	Quantized    = "quantized"
)

// Subject is what is examined. Only Network is needed.
type Subject struct {
	Network *models.Network // with weights, if there is a caffemodel
	Table   *table.Table    // nil if there is none
	// Calibrated means that a table will be made, so that its absence is no fault.
	Calibrated bool
	// Preprocess is how the network was trained to see pictures; nil if unknown.
	Preprocess *datasets.Preprocess
	// Input is who quantizes pictures: RuntimeInput (also if empty), by its fixed
	// map, or Quantized, by the table.
	Input string
	// Target, Mode, Profile and InputFormat are nvdla_compiler's; empty means
	// nv_small, per-kernel, fast-math and ncxhwx.
	Target, Mode, Profile, InputFormat string
}

// Examine looks for everything that can be known before running. Findings are
// ordered by severity, then as they were found.
func Examine(s Subject) []diagnose.Finding {
	e := &exam{Subject: s, net: s.Network}
	e.settings()
	e.network()
	e.scales = make([]float32, len(e.net.Layers))
	switch {
	case s.Table != nil:
		e.found = append(e.found, LintTable(s.Table)...)
		e.rows()
	case !s.Calibrated:
		e.add(noTable, "", "there is no calibration table: the compiler takes scale 1 for the input and 127 for every layer, a range of ±16129")
	}
	if e.scaled() {
		e.compareScales()
	}
	e.input()
	e.softmax()
	e.lowered()
	return Sort(e.found)
}

// CompareTable examines a table with its network, but not the network itself.
func CompareTable(net *models.Network, t *table.Table) []diagnose.Finding {
	e := &exam{Subject: Subject{Network: net, Table: t}, net: net, scales: make([]float32, len(net.Layers))}
	e.found = LintTable(t)
	e.rows()
	if e.scaled() {
		e.compareScales()
	}
	e.input()
	e.softmax()
	return Sort(e.found)
}

// Unreadable is the finding of a network or table that cannot be read.
func Unreadable(err error) diagnose.Finding {
	text, where := err.Error(), ""
	if file, rest, ok := strings.Cut(text, ": "); ok {
		if _, line := diagnose.Place(file); line > 0 {
			where, text = file, rest
		}
	}
	return finding(badNetwork, where, "%s", text)
}

// Sort orders findings by severity, keeping the order within one.
func Sort(fs []diagnose.Finding) []diagnose.Finding {
	order := []diagnose.Severity{diagnose.Error, diagnose.Warning, diagnose.Note}
	slices.SortStableFunc(fs, func(a, b diagnose.Finding) int {
		return slices.Index(order, a.Severity) - slices.Index(order, b.Severity)
	})
	return fs
}

// exam is one examination.
type exam struct {
	Subject
	net     *models.Network
	options lower.Options
	bad     bool // the settings cannot be lowered with
	match   *table.Matching
	scales  []float32 // by Layer.Index; 0 if unknown
	found   []diagnose.Finding
}

// finding makes a finding of a rule's severity and advice.
func finding(code, where, format string, args ...any) diagnose.Finding {
	r, _ := RuleOf(code)
	return diagnose.Finding{Code: code, Severity: r.Severity, Where: where, Fact: fmt.Sprintf(format, args...), Advice: r.Do}
}

func (e *exam) add(code, where, format string, args ...any) *diagnose.Finding {
	e.found = append(e.found, finding(code, where, format, args...))
	return &e.found[len(e.found)-1]
}

// scaled reports whether every layer's scale is known.
func (e *exam) scaled() bool {
	for i, s := range e.scales {
		if s == 0 && !computesNothing(e.net.Layers[i]) {
			return false
		}
	}
	return e.match != nil
}

func computesNothing(l *models.Layer) bool {
	switch l.Op.(type) {
	case models.Dropout, models.Flatten, models.Split:
		return true
	}
	return false
}

// source is the layer that computed what a bottom holds.
func source(l *models.Layer) *models.Layer {
	for computesNothing(l) && len(l.From) > 0 {
		l = l.From[0]
	}
	return l
}

func name(l *models.Layer) string { return fmt.Sprintf("layer %q (%s)", l.Name, l.Type) }

func (e *exam) settings() {
	e.options = lower.Options{Mode: lower.Mode(e.Mode), Profile: lower.Profile(e.Profile), InputFormat: lower.InputFormat(e.InputFormat), Target: hardware.Small}
	if e.Target != "" {
		t, ok := hardware.TargetNamed(e.Target)
		if !ok {
			var known []string
			for _, t := range hardware.Targets {
				known = append(known, t.Name)
			}
			e.add(targetName, "", "the compiler has no configuration %q%s", e.Target, diagnose.DidYouMean(e.Target, known))
			e.bad = true
		} else {
			e.options.Target = t
		}
	}
	profiles := []string{"basic", "default", "performance", "fast-math"}
	switch {
	case e.Profile != "" && !slices.Contains(profiles, e.Profile):
		e.add(profileName, "", "the compiler has no profile %q%s; it would compile without merging", e.Profile, diagnose.DidYouMean(e.Profile, profiles))
		e.bad = true
	case e.Profile != "" && e.Profile != "fast-math" && slices.ContainsFunc(e.net.Layers, func(l *models.Layer) bool { _, ok := l.Op.(models.Eltwise); return ok }):
		f := e.add(profileName, "", "the profile %q cannot rescale a ReLU behind a sum, so the integers of residual blocks are read with a wrong scale", e.Profile)
		f.Severity, f.Advice = diagnose.Warning, "use fast-math"
	}
	e.known("quantization mode", e.Mode, string(lower.PerKernel), string(lower.PerFilter))
	e.known("input format", e.InputFormat, string(lower.NCxHWx), string(lower.NCHW), string(lower.NHWC))
}

// known reports a value that the compiler does not have. Empty is its default.
func (e *exam) known(what, value string, values ...string) {
	if value != "" && !slices.Contains(values, value) {
		e.add(profileName, "", "the compiler has no %s %q%s", what, value, diagnose.DidYouMean(value, values))
		e.bad = true
	}
}

// network reports what the prototxt alone tells.
func (e *exam) network() {
	in := e.net.Input()
	if e.net.Batch > 1 {
		e.add(batchSize, in.Pos.String(), "the input declares %d pictures: the loadable computes all of them for each one", e.net.Batch)
	}
	for _, w := range e.net.Warnings {
		f := diagnose.FromError(w, ignoredParam)
		f.Severity = diagnose.Note
		e.found = append(e.found, f)
	}
}
