package harness

import (
	"errors"
	"io/fs"

	"quantbench/datasets"
	"quantbench/models"
)

// Network loads a model of the configuration, with the preprocessing that it is
// given. A file that is not there is an error that is fs.ErrNotExist.
func (e *Experiment) Network(model string) (*models.Network, datasets.Preprocess, error) {
	n, err := e.network(model)
	if err != nil {
		return nil, datasets.Preprocess{}, missing(err)
	}
	return n.Network, n.preprocess, nil
}

// PublishedTable reads the table file from which a point takes its scales; no
// data if a calibrator chooses them.
func (e *Experiment) PublishedTable(p Point) (path string, data []byte, err error) {
	spec, err := e.cfg.calibrator(p.Calibrator)
	if err != nil || spec.Name != TableCalibrator {
		return "", nil, err
	}
	path, data, err = e.publishedTable(spec, p.Model)
	return path, data, missing(err)
}

func missing(err error) error {
	var a *absent
	if errors.As(err, &a) {
		return &missingFile{a}
	}
	return err
}

// missingFile is an absent thing as the standard library knows it.
type missingFile struct{ *absent }

func (*missingFile) Unwrap() error { return fs.ErrNotExist }
