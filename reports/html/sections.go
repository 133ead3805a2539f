package html

import (
	"fmt"
	"slices"

	"quantbench/harness/record"
	"quantbench/reports/format"
	"quantbench/reports/matrix"
)

// figures makes the sections with figures, in the order of the page; sections
// without data are left out.
func figures(m *matrix.Matrix) ([]section, error) {
	var list []section
	for _, make := range []func(*matrix.Matrix) (section, error){accuracySection, latencySection, calibratorSection, bakeoffSection, settingsSection, cyclesSection, certificateSection} {
		s, err := make(m)
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	for _, kind := range [][]detail{causes, details} {
		part, err := detailSections(m, kind)
		if err != nil {
			return nil, err
		}
		list = append(list, part...)
	}
	list = append(list, networkSection(m))
	list = slices.DeleteFunc(list, func(s section) bool { return len(s.Figures) == 0 })
	number := 0
	for i := range list {
		for j := range list[i].Figures {
			number++
			list[i].Figures[j].Number = number
		}
	}
	return list, nil
}

type drawGroups func(*matrix.Matrix, []matrix.Group, string) (figure, error)

// shared draws one figure over all groups, or one for each model.
func shared(m *matrix.Matrix, s section, draw drawGroups) (section, error) {
	for i, groups := range perModel(m) {
		f, err := draw(m, groups, figureID(s.ID, i))
		if err != nil {
			return s, err
		}
		if len(f.Panels) > 0 {
			s.Figures = append(s.Figures, f)
		}
	}
	return s, nil
}

func figureID(section string, i int) string { return fmt.Sprintf("fig-%s-%d", section, i) }

func accuracySection(m *matrix.Matrix) (section, error) {
	if len(m.Groups) == 0 {
		return section{}, nil
	}
	return shared(m, section{ID: "accuracy", Heading: "Accuracy", Short: "Accuracy"}, accuracy)
}

func latencySection(m *matrix.Matrix) (section, error) {
	if len(timed(m.Groups, m.Main, "")) == 0 {
		return section{}, nil
	}
	return shared(m, section{ID: "latency", Heading: "Latency", Short: "Latency"}, latency)
}

func calibratorSection(m *matrix.Matrix) (section, error) {
	if len(m.Calibrators) < 2 || m.Tests() == 0 || len(m.Contests()) > 0 {
		return section{}, nil
	}
	return shared(m, section{ID: "calibrators", Heading: "Calibrators", Short: "Calibrators"}, calibrators)
}

// manifest lists what is needed to get the numbers again.
func manifest(m *matrix.Matrix) []entry {
	r := m.Run
	list := []entry{{"Command", r.Manifest.Command, true}, {"Config", r.Manifest.Config, false}, {"Config sha256", r.Manifest.ConfigSHA, true},
		{"Cells sha256", r.Manifest.Digest, true}, {"bench", r.Manifest.Version, false}, {"Go", r.Manifest.Go, false},
		{"Host", r.Manifest.Host, false}, {"Instructions", r.Manifest.Instruction, false}}
	for _, x := range r.Models {
		list = append(list, entry{"Model " + x.Name, describe(x), false}, entry{"", sha(x.SHA256), true})
	}
	for _, d := range r.Datasets {
		text := format.Plural(d.Images, "picture") + ", " + format.Plural(len(d.Classes), "class")
		if len(d.Classes) != 1 {
			text = format.Plural(d.Images, "picture") + ", " + format.Count(len(d.Classes)) + " classes"
		}
		if d.Calibration != "" {
			text += "; calibration: " + d.Calibration
		}
		list = append(list, entry{"Dataset " + d.Name, text, false}, entry{"", sha(d.SHA256), true})
	}
	for _, f := range r.Manifest.Files {
		list = append(list, entry{f.Name, f.Value, true})
	}
	return filled(list)
}

func sha(digest string) string {
	if digest == "" {
		return ""
	}
	return "sha256 " + digest
}

func describe(x record.Model) string {
	s := fmt.Sprintf("%s, %s parameters, %s a picture", format.Plural(x.Layers, "layer"), format.Count(x.Parameters), format.SI(float64(x.MACs), "MAC"))
	if x.Prototxt != "" {
		s = x.Prototxt + "; " + s
	}
	if x.Preprocess != "" {
		s += "; input: " + x.Preprocess
	}
	if x.Winograd {
		s += "; fp32 by Winograd's F(2x2,3x3)"
	}
	return s
}

func filled(list []entry) []entry {
	var out []entry
	for _, e := range list {
		if e.Value != "" {
			out = append(out, e)
		}
	}
	return out
}
