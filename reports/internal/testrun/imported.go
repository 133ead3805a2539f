package testrun

import "quantbench/harness/record"

// Imported is a run with own cells and, beside each group's, three that other
// programs ran: fp32, int8 with a calibrator of its own, int8 without one.
func Imported() *record.Run {
	r := New(Shape{Models: []string{"tiny5", "tiny18"}, Datasets: []string{"invented"}, Calibrators: []string{"entropy2", "minmax"}, Pictures: 5000, Layers: true, Flips: true, Tables: true})
	var more []record.Cell
	for i, c := range r.Cells {
		switch {
		case c.Runtime == "fp32":
			twin := c
			p := 1.0
			twin.Reference, twin.McNemarP = c.ID, &p
			more = append(more, foreign(twin, "fp32", "", "a"))
		case c.Runtime == "tensorrt-int8" && c.Calibrator == "entropy2":
			more = append(more, foreign(c, "TensorRT on T4", "", "b"))
		case c.Runtime == "nvdla-int8" && c.Mode == "per-kernel" && c.Calibrator == "minmax" && i > 0:
			more = append(more, foreign(c, "OpenVINO int8", "pot-aq", "c"))
		}
	}
	r.Cells = append(r.Cells, more...)
	return r
}

// Foreign is a run of nothing but cells that other programs ran, compared with
// one of them that is not fp32.
func Foreign() *record.Run {
	r := New(Shape{Models: []string{"tiny5"}, Datasets: []string{"invented"}, Calibrators: []string{"entropy2"}, Pictures: 5000})
	ref := foreign(r.Cells[0], "bfloat16 board", "", "d")
	cells := []record.Cell{ref}
	for i, c := range r.Cells[1:] {
		c = foreign(c, []string{"TensorRT on T4", "Goya", "EdgeTPU"}[i], "", string("efg"[i]))
		c.Reference = ref.ID
		cells = append(cells, c)
	}
	r.Cells, r.Models, r.Datasets[0].Calibration, r.Manifest.Skipped = cells, nil, "", nil
	return r
}

func foreign(c record.Cell, runtime, calibrator, id string) record.Cell {
	c.ID, c.Runtime, c.Calibrator, c.Mode, c.Target, c.Latency, c.Layers = id+c.ID[1:], runtime, calibrator, "", "", nil, nil
	c.Ties, c.TopBest, c.TopExpected, c.TopWorst = 0, c.Top1, c.Top1, c.Top1
	c.Imported = &record.Imported{File: "logs/" + id + "<b>.json.gz", SHA256: digest(id), Format: "mlperf", DataType: "int32", Labels: "val.txt"}
	return c
}
