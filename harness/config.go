package harness

import (
	"quantbench/datasets"
)

// Config is one experiment: what is measured, on what, and how the matrix is
// spanned. Names are values, never keys, so that their spelling is kept.
type Config struct {
	// Version of the format; 1.
	Version int `yaml:"version"`
	// Title heads the report.
	Title    string        `yaml:"title"`
	Models   []ModelSpec   `yaml:"models"`
	Datasets []DatasetSpec `yaml:"datasets"`
	Matrix   Matrix        `yaml:"matrix"`
	Gate     GateSpec      `yaml:"gate"`
	// Imports are cells that other programs ran.
	Imports []ImportSpec `yaml:"imports"`
	// Certificates are files of `bench nvdla verify -o` that the report carries.
	Certificates []string `yaml:"certificates"`
	// Layers says whether the report shows where the accuracy goes.
	Layers LayersSpec `yaml:"layers"`

	// File is where the configuration was read from; paths in it are relative to
	// that file's folder.
	File string `yaml:"-"`
	// Digest is the sha256 of the file's bytes, in hex.
	Digest string `yaml:"-"`
}

// LayersSpec asks for the analysis of every int8 cell; it is off by default.
type LayersSpec struct {
	// Sensitivity is on how many of the cell's pictures each layer is tried alone
	// in int8 and alone in float; 0 does not.
	Sensitivity int `yaml:"sensitivity"`
	// Waterfall splits the loss against fp32 into its causes.
	Waterfall bool `yaml:"waterfall"`
}

// ModelSpec names a network: one of the catalogue (Zoo), or Caffe files.
type ModelSpec struct {
	Name string `yaml:"name"`
	// Zoo is a name of the catalogue: a shipped network, or one whose files are on
	// this machine (bench model list).
	Zoo string `yaml:"zoo"`
	// Prototxt and Caffemodel are paths; ${VARIABLE} is expanded.
	Prototxt   string `yaml:"prototxt"`
	Caffemodel string `yaml:"caffemodel"`
	// Preprocess is how the network wants its pictures; for a network of the
	// catalogue it is known.
	Preprocess *datasets.Preprocess `yaml:"preprocess"`
	// Winograd makes the fp32 runtime compute most 3x3 convolutions by F(2x2,3x3):
	// faster, with scores that differ by rounding. Calibration does not use it.
	Winograd bool `yaml:"winograd"`
}

// DatasetSpec names a dataset and the pictures taken from it.
type DatasetSpec struct {
	Name string `yaml:"name"`
	// Path is a folder to look in first; ${VARIABLE} is expanded.
	Path string `yaml:"path"`
	// Images is how many pictures are scored, from the first; 0 is all.
	Images int `yaml:"images"`
	// Calibration says which pictures calibrate.
	Calibration CalibrationSpec `yaml:"calibration"`
}

// CalibrationSpec chooses calibration pictures. The batch structure is part of
// it because TensorRT's entropy calibrator depends on the first batch.
type CalibrationSpec struct {
	Split string `yaml:"split"` // "train" (default) or "test"
	From  int    `yaml:"from"`  // index of the first picture; not with Subsets
	// Images is the number of pictures (500 if empty); several numbers, ascending
	// and multiples of Batch, are an axis of the matrix.
	Images []int `yaml:"images"`
	// Subsets is how many random choices of so many pictures there are, an axis of
	// the matrix too; 0 takes them in order. A subset's smaller choices are the
	// first pictures of its larger ones.
	Subsets int `yaml:"subsets"`
	Seed    int `yaml:"seed"`  // of the subsets; 1 if 0
	Batch   int `yaml:"batch"` // 50 if 0
}

// Matrix spans the cells: the product of its axes, less Exclude, plus Include.
// An axis that means nothing to a runtime (a calibrator to fp32, a mode to
// TensorRT) does not multiply its cells.
type Matrix struct {
	Model      []string         `yaml:"model"`
	Dataset    []string         `yaml:"dataset"`
	Runtime    []string         `yaml:"runtime"`
	Calibrator []CalibratorSpec `yaml:"calibrator"`
	Mode       []string         `yaml:"mode"`
	Target     []string         `yaml:"target"`
	Profile    []string         `yaml:"profile"`
	Input      []string         `yaml:"input"`
	Include    []Point          `yaml:"include"`
	Exclude    []Point          `yaml:"exclude"`
}

// CalibratorSpec is a calibrator and its parameters; in YAML a bare name, or a
// mapping with a name.
type CalibratorSpec struct {
	Name string `yaml:"name"`
	// Percent is the parameter of the percentile calibrators; 0 is the usual
	// value of each.
	Percent float64 `yaml:"percent"`
	// Bins is the parameter of ort-entropy; 0 is its usual value.
	Bins int `yaml:"bins"`
	// Files are the tables of the calibrator "table", which takes published scales.
	Files []TableFile `yaml:"files"`
}

// Point is a point of the matrix, or, with empty fields, all points that agree
// in the others.
type Point struct {
	Model      string `yaml:"model" json:"model,omitempty"`
	Dataset    string `yaml:"dataset" json:"dataset,omitempty"`
	Runtime    string `yaml:"runtime" json:"runtime,omitempty"`
	Calibrator string `yaml:"calibrator" json:"calibrator,omitempty"`
	Mode       string `yaml:"mode" json:"mode,omitempty"`
	Target     string `yaml:"target" json:"target,omitempty"`
	Profile    string `yaml:"profile" json:"profile,omitempty"`
	Input      string `yaml:"input" json:"input,omitempty"`
	// Images and Subset are the number of calibration pictures and the subset, in
	// digits; empty where the calibration is not varied.
	Images string `yaml:"images" json:"images,omitempty"`
	Subset string `yaml:"subset" json:"subset,omitempty"`
}

// GateSpec is the limit that the report's verdict is about.
type GateSpec struct {
	// MaxLoss is the largest loss of top-1 against fp32 that passes, in
	// percentage points; nil means no gate.
	MaxLoss *float64 `yaml:"max_loss"`
	// Calibrator restricts the gate to the cells of one calibrator; empty means all.
	Calibrator string `yaml:"calibrator"`
}
