package harness

import (
	"fmt"
	"slices"
)

// field is one axis of a Point, by name.
type field struct {
	name  string
	value *string
}

func (p *Point) fields() []field {
	return []field{
		{"model", &p.Model}, {"dataset", &p.Dataset}, {"runtime", &p.Runtime}, {"calibrator", &p.Calibrator},
		{"mode", &p.Mode}, {"target", &p.Target}, {"profile", &p.Profile}, {"input", &p.Input},
		{"images", &p.Images}, {"subset", &p.Subset},
	}
}

// matches reports whether q agrees with p in all of p's non-empty fields.
func (p Point) matches(q Point) bool {
	other := q.fields()
	for i, f := range p.fields() {
		if *f.value != "" && *f.value != *other[i].value {
			return false
		}
	}
	return true
}

// String renders the point for people: "lenet5 / fashion-mnist / nvdla-int8 / entropy2 / per-filter / nv_small".
func (p Point) String() string {
	s := p.Model + " / " + p.Dataset + " / " + p.Runtime
	for _, v := range []string{p.Calibrator, p.Mode, p.Target} {
		if v != "" {
			s += " / " + v
		}
	}
	if p.Profile != "" && p.Profile != "fast-math" {
		s += " / " + p.Profile
	}
	if p.Input != "" && p.Input != "quantized" {
		s += " / " + p.Input
	}
	if c := p.Calibration(); c != "" {
		s += " / " + c
	}
	return s
}

// Calibration says which pictures calibrate, where that varies: "500 pictures,
// subset 2".
func (p Point) Calibration() string {
	switch {
	case p.Images == "":
		return ""
	case p.Subset == "":
		return p.Images + " pictures"
	}
	return p.Images + " pictures, subset " + p.Subset
}

// Label names the calibrator with its parameters: "percentile-99.99".
func (s CalibratorSpec) Label() string {
	c, err := s.calibrator()
	if err != nil {
		return s.Name // an error of its own when the configuration is checked
	}
	return c.Name()
}

// Expand lists the points of the matrix in a fixed order, each once: the product
// of the axes with the meaningless ones left empty, less Exclude, plus Include.
func (m Matrix) Expand() []Point {
	var points []Point
	add := func(p Point) {
		p = p.normal()
		if !slices.Contains(points, p) {
			points = append(points, p)
		}
	}
	m.product(func(p Point) {
		excluded := slices.ContainsFunc(m.Exclude, func(e Point) bool { return e.matches(p.normal()) })
		if !excluded {
			add(p)
		}
	})
	for _, inc := range m.Include {
		m.fill(inc, add)
	}
	return points
}

// product visits every combination of the axes, the first axis slowest.
func (m Matrix) product(visit func(Point)) { m.fill(Point{}, visit) }

// fill visits p with every empty field replaced by each value of its axis.
func (m Matrix) fill(p Point, visit func(Point)) {
	var labels []string
	for _, c := range m.Calibrator {
		labels = append(labels, c.Label())
	}
	axes := [][]string{m.Model, m.Dataset, m.Runtime, labels, m.Mode, m.Target, m.Profile, m.Input}
	var walk func(i int)
	walk = func(i int) {
		if i == len(axes) {
			visit(p)
			return
		}
		f := p.fields()[i]
		if *f.value != "" {
			walk(i + 1)
			return
		}
		for _, v := range axes[i] {
			*f.value = v
			walk(i + 1)
		}
		*f.value = ""
	}
	walk(0)
}

// normal empties the fields that have no meaning to the point's runtime.
func (p Point) normal() Point {
	if p.Runtime != NVDLA {
		p.Mode, p.Target, p.Profile, p.Input = "", "", "", ""
	}
	if p.Runtime == FP32 {
		p.Calibrator, p.Images, p.Subset = "", "", ""
	}
	return p
}

// calibrator finds the specification behind a label; labels come from the
// matrix itself, so a miss is a bug of ours.
func (c *Config) calibrator(label string) (CalibratorSpec, error) {
	for _, s := range c.Matrix.Calibrator {
		if s.Label() == label {
			return s, nil
		}
	}
	return CalibratorSpec{}, fmt.Errorf("no calibrator is labelled %q", label)
}
