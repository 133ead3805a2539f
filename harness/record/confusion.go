package record

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Confusion counts pictures: Confusion[label][predicted], square.
//
// Its JSON is the matrix; of more than denseClasses classes only the counts that
// are not 0, as a text: {"classes": 1000, "counts": "0:0=41 0:17=2"}, which says
// that of class 0 there were 41 pictures predicted as 0 and 2 as 17.
type Confusion [][]int

// denseClasses is the number of classes up to which JSON holds the whole matrix.
const denseClasses = 100

// maxClasses bounds the classes that are read.
const maxClasses = 1 << 14

// NewConfusion is an empty matrix of n classes.
func NewConfusion(n int) Confusion {
	c, all := make(Confusion, n), make([]int, n*n)
	for i := range c {
		c[i] = all[i*n : (i+1)*n : (i+1)*n]
	}
	return c
}

// sparse is the JSON of a large matrix.
type sparse struct {
	Classes int    `json:"classes"`
	Counts  string `json:"counts"`
}

// MarshalJSON writes the matrix, or what is not 0 in it.
func (c Confusion) MarshalJSON() ([]byte, error) {
	if len(c) <= denseClasses {
		return json.Marshal([][]int(c))
	}
	var b strings.Builder
	for label, row := range c {
		for predicted, n := range row {
			if n != 0 {
				fmt.Fprintf(&b, " %d:%d=%d", label, predicted, n)
			}
		}
	}
	return json.Marshal(sparse{len(c), strings.TrimPrefix(b.String(), " ")})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (c *Confusion) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] != '{' {
		return json.Unmarshal(data, (*[][]int)(c))
	}
	var s sparse
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	if s.Classes < 0 || s.Classes > maxClasses {
		return fmt.Errorf("confusion of %d classes; up to %d are read", s.Classes, maxClasses)
	}
	*c = NewConfusion(s.Classes)
	for _, cell := range strings.Fields(s.Counts) {
		var label, predicted, n int
		if k, err := fmt.Sscanf(cell, "%d:%d=%d", &label, &predicted, &n); k != 3 || err != nil ||
			min(label, predicted) < 0 || max(label, predicted) >= s.Classes {
			return fmt.Errorf("confusion of %d classes: %.40q is no label:predicted=count", s.Classes, cell)
		}
		(*c)[label][predicted] = n
	}
	return nil
}
