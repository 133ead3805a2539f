package reports

import (
	"encoding/csv"
	"io"
	"slices"
	"strconv"
	"strings"

	"quantbench/harness/record"
	"quantbench/harness/stats"
)

var csvHeader = []string{"cell", "model", "dataset", "runtime", "mode", "target", "profile", "input_mode", "calibrator", "status", "metric", "value", "lo", "hi", "n", "unit"}

// CSV writes one row for each cell and metric, with the interval where there is
// one: shares of 1 as "fraction", differences of shares too, latency in
// seconds with its kind in the metric's name. Where the run varies calibration
// pictures, their number and the subset stand in two columns at the end. A cell without a result has one
// row with an empty metric.
func CSV(w io.Writer, r *record.Run) error {
	out := csv.NewWriter(w)
	header, swept := csvHeader, slices.ContainsFunc(r.Cells, func(c record.Cell) bool { return c.Calibration != nil })
	if swept {
		header = append(slices.Clone(header), "calibration_images", "calibration_subset")
	}
	if err := out.Write(header); err != nil {
		return err
	}
	for i := range r.Cells {
		c := &r.Cells[i]
		for _, m := range metrics(c) {
			row := []string{c.ID, c.Model, c.Dataset, c.Runtime, c.Mode, c.Target, c.Profile, c.InputMode, c.Calibrator, string(c.Status)}
			row = append(row, m...)
			if swept {
				row = append(row, calibrationColumns(c)...)
			}
			if err := out.Write(row); err != nil {
				return err
			}
		}
	}
	out.Flush()
	return out.Error()
}

// calibrationColumns are the number of calibration pictures and the subset.
func calibrationColumns(c *record.Cell) []string {
	if c.Calibration == nil {
		return []string{"", ""}
	}
	return []string{strconv.Itoa(c.Calibration.Images), strconv.Itoa(c.Calibration.Subset)}
}

// metrics are the last six columns of a cell's rows.
func metrics(c *record.Cell) [][]string {
	if c.Status != record.OK {
		return [][]string{{"", "", "", "", "", ""}}
	}
	n := strconv.Itoa(c.Images)
	rows := [][]string{
		metric("top1", c.Top1, &c.Interval, n, "fraction"),
		metric("top1_best", c.TopBest, nil, n, "fraction"),
		metric("top1_expected", c.TopExpected, nil, n, "fraction"),
		metric("top1_worst", c.TopWorst, nil, n, "fraction"),
		metric("correct", float64(c.Correct), nil, n, "pictures"),
		metric("ties", float64(c.Ties), nil, n, "pictures"),
	}
	if c.McNemarP != nil {
		rows = append(rows, metric("difference", c.Difference, &c.DifferenceInterval, n, "fraction"), metric("mcnemar_p", *c.McNemarP, nil, n, "probability"),
			metric("lost", float64(c.Lost), nil, n, "pictures"), metric("won", float64(c.Won), nil, n, "pictures"))
	}
	if c.Latency != nil {
		rows = append(rows, metric("latency_"+string(c.Latency.Kind), c.Latency.Seconds, nil, "", "s"))
	}
	if c.Analysis != nil && c.Analysis.Waterfall != nil {
		for _, step := range c.Analysis.Waterfall.Steps {
			rows = append(rows, metric("step_"+strings.ReplaceAll(step.Name, " ", "_"), step.Difference, &step.DifferenceInterval, n, "fraction"))
		}
	}
	return rows
}

func metric(name string, value float64, i *stats.Interval, n, unit string) []string {
	lo, hi := "", ""
	if i != nil {
		lo, hi = number(i.Lo), number(i.Hi)
	}
	return []string{name, number(value), lo, hi, n, unit}
}

func number(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
