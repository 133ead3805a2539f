package record

// Cycles is what a model of the hardware says of one picture. Nothing of it was
// measured; the assumptions say what it rests on.
type Cycles struct {
	ClockHz float64 `json:"clock_hz"`
	// Bandwidth of the memory, bytes a second.
	Bandwidth float64 `json:"bandwidth"`
	// Multipliers of the target: multiply-accumulates a cycle at most.
	Multipliers int `json:"multipliers"`
	// Hardware is how many operations the hardware is given; a convolution and
	// the SDP operation that it feeds are two of them, but one of Operations.
	Hardware    int               `json:"hardware_operations"`
	Total       float64           `json:"total"` // cycles
	Operations  []OperationCycles `json:"operations"`
	Assumptions []string          `json:"assumptions"`
}

// OperationCycles is one operation's share.
type OperationCycles struct {
	Layer  string  `json:"layer,omitempty"`
	Kind   string  `json:"kind"`  // "conv", "sdp", "pdp", ...
	MACs   int64   `json:"macs"`  // that the result needs
	Bytes  int64   `json:"bytes"` // to and from memory
	Cycles float64 `json:"cycles"`
	// Bound is what limits it: "multipliers", "elements", "memory", or
	// "cpu, not modelled".
	Bound string `json:"bound"`
}
