package record

// Activations are the histograms of a network's tensors on the calibration
// pictures of the tables that a run shows.
type Activations struct {
	Model   string `json:"model"`
	Dataset string `json:"dataset"`
	// Edges cut the bins of every tensor, the same for all: bin i holds |x| from
	// Edges[i]*Top/2048 up to Edges[i+1]*Top/2048. They are spaced by about a sixth
	// of an octave where whole numbers allow.
	Edges   []int           `json:"edges"`
	Tensors []ActivationRow `json:"tensors"` // in network order
}

// ActivationRow is the histogram of one tensor.
type ActivationRow struct {
	Layer string `json:"layer"`
	// Top is the largest |x|, Values the number of values, Least that of those below
	// the first edge, zeros among them.
	Top    float64  `json:"top"`
	Values uint64   `json:"values"`
	Least  uint64   `json:"least"`
	Counts []uint64 `json:"counts"`
}
