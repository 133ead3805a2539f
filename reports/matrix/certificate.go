package matrix

import "quantbench/harness/record"

// Certified are the cells that execute the very program of a certificate.
func (m *Matrix) Certified(c *record.Certificate) []*record.Cell {
	var list []*record.Cell
	for i := range m.Run.Cells {
		if x := &m.Run.Cells[i]; x.Status == record.OK && x.Program != "" && x.Program == c.Program {
			list = append(list, x)
		}
	}
	return list
}
