package harness

import (
	"quantbench/datasets"
	"quantbench/models"
)

// Network loads a model of the configuration, with the preprocessing that it is
// given.
func (e *Experiment) Network(model string) (*models.Network, datasets.Preprocess, error) {
	n, err := e.network(model)
	if err != nil {
		return nil, datasets.Preprocess{}, err
	}
	return n.Network, n.preprocess, nil
}
