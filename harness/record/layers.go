package record

import "quantbench/harness/stats"

// LayerError compares one layer's output with the fp32 output of that layer.
type LayerError struct {
	Layer string `json:"layer"`
	// SQNR is the signal-to-quantization-noise ratio in dB, 10 log10(sum x^2 /
	// sum (x-y)^2), capped at 99.
	SQNR float64 `json:"sqnr_db"`
	// Cosine is the cosine similarity sum xy / sqrt(sum x^2 sum y^2), -1..1; 1 if
	// both are all zero.
	Cosine float64 `json:"cosine,omitempty"`
	// Saturation is the share of elements at the largest or smallest integer.
	Saturation float64 `json:"saturation"`
	// Dead is the share of elements that are not 0 in fp32 and 0 here.
	Dead float64 `json:"dead,omitempty"`
	// Unused is the share of the 256 codes that no element has; nil for a tensor
	// that is no int8.
	Unused *float64 `json:"unused_codes,omitempty"`
	// Local is the SQNR in dB of the layer fed with the float reference's tensors,
	// rounded to its own input scales; nil where it was not measured.
	Local *float64 `json:"local_sqnr_db,omitempty"`
	// LocalCosine is the cosine similarity of the same.
	LocalCosine *float64 `json:"local_cosine,omitempty"`
}

// Analysis says where a cell's accuracy goes.
type Analysis struct {
	// Layers are the errors of every tensor, accumulated and local, over the first
	// Pictures pictures.
	Layers      []LayerError `json:"layers,omitempty"`
	Pictures    int          `json:"pictures,omitempty"`
	Sensitivity *Sensitivity `json:"sensitivity,omitempty"`
	Waterfall   *Waterfall   `json:"waterfall,omitempty"`
	// Reason says why something is missing that the run asked for.
	Reason string `json:"reason,omitempty"`
}

// Sensitivity is what each layer alone costs, by an emulation in float that
// rounds weights and tensors to the program's grid.
type Sensitivity struct {
	Images int `json:"images"` // from the first of the cell's
	// Float and Int8 are the emulation with nothing and with everything rounded;
	// Int8 is paired with Float.
	Float Mixed `json:"float"`
	Int8  Mixed `json:"int8"`
	// Agreement is the share of pictures to which Int8 and the cell's own program
	// give the same class.
	Agreement float64 `json:"agreement"`
	// Foreign are layers whose weights the emulation leaves in float.
	Foreign []string           `json:"foreign,omitempty"`
	Layers  []LayerSensitivity `json:"layers"` // in network order
}

// LayerSensitivity is one tensor's part: its layers alone in int8, and alone in
// float.
type LayerSensitivity struct {
	Layer string `json:"layer"`
	// Parts are the layers that are in int8 together; Layer is one of them.
	Parts []string `json:"parts"`
	// Only has nothing else in int8 and is paired with Sensitivity.Float; Without
	// has all else in int8 and is paired with Sensitivity.Int8.
	Only    Mixed `json:"only"`
	Without Mixed `json:"without"`
}

// Mixed is the accuracy of one mix of float and int8, and its paired difference
// from another.
type Mixed struct {
	Correct            int            `json:"correct"`
	Top1               float64        `json:"top1"`     // 0..1
	Interval           stats.Interval `json:"interval"` // Wilson 95 %
	Lost               int            `json:"lost"`     // right in the other only
	Won                int            `json:"won"`
	Difference         float64        `json:"difference"` // Top1 less the other's
	DifferenceInterval stats.Interval `json:"difference_interval"`
}

// Waterfall splits the difference between a cell and its fp32 reference into
// steps, each measured, one on top of the other in this order. Another order
// would split it otherwise.
type Waterfall struct {
	Reference string `json:"reference"` // ID of the fp32 cell
	Images    int    `json:"images"`
	Start     int    `json:"start"` // pictures that the reference has right
	Steps     []Step `json:"steps"`
	End       int    `json:"end"` // pictures that the cell has right
	// Agreement is the share of pictures to which the emulation with everything
	// rounded and the real program after it give the same class.
	Agreement float64  `json:"agreement"`
	Foreign   []string `json:"foreign,omitempty"` // layers whose weights are not in "weights"
}

// Step is one step of a waterfall: what it adds to the one before it.
type Step struct {
	Name string `json:"name"` // one of the Step names
	// Emulated tells that the step was measured by the emulation in float, not by
	// the real program.
	Emulated bool `json:"emulated"`
	// Mixed is the accuracy after the step, paired with the step before.
	Mixed
	// Same is how many pictures keep their class.
	Same int `json:"same"`
}

// Change is what the step adds to the number of right answers.
func (s Step) Change() int { return s.Won - s.Lost }

// The steps of a waterfall, in order.
const (
	StepWeights     = "weights"
	StepActivations = "activations"
	StepTies        = "output ties"
	StepInteger     = "requantization"
	StepOverride    = "Eltwise override"
	StepInput       = "input map"
)

// LayerReport is what is known of the layers of one cell.
type LayerReport struct {
	Cell   string `json:"cell"` // the cell's point, for people
	Images int    `json:"images"`
	// Errors of every tensor over the first Images pictures: accumulated from the
	// input on, and local.
	Errors   []LayerError `json:"layers"`
	Analysis *Analysis    `json:"analysis,omitempty"`
}
