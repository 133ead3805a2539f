package harness

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"quantbench/datasets"
	"quantbench/models"
	"quantbench/models/caffe"
)

// TransformParam reads the preprocessing that the data layer of a train prototxt
// (file, with its text) declares for a network with the given input, and fills with
// it what p leaves open. The warnings tell of what has no part in a test. A prototxt
// without a data layer is an error.
func TransformParam(file string, text []byte, in models.Shape, p datasets.Preprocess) (datasets.Preprocess, []error, error) {
	t, err := caffe.ReadTransform(file, text)
	if err != nil {
		return p, nil, err
	}
	if t == nil {
		return p, nil, fmt.Errorf("%s: no Data, ImageData or MemoryData layer says how the network wants its pictures; name the train prototxt, or write the preprocessing down", file)
	}
	if t.NewHeight != t.NewWidth {
		return p, nil, fmt.Errorf("%s:%d: layer %q squashes pictures to %dx%d; only squares are supported", file, t.Line, t.Layer, t.NewHeight, t.NewWidth)
	}
	read := datasets.Transform{Scale: t.Scale, CropSize: t.CropSize, MeanValue: t.MeanValue, NewSide: t.NewHeight, Order: t.Order()}
	if t.MeanFile != "" {
		if read.MeanFile, err = filepath.Abs(besides(file, t.MeanFile)); err != nil {
			return p, nil, err
		}
	}
	out := filled(p, read.Preprocess())
	out.Convert = p.Convert || t.Colour != ""
	out.TransformParam = ""
	warnings := t.Warnings
	if in.C != 3 {
		out.Order = p.Order
	} else if p.Order == "" && t.Type == "Data" {
		warnings = append(warnings, fmt.Errorf("%s:%d: layer %q reads a database, whose channel order no prototxt tells; %s is assumed, order says otherwise", file, t.Line, t.Layer, out.Order))
	}
	return out, warnings, out.Validate()
}

// TransformFile is TransformParam for a file, for a network with the given input;
// a mean image is read, too.
func TransformFile(path string, in models.Shape, p datasets.Preprocess) (datasets.Preprocess, []error, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return p, nil, err
	}
	p, warnings, err := TransformParam(path, text, in, p)
	if err == nil && p.MeanFile != "" {
		p.MeanImage, err = meanImage(p.MeanFile, in)
	}
	return p, warnings, missing(err)
}

// filled takes from q what p does not say.
func filled(p, q datasets.Preprocess) datasets.Preprocess {
	out := p
	out.Resize, out.Crop, out.Order = cmp.Or(p.Resize, q.Resize), cmp.Or(p.Crop, q.Crop), cmp.Or(p.Order, q.Order)
	out.Scale = cmp.Or(p.Scale, q.Scale)
	if len(p.Mean) == 0 && p.MeanFile == "" {
		out.Mean, out.MeanFile = slices.Clone(q.Mean), q.MeanFile
	}
	return out
}

// besides finds a file that a prototxt names: as it says, seen from the
// prototxt's folder, or else beside the prototxt under its last name.
func besides(prototxt, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	dir := filepath.Dir(prototxt)
	if there := filepath.Join(dir, filepath.FromSlash(name)); exists(there) {
		return there
	}
	return filepath.Join(dir, filepath.Base(filepath.FromSlash(name)))
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// prepare fills in a network's preprocessing from the train prototxt that the
// configuration names, or, where nothing else is known, from its own prototxt.
func (e *Experiment) prepare(n *network, spec ModelSpec, text []byte) (err error) {
	p := n.preprocess
	switch {
	case p.TransformParam != "":
		path, err := e.path(p.TransformParam)
		if err != nil {
			return err
		}
		if text, err = readInput(osFS{}, path); err != nil {
			return err
		}
		n.preprocess, n.Warnings, err = transformed(path, text, n)
		return err
	case spec.Preprocess == nil && spec.Zoo == "":
		if t, err := caffe.ReadTransform(n.File, text); err != nil || t == nil {
			return err
		}
		n.preprocess, n.Warnings, err = transformed(n.File, text, n)
	}
	return err
}

// transformed is a network's preprocessing by a train prototxt, and the network's
// warnings with those of the prototxt.
func transformed(file string, text []byte, n *network) (datasets.Preprocess, []error, error) {
	p, warnings, err := TransformParam(file, text, n.Input().Out, n.preprocess)
	return p, append(n.Warnings, warnings...), err
}
