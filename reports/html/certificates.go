package html

import (
	"fmt"

	"quantbench/harness/record"
	"quantbench/reports/format"
	"quantbench/reports/matrix"
)

// certificateSection says where the simulator was compared with a device, and
// for which cells of the run that speaks.
func certificateSection(m *matrix.Matrix) (section, error) {
	s := section{ID: "certificates", Heading: "Compared with a device", Short: "Certificates"}
	for i := range m.Run.Certificates {
		c := &m.Run.Certificates[i]
		cells := m.Certified(c)
		f := figure{ID: figureID(s.ID, i), Layout: "one", Tables: []table{certificateTable(c, cells)}}
		f.Title = fmt.Sprintf("%s on %s: %s of %s equal in every element, %s", c.Source, c.Target, format.Count(c.Equal), format.Plural(c.Pictures, "recorded picture"), certifies(cells))
		f.Caption = text(c.Conclusion + ". A certificate speaks for the cells that execute exactly the operations and constants it was made with.")
		s.Figures = append(s.Figures, f)
	}
	return s, nil
}

func certifies(cells []*record.Cell) string {
	if len(cells) == 0 {
		return "the program of no cell here"
	}
	return "the program of " + format.Plural(len(cells), "cell") + " here"
}

func certificateTable(c *record.Certificate, cells []*record.Cell) table {
	t := table{Caption: "certificate", Head: columns("what", "value")}
	t.Rows = [][]string{{"file", c.File}, {"program", c.Source}, {"target", c.Target}, {"fingerprint of the program", c.Program}, {"sha256 of the recording", c.Recorded},
		{"pictures", format.Count(c.Pictures)}, {"equal", format.Count(c.Equal)}, {"mismatches", format.Count(c.Mismatches)}, {"elements compared", format.Count(c.Elements)},
		{"95 % bound of the share that differs, %", format.Percent(c.Upper95)}}
	for _, x := range cells {
		t.Rows = append(t.Rows, []string{"cell", fmt.Sprintf("%s: %s, %s, %s, %s", x.ID, x.Model, x.Mode, x.Profile, x.Target)})
	}
	return t
}
