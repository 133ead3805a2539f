package harness

import (
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"

	"quantbench/harness/answers"
)

// imports checks the cells that other programs ran.
func (d *decoder) imports(c *Config, root *yaml.Node) {
	var points []Point
	for i := range c.Imports {
		s := &c.Imports[i]
		n := at(root, "imports", strconv.Itoa(i))
		for _, f := range []field{{"file", &s.File}, {"model", &s.Model}, {"dataset", &s.Dataset}, {"runtime", &s.Runtime}} {
			if *f.value == "" {
				d.fail(n, "an import needs a %s (file, model, dataset and runtime)", f.name)
			}
		}
		if s.Format != "" {
			d.known(at(root, "imports", strconv.Itoa(i), "format"), "format", s.Format, answers.Formats)
		}
		if s.DataType != "" {
			d.known(at(root, "imports", strconv.Itoa(i), "data_type"), "data_type", s.DataType, answers.Encodings)
		}
		if s.Classes < 0 {
			d.fail(n, "classes cannot be negative")
		}
		if slices.Contains(points, s.point()) {
			d.fail(n, "two imports are called %s; give one another runtime", s.point())
		}
		points = append(points, s.point())
	}
}
