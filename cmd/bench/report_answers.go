package main

import (
	"bytes"

	"quantbench/harness/record"
	"quantbench/reports"
)

// reportAnswers writes the answers of one cell, or as predictions those of all.
func (c *command) reportAnswers(path, format string) error {
	cells, err := readCells(path)
	if err != nil {
		return err
	}
	var list []record.Answers
	for _, x := range cells.list {
		list = append(list, *x.Answers)
	}
	switch selector := c.settings.GetString("cell"); {
	case selector != "":
		x, err := cells.find(selector)
		if err != nil {
			return err
		}
		list = []record.Answers{*x.Answers}
	case format == "mlperf" && len(list) != 1:
		return usage("%s: an MLPerf log holds one cell, and there are %d; name it with --cell", path, len(list))
	}
	var b bytes.Buffer
	if format == "mlperf" {
		err = reports.MLPerfLog(&b, &list[0])
	} else {
		err = reports.Predictions(&b, list)
	}
	if err != nil {
		return err
	}
	return c.write(b.Bytes())
}
