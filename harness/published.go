package harness

import (
	"fmt"

	"quantbench/harness/table"
)

// TableCalibrator is the name of the calibrator that takes scales from a file
// instead of choosing them.
const TableCalibrator = "table"

// TableFile is a calibration table of one model.
type TableFile struct {
	Model string `yaml:"model"`
	// Path of a TensorRT cache or an NVDLA JSON table; ${VARIABLE} is expanded.
	Path string `yaml:"path"`
}

// tableKey is what the scales of a point depend on.
func (e *Experiment) tableKey(n *network, p Point) (key, error) {
	spec, err := e.cfg.calibrator(p.Calibrator)
	if err != nil {
		return nil, err
	}
	if spec.Name != TableCalibrator {
		k, err := e.calibrationKey(n, p)
		k.add("calibrator", p.Calibrator)
		return k, err
	}
	_, data, err := e.publishedTable(spec, p.Model)
	var k key
	k.add("engine", EngineVersion)
	k.add("network", n.digest)
	k.add("table", digest(data))
	return k, err
}

// publishedTable reads a model's table file.
func (e *Experiment) publishedTable(spec CalibratorSpec, model string) (path string, data []byte, err error) {
	for _, f := range spec.Files {
		if f.Model == model {
			if path, err = e.path(f.Path); err != nil {
				return "", nil, err
			}
			data, err = readInput(osFS{}, path)
			return path, data, err
		}
	}
	return "", nil, &absent{reason: fmt.Sprintf("calibrator %q has no table for model %s", spec.Label(), model)}
}

// published are the scales of a model's table file, by Layer.Index. Rows and
// layers left over are errors.
func (e *Experiment) published(spec CalibratorSpec, n *network) ([]float32, error) {
	path, data, err := e.publishedTable(spec, n.name)
	if err != nil {
		return nil, err
	}
	t, err := table.Read(path, data)
	if err != nil {
		return nil, err
	}
	fix := table.Fix
	switch t.Format {
	case table.TensorRT:
	case table.NVDLA:
		fix = table.FixNamed
	default:
		return nil, fmt.Errorf("%s: a table in the form of %s does not name every tensor; convert it first: bench table convert %s --to nvdla", path, t.Format, path)
	}
	fixed, err := fix(n.Network, t)
	if err != nil {
		return nil, err
	}
	return fixed.Scales(), nil
}
