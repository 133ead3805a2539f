package record

// Calibration is which calibration pictures a cell used, where a run varies them.
type Calibration struct {
	Images int `json:"images"`
	// Subset counts the random subsets from 1; 0 is the split's own order.
	Subset int `json:"subset,omitempty"`
	// Main marks the cells that stand for their calibrator in tables and figures
	// with room for one.
	Main bool `json:"main,omitempty"`
}

// Stands reports whether a cell appears in tables and figures of single cells:
// all do, unless a run varies calibration pictures.
func (c *Cell) Stands() bool { return c.Calibration == nil || c.Calibration.Main }
