package record

import "quantbench/harness/stats"

// Comparison is a paired test between two cells on the same pictures.
type Comparison struct {
	A Named `json:"a"` // the reference
	B Named `json:"b"`
	// Images that both saw; CorrectA and CorrectB of them are right.
	Images   int `json:"images"`
	CorrectA int `json:"correct_a"`
	CorrectB int `json:"correct_b"`
	// Lost and Won count the pictures that only A, or only B, has right.
	Lost int `json:"lost"`
	Won  int `json:"won"`
	// Difference is B's accuracy minus A's, with its paired 95 % interval.
	Difference         float64        `json:"difference"`
	DifferenceInterval stats.Interval `json:"difference_interval"`
	McNemarP           float64        `json:"mcnemar_p"`       // exact, two-sided
	McNemarLog10       float64        `json:"mcnemar_log10_p"` // where p is too small for a number
	// HolmP is McNemarP corrected for all comparisons that were asked for at once.
	HolmP float64 `json:"holm_p"`
	// Distinguishable says that HolmP is below 0.05.
	Distinguishable bool     `json:"distinguishable"`
	Warnings        []string `json:"warnings,omitempty"`
}

// Named is a cell with what tells it apart from others.
type Named struct {
	ID   string `json:"id"`
	Name string `json:"name"` // "lenet5 / mnist / nvdla-int8 / entropy2 / per-filter"
}

// NameOf names a cell by its fields.
func NameOf(c *Cell) Named {
	name := c.Model + " / " + c.Dataset + " / " + c.Runtime
	for _, s := range []string{c.Calibrator, c.Mode, c.Target} {
		if s != "" {
			name += " / " + s
		}
	}
	if c.Profile != "" && c.Profile != "fast-math" {
		name += " / " + c.Profile
	}
	if c.InputMode != "" && c.InputMode != "quantized" {
		name += " / " + c.InputMode
	}
	return Named{c.ID, name}
}
