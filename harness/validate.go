package harness

import (
	"fmt"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"

	"quantbench/datasets/catalogue"
	"quantbench/harness/calibrate"
	"quantbench/harness/diagnose"
	"quantbench/harness/runtime/nvdla/hardware"
	networks "quantbench/models/catalogue"
)

// The names that an axis may hold.
var (
	runtimeNames = []string{FP32, TensorRT, NVDLA}
	modeNames    = []string{"per-filter", "per-kernel"}
	profileNames = []string{"basic", "default", "performance", "fast-math"}
	inputNames   = []string{"quantized", "nvdla_runtime"}
)

// The runtimes' names.
const (
	FP32     = "fp32"
	TensorRT = "tensorrt-int8"
	NVDLA    = "nvdla-int8"
)

// What a calibration is unless the configuration says otherwise.
const (
	defaultImages = 500
	defaultBatch  = 50
)

// applyDefaults fills what a configuration may leave out.
func (c *Config) applyDefaults() {
	if len(c.Matrix.Model) == 0 {
		for _, m := range c.Models {
			c.Matrix.Model = append(c.Matrix.Model, m.Name)
		}
	}
	if len(c.Matrix.Dataset) == 0 {
		for _, d := range c.Datasets {
			c.Matrix.Dataset = append(c.Matrix.Dataset, d.Name)
		}
	}
	orElse := func(axis *[]string, fallback ...string) {
		if len(*axis) == 0 {
			*axis = fallback
		}
	}
	orElse(&c.Matrix.Runtime, runtimeNames...)
	orElse(&c.Matrix.Mode, "per-filter")
	orElse(&c.Matrix.Target, "nv_small")
	orElse(&c.Matrix.Profile, "fast-math")
	orElse(&c.Matrix.Input, "quantized")
	if len(c.Matrix.Calibrator) == 0 {
		c.Matrix.Calibrator = []CalibratorSpec{{Name: "entropy2"}}
	}
	for i := range c.Datasets {
		cal := &c.Datasets[i].Calibration
		if cal.Split == "" {
			cal.Split = "train"
		}
		if len(cal.Images) == 0 || len(cal.Images) == 1 && cal.Images[0] == 0 {
			cal.Images = []int{defaultImages}
		}
		if cal.Seed == 0 && cal.Subsets > 0 {
			cal.Seed = 1
		}
		if cal.Batch == 0 {
			cal.Batch = defaultBatch
		}
	}
}

// validate checks what the types cannot: names that must exist, ranges.
func (d *decoder) validate(c *Config, root *yaml.Node) {
	if c.Version != 1 {
		d.fail(at(root, "version"), "version is %d; this bench reads version 1 (write `version: 1`)", c.Version)
	}
	models := d.modelNames(c, root)
	sets := d.datasetNames(c, root)
	var calibrators []string
	for i, s := range c.Matrix.Calibrator {
		calibrators = append(calibrators, s.Label())
		n := at(root, "matrix", "calibrator", strconv.Itoa(i))
		if err := s.check(); err != nil {
			d.fail(n, "%v", err)
		}
	}
	axes := []struct {
		name   string
		values []string
		known  []string
	}{
		{"model", c.Matrix.Model, models}, {"dataset", c.Matrix.Dataset, sets},
		{"runtime", c.Matrix.Runtime, runtimeNames}, {"mode", c.Matrix.Mode, modeNames},
		{"target", c.Matrix.Target, targetNames()}, {"profile", c.Matrix.Profile, profileNames},
		{"input", c.Matrix.Input, inputNames},
	}
	known := map[string][]string{"calibrator": calibrators}
	known["images"], known["subset"] = c.sweepNames()
	for _, a := range axes {
		known[a.name] = a.known
		for i, v := range a.values {
			d.known(at(root, "matrix", a.name, strconv.Itoa(i)), a.name, v, a.known)
		}
	}
	for list, points := range map[string][]Point{"include": c.Matrix.Include, "exclude": c.Matrix.Exclude} {
		for i, p := range points {
			for _, f := range p.fields() {
				if *f.value != "" && !(list == "exclude" && f.name == "calibrator") {
					d.known(at(root, "matrix", list, strconv.Itoa(i), f.name), f.name, *f.value, known[f.name])
				}
			}
		}
	}
	d.imports(c, root)
	d.layers(c, root)
	if g := c.Gate.MaxLoss; g != nil && (*g < 0 || *g > 100) {
		d.fail(at(root, "gate", "max_loss"), "max_loss is %v; it is a loss in percentage points, from 0 to 100", *g)
	}
}

// layers checks what the analysis of layers asks for.
func (d *decoder) layers(c *Config, root *yaml.Node) {
	if n := c.Layers.Sensitivity; n < 0 {
		d.fail(at(root, "layers", "sensitivity"), "sensitivity is %d; it is a number of pictures, 0 for none", n)
	}
	if r := c.Matrix.Runtime; c.Layers.Waterfall && len(r) > 0 && !slices.Contains(r, FP32) {
		d.fail(at(root, "layers", "waterfall"), "a waterfall begins at fp32, which is not among the runtimes; add it to matrix.runtime")
	}
}

// check says what is wrong with a calibrator's name or parameters.
func (s CalibratorSpec) check() error {
	known := append(calibrate.Names(), TableCalibrator)
	switch {
	case !slices.Contains(known, s.Name):
		return fmt.Errorf("unknown calibrator %q%s", s.Name, diagnose.DidYouMean(s.Name, known))
	case (s.Name == TableCalibrator) != (len(s.Files) > 0):
		return fmt.Errorf("calibrator %q: files belong to the calibrator %q, and it needs some: {name: table, files: [{model: NAME, path: FILE}]}", s.Name, TableCalibrator)
	case s.Percent < 0 || s.Percent > 100:
		return fmt.Errorf("percent is %v; it must lie between 0 and 100", s.Percent)
	case s.Name == TableCalibrator:
		return nil
	}
	_, err := s.calibrator()
	return err
}

func (d *decoder) known(n *yaml.Node, axis, value string, known []string) {
	if !slices.Contains(known, value) {
		d.fail(n, "unknown %s %q%s", axis, value, diagnose.DidYouMean(value, known))
	}
}

func (d *decoder) modelNames(c *Config, root *yaml.Node) []string {
	var names []string
	for i := range c.Models {
		m := &c.Models[i]
		n := at(root, "models", strconv.Itoa(i))
		if m.Name != "" && m.Zoo == "" && m.Prototxt == "" {
			m.Zoo = m.Name // "- lenet5" is the lenet5 of the catalogue
		}
		switch {
		case m.Name == "":
			d.fail(n, "a model needs a name")
		case slices.Contains(names, m.Name):
			d.fail(n, "two models are called %q", m.Name)
		case m.Zoo != "":
			if _, ok := networks.Named(m.Zoo); !ok {
				d.fail(n, "no network is called %q%s; `bench model list` lists those known by name", m.Zoo, diagnose.DidYouMean(m.Zoo, networks.Names()))
			}
		case m.Caffemodel == "":
			d.fail(n, "model %q has a prototxt but no caffemodel", m.Name)
		}
		if p := m.Preprocess; p != nil {
			if err := p.Validate(); err != nil {
				d.fail(at(root, "models", strconv.Itoa(i), "preprocess"), "preprocess of %q: %v", m.Name, err)
			}
		}
		names = append(names, m.Name)
	}
	return names
}

func (d *decoder) datasetNames(c *Config, root *yaml.Node) []string {
	var names []string
	for i, s := range c.Datasets {
		n := at(root, "datasets", strconv.Itoa(i))
		if !slices.Contains(catalogue.Names(), s.Name) {
			d.fail(n, "unknown dataset %q%s", s.Name, diagnose.DidYouMean(s.Name, catalogue.Names()))
		}
		if slices.Contains(names, s.Name) {
			d.fail(n, "dataset %q is listed twice", s.Name)
		}
		cal := s.Calibration
		if s.Images < 0 || cal.From < 0 || cal.Batch < 0 || cal.Subsets < 0 || cal.Seed < 0 {
			d.fail(n, "images, from, batch, subsets and seed cannot be negative")
		}
		if err := cal.check(); err != nil {
			d.fail(at(root, "datasets", strconv.Itoa(i), "calibration"), "%v", err)
		}
		if cal.Split != "" && cal.Split != "train" && cal.Split != "test" {
			d.fail(at(root, "datasets", strconv.Itoa(i), "calibration", "split"), "unknown split %q%s", cal.Split, diagnose.DidYouMean(cal.Split, []string{"train", "test"}))
		}
		names = append(names, s.Name)
	}
	return names
}

func targetNames() []string {
	var names []string
	for _, t := range hardware.Targets {
		names = append(names, t.Name)
	}
	return names
}

// at finds the node at a path of field names and list indices, or the closest
// one above it that exists.
func at(n *yaml.Node, path ...string) *yaml.Node {
	for _, step := range path {
		next := child(n, step)
		if next == nil {
			return n
		}
		n = next
	}
	return n
}

func child(n *yaml.Node, step string) *yaml.Node {
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == step {
				return n.Content[i+1]
			}
		}
	case yaml.SequenceNode:
		if i, err := strconv.Atoi(step); err == nil && i < len(n.Content) {
			return n.Content[i]
		}
	}
	return nil
}
