// Package table holds calibration tables: one scale (real = scale * integer)
// for each tensor, in the order of the file. It reads and writes TensorRT's
// calibration cache, the JSON that nvdla_compiler takes, and the tables of ncnn,
// ONNX Runtime, AIMET and PPQ, and gives each row of a cache its Caffe layer.
//
// Its opinion: a scale is its 32 bits, never a rounded decimal; a row that fits
// nothing, or a layer without a row, is an error and not a guess.
package table

import (
	"fmt"
	"math"
)

// Table is a calibration table as a file holds it.
type Table struct {
	File string
	// Header is the first line of a TensorRT cache, "TRT-7202-EntropyCalibration2";
	// empty for JSON.
	Header string
	Rows   []Row
	// Unknown are the lines that are neither header nor row, as they stand.
	Unknown []Line
	// Warnings tell of unknown lines, repeated names and scales that no tensor
	// can have. Such rows are kept bit for bit; Fix refuses to use them.
	// They are of type *Warning.
	Warnings []error
	// Format is the file's; empty for a table that the program made.
	Format Format
	// OfInputs means that rows are named after layers and hold the scale of the
	// layer's input (ncnn), not of a tensor.
	OfInputs bool
	// Weights are the weight rows of an ncnn table.
	Weights []WeightRow
}

// WeightRow holds the factors of a layer's weights as ncnn's file has them:
// integer = weight * factor, one for each output channel.
type WeightRow struct {
	Layer   string
	Factors []float64
	Line    int
}

// Row is one tensor's scale.
type Row struct {
	Name  string
	Scale float32
	Line  int // in the file, from 1; 0 if made by the program
}

// Bits are the scale's 32 bits, as the cache prints them in hex.
func (r Row) Bits() uint32 { return math.Float32bits(r.Scale) }

// Line is a line of a file.
type Line struct {
	Line int
	Text string
}

// Usable reports whether a tensor can have this scale: positive and finite.
func Usable(scale float32) bool { return scale > 0 && !math.IsInf(float64(scale), 0) }

// check adds the warnings on repeated names and unusable scales.
func (t *Table) check() {
	first := map[string]int{}
	for _, r := range t.Rows {
		if at, ok := first[r.Name]; ok {
			t.warn(Repeated, r.Line, "tensor %q was already given in line %d; remove one of the two", r.Name, at)
		} else {
			first[r.Name] = r.Line
		}
		if !Usable(r.Scale) {
			t.warn(Unusable, r.Line, "tensor %q has the scale %v (%08x); a scale is a positive number", r.Name, r.Scale, r.Bits())
		}
	}
}

// Kind says what a Warning is about.
type Kind string

// The kinds of warnings.
const (
	Unread   Kind = "unread"   // a line or entry that is no tensor's scale
	Repeated Kind = "repeated" // a name that was there before
	Unusable Kind = "unusable" // NaN, infinity, zero or less
	Headless Kind = "headless" // a cache without its first line
	Adapted  Kind = "adapted"  // an encoding that is not symmetric int8
	Ignored  Kind = "ignored"  // fields that nvdla_compiler does not read
)

// Warning is what a reader has to say about a line.
type Warning struct {
	File string
	Line int
	Kind Kind
	Text string
}

// Error renders file:line: text.
func (w *Warning) Error() string { return fmt.Sprintf("%s:%d: %s", w.File, w.Line, w.Text) }

func (t *Table) warn(kind Kind, line int, format string, args ...any) {
	t.Warnings = append(t.Warnings, &Warning{t.File, line, kind, fmt.Sprintf(format, args...)})
}

// Row finds the first row of a name.
func (t *Table) Row(name string) (Row, bool) {
	for _, r := range t.Rows {
		if r.Name == name {
			return r, true
		}
	}
	return Row{}, false
}
