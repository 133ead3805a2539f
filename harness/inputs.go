package harness

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"quantbench/datasets"
	"quantbench/datasets/catalogue"
	"quantbench/models"
	"quantbench/models/caffe"
)

// Environment holds every effect that an experiment has on the world, or the
// world on it.
type Environment struct {
	// DataDirs are folders in which datasets are looked for.
	DataDirs []string
	// Getenv looks up ${VARIABLE} in a configuration's paths.
	Getenv func(string) string
	// Clock times single pictures.
	Clock Clock
	// Jobs is how many pictures run at a time; at least 1.
	Jobs int
	// NoTiming leaves measured and emulated latencies out of the result, which is
	// then the same on every run.
	NoTiming bool
	// PictureCache is how many bytes of decoded pictures the store's folder may
	// hold; 0 decodes them anew for each cell.
	PictureCache int64
	// PictureMemory is how many bytes of decoded pictures of one set are held in
	// memory; 0 is 128 MiB. Larger sets go through the picture cache.
	PictureMemory int64
	// Observe receives what happens, from one goroutine at a time. Nil is allowed.
	Observe func(Event)
}

// network is a loaded model.
type network struct {
	*models.Network
	name       string
	preprocess datasets.Preprocess
	prototxt   string // path, for people
	digest     string // over prototxt and caffemodel
}

// absent is an error that skips cells instead of failing them: something is not
// there, and command would help.
type absent struct {
	reason  string
	command string
}

func (a *absent) Error() string { return a.reason }

var variable = regexp.MustCompile(`\$\{(\w+)\}`)

// path expands ${VARIABLE}, and makes a relative path relative to the
// configuration's folder.
func (e *Experiment) path(p string) (string, error) {
	var missing string
	given := p
	p = variable.ReplaceAllStringFunc(p, func(m string) string {
		v := e.env.Getenv(m[2 : len(m)-1])
		if v == "" {
			missing = m[2 : len(m)-1]
		}
		return v
	})
	if missing != "" {
		return "", &absent{fmt.Sprintf("the environment variable %s is not set; the configuration uses it in %q", missing, given), "export " + missing + "=/path/to/data"}
	}
	if !filepath.IsAbs(p) {
		p = filepath.Join(filepath.Dir(e.cfg.File), p)
	}
	return p, nil
}

// network loads a model of the configuration once.
func (e *Experiment) network(name string) (*network, error) {
	if n, ok := e.networks[name]; ok {
		return n.network, n.err
	}
	n, err := e.loadNetwork(name)
	e.networks[name] = loadedNetwork{n, err}
	return n, err
}

func (e *Experiment) loadNetwork(name string) (*network, error) {
	spec := e.modelSpec(name)
	n := &network{name: name}
	src, err := e.source(spec)
	if err != nil {
		return nil, err
	}
	if n.preprocess, err = src.takes(spec); err != nil {
		return nil, err
	}
	prototxt, caffemodel := src.prototxt, src.caffemodel
	text, err := readInput(src, prototxt)
	if err != nil {
		return nil, err
	}
	weights, err := readInput(src, caffemodel)
	if err != nil {
		return nil, err
	}
	n.prototxt, n.digest = filepath.ToSlash(prototxt), digest([]byte(digest(text)+digest(weights)))
	if n.Network, err = caffe.ParseNetwork(prototxt, text); err != nil {
		return nil, err
	}
	if err := e.prepare(n, spec, text); err != nil {
		return nil, err
	}
	if err := e.readMean(n); err != nil {
		return nil, err
	}
	return n, caffe.ReadWeights(n.Network, caffemodel, weights)
}

// readMean reads the mean image that a network's preprocessing names.
func (e *Experiment) readMean(n *network) error {
	if n.preprocess.MeanFile == "" {
		return nil
	}
	path, err := e.path(n.preprocess.MeanFile)
	if err != nil {
		return err
	}
	n.preprocess.MeanImage, err = meanImage(path, n.Input().Out)
	return err
}

// meanImage is the middle of a mean image that a network of the given input
// subtracts.
func meanImage(path string, in models.Shape) ([]float32, error) {
	data, err := readInput(osFS{}, path)
	if err != nil {
		return nil, err
	}
	mean, err := datasets.ParseMean(path, data)
	if err != nil {
		return nil, err
	}
	return mean.Center(in.C, in.H, in.W)
}

// readInput reads a file; one that is not there skips the cells that need it.
func readInput(fsys fs.FS, name string) ([]byte, error) {
	data, err := fs.ReadFile(fsys, name)
	if os.IsNotExist(err) {
		return nil, &absent{reason: fmt.Sprintf("%s does not exist", name)}
	}
	return data, err
}

// osFS opens any path of the operating system.
type osFS struct{}

func (osFS) Open(name string) (fs.File, error) { return os.Open(name) }

func (e *Experiment) modelSpec(name string) ModelSpec {
	for _, m := range e.cfg.Models {
		if m.Name == name {
			return m
		}
	}
	return ModelSpec{Name: name, Zoo: name}
}

func (e *Experiment) datasetSpec(name string) DatasetSpec {
	for _, d := range e.cfg.Datasets {
		if d.Name == name {
			return d
		}
	}
	return DatasetSpec{Name: name}
}

// dataset opens a split of a dataset once; the dataset itself reads pictures
// when they are asked for.
func (e *Experiment) dataset(name, split string) (datasets.Dataset, error) {
	id := name + "/" + split
	if d, ok := e.sets[id]; ok {
		return d.Dataset, d.err
	}
	dirs := e.env.DataDirs
	spec := e.datasetSpec(name)
	if spec.Path != "" {
		p, err := e.path(spec.Path)
		if err != nil {
			return nil, err
		}
		dirs = append([]string{p}, dirs...)
	}
	d, err := catalogue.Source{Dirs: dirs, Sums: e.sums}.Open(e.opening, name, split)
	if e.opening.Err() == nil { // else another Run opens it
		e.sets[id] = loadedDataset{d, err}
	}
	return d, err
}
