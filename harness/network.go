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
	var a *absent
	switch {
	case errors.As(err, &a):
		return nil, datasets.Preprocess{}, &missingFile{a}
	case err != nil:
		return nil, datasets.Preprocess{}, err
	}
	return n.Network, n.preprocess, nil
}

// missingFile is an absent thing as the standard library knows it.
type missingFile struct{ *absent }

func (*missingFile) Unwrap() error { return fs.ErrNotExist }
