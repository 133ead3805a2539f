// Package stats answers what an accuracy or a difference of accuracies is
// worth: intervals, paired tests on the same pictures, ties.
package stats

import "encoding/json"

// Interval is a confidence interval, in JSON the array [lo, hi].
type Interval struct{ Lo, Hi float64 }

// MarshalJSON writes [lo, hi].
func (i Interval) MarshalJSON() ([]byte, error) { return json.Marshal([2]float64{i.Lo, i.Hi}) }

// UnmarshalJSON reads [lo, hi].
func (i *Interval) UnmarshalJSON(b []byte) error {
	var a [2]float64
	if err := json.Unmarshal(b, &a); err != nil {
		return err
	}
	i.Lo, i.Hi = a[0], a[1]
	return nil
}
