// Package record holds what a run leaves behind: one immutable Cell for each
// point of the matrix, and the Run that gathers them with the manifest. Reports
// read these values and nothing else.
package record

import (
	"quantbench/harness/diagnose"
	"quantbench/harness/stats"
)

// Schema is the version of results.json.
const Schema = 1

// Run is results.json: the whole outcome of one configuration. Two runs of the
// same inputs give the same bytes, so it holds no time of day.
type Run struct {
	Schema   int       `json:"schema"`
	Title    string    `json:"title,omitempty"`
	Cells    []Cell    `json:"cells"`
	Models   []Model   `json:"models,omitempty"`
	Datasets []Dataset `json:"datasets,omitempty"`
	// Tables are the calibration tables that cells used.
	Tables []Table `json:"tables,omitempty"`
	Gates  []Gate  `json:"gates,omitempty"`
	// Activations are the histograms that several calibrators chose from.
	Activations []Activations `json:"activations,omitempty"`
	// Bakeoff compares the calibrators of a run that varies calibration pictures.
	Bakeoff *Bakeoff `json:"bakeoff,omitempty"`
	// Certificates say where the simulator was compared with a device.
	Certificates []Certificate `json:"certificates,omitempty"`
	Manifest     Manifest      `json:"manifest"`
}

// Status of a cell.
type Status string

// A cell either has a result, or failed while running, or was never run for a
// reason known beforehand.
const (
	OK      Status = "ok"
	Failed  Status = "failed"
	Skipped Status = "skipped"
)

// Cell is one point of the matrix and its result.
type Cell struct {
	// ID is the cell's key: the first 12 hex digits of the sha256 over everything
	// that its result depends on.
	ID         string `json:"id"`
	Model      string `json:"model"`
	Dataset    string `json:"dataset"`
	Runtime    string `json:"runtime"`              // "fp32", "tensorrt-int8", "nvdla-int8"
	Target     string `json:"target"`               // "nv_small"; empty off NVDLA
	Mode       string `json:"mode,omitempty"`       // "per-kernel", "per-filter"; NVDLA only
	Profile    string `json:"profile,omitempty"`    // "fast-math"; NVDLA only
	InputMode  string `json:"input_mode,omitempty"` // "quantized", "nvdla_runtime"; NVDLA only
	Calibrator string `json:"calibrator"`           // empty for fp32
	// Calibration is set where the run varies the calibration pictures.
	Calibration *Calibration `json:"calibration,omitempty"`

	Status Status `json:"status"`
	Reason string `json:"reason"` // why not ok: what, evidence, what to do

	Images   int            `json:"images"`
	Correct  int            `json:"correct"`
	Top1     float64        `json:"top1"`     // Correct/Images, 0..1
	Interval stats.Interval `json:"interval"` // Wilson 95 % of Top1, [lo,hi]
	// Ties counts pictures whose best score is shared. Correct takes the lowest
	// class index of the tied ones; TopBest, TopExpected and TopWorst are the
	// accuracies if ties were broken for, at random, and against the network.
	Ties        int     `json:"ties"`
	TopBest     float64 `json:"top1_best"`
	TopExpected float64 `json:"top1_expected"`
	TopWorst    float64 `json:"top1_worst"`

	// Answers is the sha256 over all predictions, ties and margins included: two
	// cells with the same Answers say the same of every picture.
	Answers string `json:"answers,omitempty"`
	// Program is the fingerprint of the operations that an NVDLA would execute.
	Program string `json:"program,omitempty"`
	// Cycles of one picture as a model has them; NVDLA only.
	Cycles *Cycles `json:"cycles,omitempty"`
	// Latency of one picture; nil where it is not known.
	Latency *Latency `json:"latency"`
	// Reference is the ID of the fp32 cell of the same model and pictures; empty
	// for that cell itself. The paired numbers compare with it.
	Reference string   `json:"reference"`
	McNemarP  *float64 `json:"mcnemar_p"` // exact, two-sided
	// Lost and Won count the pictures that only the reference, or only this cell,
	// classifies correctly.
	Lost int `json:"lost"`
	Won  int `json:"won"`
	// Difference is Top1 minus the reference's, with its paired 95 % interval.
	Difference         float64        `json:"difference"`
	DifferenceInterval stats.Interval `json:"difference_interval"`

	// Layers holds the error of each layer output against fp32, in network order.
	Layers []LayerError `json:"layers,omitempty"`
	// Analysis says where the accuracy goes, if the run asked for it.
	Analysis *Analysis `json:"analysis,omitempty"`
	// Confusion[label][predicted] counts pictures.
	Confusion Confusion `json:"confusion,omitempty"`
	// Flips are the most telling pictures that changed sides against the reference.
	Flips    []Flip    `json:"flips,omitempty"`
	Findings []Finding `json:"findings,omitempty"`
	// Imported is set if another program ran the cell.
	Imported *Imported `json:"imported,omitempty"`
	// Key lists what ID was made from, name by name.
	Key []KeyPart `json:"key,omitempty"`
}

// KeyPart is one input of a cell's key, with the value or its digest.
type KeyPart struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// LatencyKind says what a latency is; kinds are never mixed or subtracted.
type LatencyKind string

// The kinds of latency, strongest evidence first.
const (
	Measured LatencyKind = "measured" // this engine on this CPU, the network as it would be used
	Emulated LatencyKind = "emulated" // the emulation's own speed on this CPU; says nothing of the device
	Modelled LatencyKind = "modelled" // from a cycle model of the device
)

// Latency of one picture.
type Latency struct {
	Kind    LatencyKind `json:"kind"`
	Seconds float64     `json:"seconds"`
	// Note states the conditions: instruction level, or clock and bandwidth.
	Note string `json:"note,omitempty"`
}

// Flip is one picture whose correctness differs from the reference.
type Flip struct {
	Picture   string  `json:"picture"` // Picture.ID
	Label     int     `json:"label"`
	Reference int     `json:"reference"` // class that fp32 chose
	Predicted int     `json:"predicted"` // class that this cell chose
	Margin    float64 `json:"margin"`    // best minus second best fp32 score
	PNG       []byte  `json:"png,omitempty"`
}

// Finding is a warning that concerns a cell.
type Finding = diagnose.Finding

// Model describes a network that was measured.
type Model struct {
	Name       string `json:"name"`
	Prototxt   string `json:"prototxt"`
	Layers     int    `json:"layers"`
	Parameters int    `json:"parameters"`
	MACs       int64  `json:"macs"` // multiply-accumulates for one picture
	SHA256     string `json:"sha256"`
	Preprocess string `json:"preprocess"`
	// Winograd says that fp32 scores used Winograd's convolutions, which differ
	// from direct sums by rounding.
	Winograd bool `json:"winograd,omitempty"`
	// Graph is the network itself, for drawing.
	Graph *Graph `json:"graph,omitempty"`
}

// Dataset describes the pictures that were used.
type Dataset struct {
	Name    string   `json:"name"`
	Images  int      `json:"images"`
	Classes []string `json:"classes"`
	SHA256  string   `json:"sha256"`
	// Calibration says which pictures were used for calibration.
	Calibration string `json:"calibration,omitempty"`
}

// Table is a calibration table as one cell or several used it.
type Table struct {
	Model      string  `json:"model"`
	Dataset    string  `json:"dataset"`
	Calibrator string  `json:"calibrator"`
	Scales     []Scale `json:"scales"` // in network order
}

// Scale is one row of a Table.
type Scale struct {
	Layer string  `json:"layer"`
	Scale float32 `json:"scale"`
}

// Verdict of a gate: see stats.Paired.Judge.
type Verdict = stats.Verdict

// The verdicts.
const (
	Pass         = stats.Pass
	Fail         = stats.Fail
	Inconclusive = stats.Inconclusive
)

// Gate is a limit on the loss of accuracy, and what the numbers say of it.
type Gate struct {
	Cell    string  `json:"cell"`  // Cell.ID
	Limit   float64 `json:"limit"` // smallest allowed difference, e.g. -0.01
	Verdict Verdict `json:"verdict"`
	// Needed is how many pictures would decide an inconclusive gate, if the
	// estimate holds; 0 otherwise.
	Needed int `json:"needed,omitempty"`
}

// Manifest says how the run came about.
type Manifest struct {
	Version     string    `json:"version"` // of bench
	Go          string    `json:"go"`
	Host        string    `json:"host"` // operating system, processor, cores
	Instruction string    `json:"instruction_level"`
	Command     string    `json:"command"`
	Config      string    `json:"config"`        // path or "embedded default.yaml"
	ConfigSHA   string    `json:"config_sha256"` //
	Skipped     []Skip    `json:"skipped,omitempty"`
	Files       []KeyPart `json:"files,omitempty"` // name -> sha256 of all inputs
	Digest      string    `json:"digest"`          // sha256 over the cells
}

// Skip says what part of the matrix could not run, why, and what would help.
type Skip struct {
	What    string `json:"what"`
	Reason  string `json:"reason"`
	Command string `json:"command,omitempty"`
}
