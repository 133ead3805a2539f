// Package modelcheck tells whether a network's files are right and belong
// together, and which runtimes refuse it: everything that can be known before
// pictures are run.
package modelcheck

import (
	"errors"
	"io/fs"
	"os"
	"slices"

	"quantbench/datasets"
	"quantbench/datasets/fetch"
	"quantbench/harness/diagnose"
	"quantbench/harness/doctor"
	"quantbench/harness/modelstore"
	"quantbench/harness/runtime"
	"quantbench/harness/runtime/fp32"
	"quantbench/harness/runtime/tensorrt"
	"quantbench/models"
	"quantbench/models/caffe"
	"quantbench/models/catalogue"
	"quantbench/models/zoo"
)

// Runtimes are what a network can be checked for.
var Runtimes = []string{"fp32", "tensorrt-int8", "nvdla-int8"}

// Options are what to check.
type Options struct {
	Dirs     []string // folders of data
	Runtimes []string // none is all of Runtimes
	// Target and Mode are nvdla_compiler's; empty is nv_small and per-kernel.
	Target, Mode string
}

// Check examines a network. Mistakes in its files are findings; a file that is not
// there is an error.
func Check(src modelstore.Source, o Options) ([]diagnose.Finding, error) {
	c := &check{Options: o}
	prototxt, caffemodel, err := c.files(src)
	if err != nil || len(c.found) > 0 {
		return c.found, err
	}
	if err := c.read(prototxt, caffemodel); err != nil {
		return nil, err
	}
	if c.net != nil && c.whole {
		c.runtimes()
	}
	return doctor.Sort(c.found), nil
}

type check struct {
	Options
	entry *catalogue.Entry
	pre   *datasets.Preprocess
	net   *models.Network
	whole bool // the network has all its weights
	found []diagnose.Finding
}

func (c *check) add(code, where, format string, args ...any) {
	c.found = append(c.found, doctor.ModelFinding(code, where, format, args...))
}

// source opens files of the system or of the program.
type source struct {
	path string
	open func(string) ([]byte, error)
}

// files locates the network's files, and compares those of the catalogue.
func (c *check) files(src modelstore.Source) (prototxt, caffemodel source, err error) {
	if src.Name == "" {
		return source{src.Prototxt, os.ReadFile}, source{src.Caffemodel, os.ReadFile}, nil
	}
	e, ok := catalogue.Named(src.Name)
	if !ok {
		return prototxt, caffemodel, errors.New("no network is called " + src.Name + diagnose.DidYouMean(src.Name, catalogue.Names()))
	}
	c.entry = &e
	if pre, err := modelstore.Takes(e); err == nil {
		c.pre = &pre
	}
	if e.Shipped {
		return source{e.Prototxt.Name, shipped}, source{e.Caffemodel.Name, shipped}, nil
	}
	var paths [2]string
	for i, f := range e.Files() {
		var damaged *fetch.CheckError
		paths[i], err = modelstore.Locate(e, f, c.Dirs)
		if errors.As(err, &damaged) {
			c.add(doctor.WrongFile, damaged.Path, "%s is %s instead of %s", damaged.What, damaged.Got, damaged.Want)
			err = nil
		}
		if err != nil {
			return prototxt, caffemodel, err
		}
	}
	return source{paths[0], os.ReadFile}, source{paths[1], os.ReadFile}, nil
}

// read reads both files and compares them.
func (c *check) read(prototxt, caffemodel source) error {
	text, err := prototxt.open(prototxt.path)
	if err != nil {
		return err
	}
	if c.net, err = caffe.ParseNetwork(prototxt.path, text); err != nil {
		c.found = append(c.found, doctor.Unreadable(err))
		return nil
	}
	c.described()
	if caffemodel.path == "" {
		return nil
	}
	data, err := caffemodel.open(caffemodel.path)
	if err != nil {
		return err
	}
	mismatches, err := caffe.CompareWeights(c.net, caffemodel.path, data)
	if err != nil {
		c.found = append(c.found, doctor.Unreadable(err))
		return nil
	}
	for _, m := range mismatches {
		c.mismatch(m)
	}
	usable := !slices.ContainsFunc(mismatches, func(m caffe.Mismatch) bool { return m.Kind != caffe.NoLayer })
	c.whole = usable && caffe.ReadWeights(c.net, caffemodel.path, data) == nil
	return nil
}

// described compares the network with its entry.
func (c *check) described() {
	if c.entry == nil {
		return
	}
	in, out := c.net.Input().Out, c.net.Output().Out.Len()
	if in != c.entry.Input || out != c.entry.Classes {
		c.add(doctor.OtherNetwork, c.net.File, "it takes %s and tells %d classes apart; the catalogue says %s and %d", in, out, c.entry.Input, c.entry.Classes)
	}
}

func (c *check) mismatch(m caffe.Mismatch) {
	code := map[caffe.MismatchKind]string{caffe.NoWeights: doctor.MissingWeights, caffe.OtherShape: doctor.WrongShape, caffe.NoLayer: doctor.ExtraWeights, caffe.UnusableData: doctor.NotFinite}[m.Kind]
	if m.Layer == nil {
		c.add(code, "", "%s", m.Text)
		return
	}
	c.add(code, m.Layer.Pos.String(), "layer %q (%s): %s", m.Layer.Name, m.Layer.Type, m.Text)
}

// runtimes asks every runtime whether it takes the network.
func (c *check) runtimes() {
	for _, name := range Runtimes {
		if len(c.Runtimes) > 0 && !slices.Contains(c.Runtimes, name) {
			continue
		}
		switch name {
		case "fp32":
			c.prepare(fp32.Runtime{}, nil)
		case "tensorrt-int8":
			c.prepare(tensorrt.Runtime{}, ones(len(c.net.Layers)))
		default:
			c.found = append(c.found, doctor.Examine(doctor.Subject{Network: c.net, Calibrated: true, Preprocess: c.pre, Input: doctor.Quantized, Target: c.Target, Mode: c.Mode})...)
		}
	}
}

func (c *check) prepare(r runtime.Runtime, scales []float32) {
	m := runtime.Model{Network: c.net, Scales: scales}
	if c.pre != nil {
		m.Preprocess = *c.pre
	}
	if _, err := r.Prepare(m); err != nil {
		c.add(doctor.Refused, "", "%s refuses it: %v", r.Name(), err)
	}
}

func ones(n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = 1
	}
	return v
}

// shipped reads a file of the program.
func shipped(name string) ([]byte, error) { return fs.ReadFile(zoo.Files(), name) }
