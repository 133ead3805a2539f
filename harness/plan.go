package harness

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"quantbench/datasets"
	"quantbench/datasets/folder"
	"quantbench/harness/answers"
	"quantbench/harness/calibrate"
	"quantbench/harness/record"
)

// Experiment is a configuration in an environment: it plans, runs and gathers.
type Experiment struct {
	cfg   *Config
	env   Environment
	store *record.Store

	networks map[string]loadedNetwork
	sets     map[string]loadedDataset
	// histograms of the calibrations that were used, by key.
	histograms map[string]*calibrate.Statistics
	// finished are cells of this run that do not stand, by program and pictures.
	finished map[string]outcome
	// histogramsOf is the model, dataset and subset that they belong to.
	histogramsOf Point
	current      pair // the pictures of the last model and dataset, decoded once
	work         progress

	truths   map[string]*answers.Truth // of datasets, by digest
	imports  map[*ImportSpec]*imported // that were read
	last     []outcome                 // of the last Run
	overlaps map[string][]record.Finding
	sums     *folder.Sums
	opening  context.Context // ends the opening of a dataset
}

type loadedNetwork struct {
	*network
	err error
}

type loadedDataset struct {
	datasets.Dataset
	err error
}

// New makes an experiment. Nothing is read or run yet.
func New(cfg *Config, env Environment, store *record.Store) *Experiment {
	env.Jobs = max(env.Jobs, 1)
	e := &Experiment{cfg: cfg, env: env, store: store, networks: map[string]loadedNetwork{}, sets: map[string]loadedDataset{}, histograms: map[string]*calibrate.Statistics{}, finished: map[string]outcome{},
		truths: map[string]*answers.Truth{}, imports: map[*ImportSpec]*imported{}, opening: context.Background(), overlaps: map[string][]record.Finding{}}
	if store != nil {
		e.sums = folder.NewSums(SumsDir(store.Dir()))
		e.sums.Tell = func(dir string, files int) { e.observe(Event{Kind: FilesSummed, Done: files, Reason: dir}) }
	}
	return e
}

// SumsDir is the folder, in that of a store, that keeps the checksums of files.
func SumsDir(store string) string { return filepath.Join(store, "sums") }

// PlannedCell is one cell before it has run.
type PlannedCell struct {
	Point Point
	// Key is the sha256 of everything that the result depends on, in hex; empty
	// if the cell cannot run.
	Key   string
	Parts []record.KeyPart
	// Cached means that the result is in the store.
	Cached bool
	// Images to score, and the multiply-accumulates of them all.
	Images int
	MACs   int64
	// Skip says why the cell cannot run, and Command what would help.
	Skip, Command string
	// Broken means that the reason is a fault (a damaged file), not an absence.
	Broken bool
	// Import is where the cell is from if another program ran it.
	Import   *ImportSpec
	imported *imported
}

// ID is the short form of the key by which reports name the cell. A cell that
// cannot run is named after its point.
func (c PlannedCell) ID() string {
	if c.Key == "" {
		return digest([]byte(c.Point.String()))[:idLength]
	}
	return c.Key[:idLength]
}

// Plan lists the cells in order with their keys. It reads the networks and the
// pictures' digests, and runs nothing.
func (e *Experiment) Plan() []PlannedCell {
	var cells []PlannedCell
	for _, p := range e.cfg.Expand() {
		cells = append(cells, e.planCell(p))
	}
	return append(cells, e.planImports()...)
}

func (e *Experiment) planCell(p Point) PlannedCell {
	c := PlannedCell{Point: p}
	if err := e.keyCell(&c); err != nil {
		c.skip(err)
		return c
	}
	c.Cached = e.store.HasCell(c.Key)
	return c
}

// skip notes why the cell cannot run.
func (c *PlannedCell) skip(err error) {
	c.Key, c.Parts, c.Skip, c.Broken = "", nil, err.Error(), true
	var a *absent
	var missing *datasets.MissingError
	switch {
	case errors.As(err, &a):
		c.Command, c.Broken = a.command, false
	case errors.As(err, &missing):
		c.Command, c.Broken = missing.Command, false
	}
}

// keyCell fills in what a cell's result depends on.
func (e *Experiment) keyCell(c *PlannedCell) error {
	p := c.Point
	n, err := e.network(p.Model)
	if err != nil {
		return err
	}
	d, err := e.dataset(p.Dataset, "test")
	if err != nil {
		return err
	}
	if err := fits(n, d.Info()); err != nil {
		return err
	}
	c.Images, err = e.images(p.Dataset, d)
	if err != nil {
		return err
	}
	c.MACs = n.MACs() * int64(c.Images)
	var k key
	k.add("engine", EngineVersion)
	k.add("network", n.digest)
	k.add("preprocess", n.preprocess.Digest())
	k.add("dataset", d.Info().Digest)
	k.add("images", fmt.Sprintf("0:%d", c.Images))
	k.add("runtime", p.Runtime)
	if p.Runtime == FP32 && e.modelSpec(p.Model).Winograd {
		k.add("convolution", "winograd F(2x2,3x3)")
	}
	if p.Runtime != FP32 {
		t, err := e.tableKey(n, p)
		if err != nil {
			return err
		}
		k.add("calibration", t.sum())
		if cal := e.calibrationOf(p); cal != nil && !cal.Main {
			k.add("detail", "accuracy") // such a cell has no layers, confusion and latency
		}
	}
	if p.Runtime == NVDLA {
		k.add("mode", p.Mode)
		k.add("target", p.Target)
		k.add("profile", p.Profile)
		k.add("input", p.Input)
	}
	c.Parts, c.Key = k, k.sum()
	return nil
}

// images is how many pictures of a dataset the configuration scores.
func (e *Experiment) images(name string, d datasets.Dataset) (int, error) {
	want, have := e.datasetSpec(name).Images, d.Info().Len
	if want > have {
		return 0, fmt.Errorf("%s: dataset %s has %d pictures; the configuration asks for %d", e.cfg.File, name, have, want)
	}
	if want == 0 {
		return have, nil
	}
	return want, nil
}

// fits checks that a network can look at a dataset's pictures at all.
func fits(n *network, info datasets.Info) error {
	in, out := n.Input().Out, n.Output().Out
	fixed := info.Height > 0 && n.preprocess.Resize == (datasets.Resize{}) && n.preprocess.Crop == "" && !n.preprocess.Convert
	if fixed && (in.C != info.Channels || in.H != info.Height || in.W != info.Width) {
		return &absent{reason: fmt.Sprintf("%s takes pictures of %s; those of %s are %dx%dx%d", n.name, in, info.Name, info.Channels, info.Height, info.Width)}
	}
	if len(info.Classes) > 0 && out.Len() != len(info.Classes) {
		return &absent{reason: fmt.Sprintf("%s tells %d classes apart; %s has %d", n.name, out.Len(), info.Name, len(info.Classes))}
	}
	return nil
}
