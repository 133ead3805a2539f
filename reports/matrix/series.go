// Package matrix arranges the cells of a run as people compare them: groups of
// one model on one dataset, and in a group one row for each runtime and
// calibrator, always in the same order and under the same names.
//
// It also says what the numbers allow to be said: the sentences of gates, and
// which differences survive a correction for the number of comparisons. It
// computes no accuracy and no interval; those come with the cells.
package matrix

import (
	"strings"

	"quantbench/harness/record"
)

// Series is what a mark stands for: a runtime in one mode, never a calibrator.
type Series struct {
	Key   string // "fp32", "trt", "nvf", "nvk"; "other" for a runtime without a mark of its own
	Name  string // "NVDLA int8 per-filter"
	Short string // "NVDLA per-filter"
	Tiny  string // "per-filter"
	Order int    // position in tables and figures
}

// The known series, in the order of tables and figures.
var (
	FP32      = Series{"fp32", "fp32", "fp32", "fp32", 0}
	TensorRT  = Series{"trt", "TensorRT int8", "TensorRT", "TensorRT", 1}
	PerFilter = Series{"nvf", "NVDLA int8 per-filter", "NVDLA per-filter", "per-filter", 2}
	PerKernel = Series{"nvk", "NVDLA int8 per-kernel", "NVDLA per-kernel", "per-kernel", 3}
)

// SeriesOf tells which series a cell belongs to.
func SeriesOf(c *record.Cell) Series {
	switch {
	case c.Runtime == "fp32" && (c.Imported == nil || c.Reference == ""):
		return FP32
	case c.Imported != nil:
	case c.Runtime == "tensorrt-int8":
		return TensorRT
	case c.Runtime == "nvdla-int8" && c.Mode == "per-filter":
		return PerFilter
	case c.Runtime == "nvdla-int8" && c.Mode == "per-kernel":
		return PerKernel
	}
	name := strings.TrimSpace(c.Runtime + " " + c.Mode)
	if c.Imported != nil {
		name += " (imported)"
	}
	return Series{"other", name, name, name, 4}
}

// Row is one cell with its place among the others.
type Row struct {
	*record.Cell
	Series Series
	// Variant tells rows of one series apart where a run has several targets,
	// profiles or input modes: "all targets, fast-math". Empty otherwise.
	Variant string
	// Same are the cells that share the row with Cell: other settings with the
	// same answers to all pictures. Only their cycles differ.
	Same []*record.Cell
	// Latency is the cell's, or nil if those of the cells in the row differ.
	Latency *record.Latency
	// Adjusted is the Holm-corrected p over all paired tests of the run; 1 where
	// there is no test.
	Adjusted float64
	// Base says that the others of the group are compared with this row: fp32, or
	// the reference of imported cells.
	Base bool
}

// commonLatency is the latency of all cells of the row.
func (r Row) commonLatency() *record.Latency {
	for _, c := range r.Same {
		if a, b := r.Cell.Latency, c.Latency; a == nil || b == nil || a.Seconds != b.Seconds || a.Kind != b.Kind {
			return nil
		}
	}
	return r.Cell.Latency
}

// Calibration names the row's calibrator at the end of a sentence: " with
// entropy2", or nothing for a cell without one.
func (r Row) Calibration() string {
	if r.Calibrator == "" {
		return ""
	}
	return " with " + r.Calibrator
}

// Name is the series with its variant: "NVDLA int8 per-filter, nv_small".
func (r Row) Name() string { return join(r.Series.Name, r.Variant) }

// Short is the shorter name with its variant.
func (r Row) Short() string { return join(r.Series.Short, r.Variant) }

// Tiny is the shortest name with its variant.
func (r Row) Tiny() string { return join(r.Series.Tiny, r.Variant) }

// Tied says that the cell cannot be told from its reference: p >= 0.05 on the
// same pictures, without correction.
func (r Row) Tied() bool { return r.McNemarP != nil && *r.McNemarP >= 0.05 }

// Paired says that the cell has a reference and a test against it.
func (r Row) Paired() bool { return r.Status == record.OK && r.McNemarP != nil }

func join(name, variant string) string {
	if variant == "" {
		return name
	}
	return name + ", " + variant
}
