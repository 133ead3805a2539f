package harness

import (
	"errors"
	"io/fs"

	"quantbench/datasets"
	"quantbench/harness/modelstore"
	networks "quantbench/models/catalogue"
	"quantbench/models/zoo"
)

// source is where a network's files are, and how the network wants its pictures
// if the configuration does not say.
type source struct {
	fs.FS
	prototxt, caffemodel string
	preprocess           datasets.Preprocess
	// unknown says why preprocess is not enough; empty if it is.
	unknown string
}

// source finds a network's files: those of the catalogue by their name, others
// at the configuration's paths.
func (e *Experiment) source(spec ModelSpec) (s source, err error) {
	if entry, ok := networks.Named(spec.Zoo); ok {
		return e.known(entry)
	}
	s.FS = osFS{}
	if s.prototxt, err = e.path(spec.Prototxt); err != nil {
		return s, err
	}
	s.caffemodel, err = e.path(spec.Caffemodel)
	return s, err
}

// known is the source of a network of the catalogue.
func (e *Experiment) known(entry networks.Entry) (source, error) {
	s := source{preprocess: modelstore.Preprocess(entry.Preprocess), unknown: entry.Unknown}
	if entry.Shipped {
		s.FS, s.prototxt, s.caffemodel = zoo.Files(), entry.Prototxt.Name, entry.Caffemodel.Name
		return s, nil
	}
	files, err := modelstore.Find(entry, e.env.DataDirs)
	var missing *modelstore.MissingError
	if errors.As(err, &missing) {
		return s, &absent{missing.Error(), missing.Command}
	}
	s.FS, s.prototxt, s.caffemodel = osFS{}, files.Prototxt, files.Caffemodel
	return s, err
}

// takes is the preprocessing that the configuration gives, or else the source's.
func (s source) takes(spec ModelSpec) (datasets.Preprocess, error) {
	if spec.Preprocess != nil {
		return *spec.Preprocess, nil
	}
	if s.unknown != "" {
		return s.preprocess, &absent{reason: "network " + spec.Name + ": " + s.unknown}
	}
	return s.preprocess, nil
}
