package record

import "quantbench/harness/stats"

// Bakeoff compares calibrators over numbers of calibration pictures and random
// subsets of them.
type Bakeoff struct {
	Lines []BakeoffLine `json:"lines"`
}

// BakeoffLine is one model and dataset on one runtime with its settings.
type BakeoffLine struct {
	Model     string `json:"model"`
	Dataset   string `json:"dataset"`
	Runtime   string `json:"runtime"`
	Target    string `json:"target,omitempty"`
	Mode      string `json:"mode,omitempty"`
	Profile   string `json:"profile,omitempty"`
	InputMode string `json:"input_mode,omitempty"`
	// Cell is the ID of one of its cells.
	Cell string `json:"cell"`
	// Images is the number of test pictures, Reference fp32's accuracy on them, -1
	// if it did not run.
	Images    int     `json:"images"`
	Reference float64 `json:"reference"`
	// Points are in order of calibrator and number of calibration pictures.
	Points []BakeoffPoint `json:"points"`

	// Main is the number of calibration pictures of what follows, Subsets the number
	// of subsets, and Share the part of all calibration pictures that each holds.
	Main    int     `json:"main"`
	Subsets int     `json:"subsets"`
	Share   float64 `json:"share"`
	// Pairs are the comparisons of all pairs of calibrators.
	Pairs []BakeoffPair `json:"pairs,omitempty"`
	// Groups are the largest groups of calibrators of which no two can be told
	// apart at the 5 % level after Holm's correction; calibrators and groups in order
	// of accuracy.
	Groups [][]string `json:"groups,omitempty"`
}

// BakeoffPoint is one calibrator with one number of calibration pictures.
type BakeoffPoint struct {
	Calibrator string `json:"calibrator"`
	// Calibration is the number of calibration pictures.
	Calibration int `json:"calibration"`
	// Correct counts right answers, one number a subset.
	Correct []int `json:"correct"`
	// Mean, Deviation and Range are those of the accuracy over the subsets;
	// Deviation is 0 for one subset.
	Mean      float64        `json:"mean"`
	Deviation float64        `json:"deviation"`
	Range     stats.Interval `json:"range"`
	// Interval is Student's 95 % interval of the mean over subsets, on these test
	// pictures; nil for one subset.
	Interval *stats.Interval `json:"interval,omitempty"`
}

// BakeoffPair is the comparison of two calibrators, the one with more right
// answers first.
type BakeoffPair struct {
	Better string `json:"better"`
	Worse  string `json:"worse"`
	// Difference is that of the accuracies over all subsets, with its 95 % interval
	// over subsets and pictures, and the degrees of freedom behind it (0 if one
	// subset is all there is: then P is McNemar's).
	Difference float64        `json:"difference"`
	Interval   stats.Interval `json:"interval"`
	DF         float64        `json:"df"`
	P          float64        `json:"p"`
	// Adjusted is P after Holm's correction for the pairs of the line.
	Adjusted float64 `json:"adjusted"`
	// Won and Lost count the pictures that only the first, or only the second,
	// classifies correctly with the first subset; McNemarP is their exact test.
	Won      int     `json:"won"`
	Lost     int     `json:"lost"`
	McNemarP float64 `json:"mcnemar_p"`
}
