package harness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"quantbench/harness/calibrate"
	"quantbench/harness/record"
	"quantbench/harness/runtime"
	"quantbench/harness/runtime/fp32"
	"quantbench/harness/table"
)

// Where the store keeps the histograms of a calibration pass, from which every
// calibrator chooses, and the tables that the calibrators chose.
const (
	statisticsKind = "calibrations"
	statisticsFile = "histograms.bin"
	tableKind      = "tables"
	tableFile      = "calibration.cache"
)

// calibrationKey is what the histograms of a network depend on.
func (e *Experiment) calibrationKey(n *network, p Point) (key, error) {
	spec := e.cfg.calibratedAt(p)
	d, err := e.dataset(p.Dataset, spec.Split)
	if err != nil {
		return nil, err
	}
	if have := d.Info().Len; spec.From+spec.size > have {
		return nil, fmt.Errorf("%s: calibration takes pictures %d to %d; split %q of %s has %d", e.cfg.File, spec.From, spec.From+spec.size-1, spec.Split, p.Dataset, have)
	}
	var k key
	k.add("engine", EngineVersion)
	k.add("network", n.digest)
	k.add("preprocess", n.preprocess.Digest())
	k.add("dataset", d.Info().Digest)
	k.add("images", spec.pictures())
	k.add("batch", fmt.Sprint(spec.Batch))
	return k, nil
}

// scales are the scales of a network by Layer.Index, as a point's calibrator
// chooses them. They are kept in the store, as TensorRT's cache.
func (e *Experiment) scales(ctx context.Context, n *network, p Point) ([]float32, error) {
	k, err := e.tableKey(n, p)
	if err != nil {
		return nil, err
	}
	id := k.sum()
	if data, err := e.store.Get(tableKind, id, tableFile); err == nil {
		if scales, err := readScales(n, data); err == nil {
			return scales, nil
		}
		if err := e.store.Discard(tableKind, id); err != nil {
			return nil, err
		}
	}
	scales, err := e.choose(ctx, n, p)
	if err != nil {
		return nil, err
	}
	t, err := table.Cache(n.Network, scales, "")
	if err != nil {
		return nil, err
	}
	data, err := table.WriteCache(t)
	if err != nil {
		return nil, err
	}
	return scales, e.store.Put(tableKind, id, map[string][]byte{tableFile: data})
}

func readScales(n *network, cache []byte) ([]float32, error) {
	t, err := table.ReadCache(tableFile, cache)
	if err != nil {
		return nil, err
	}
	fixed, err := table.Fix(n.Network, t)
	if err != nil {
		return nil, err
	}
	return fixed.Scales(), nil
}

// choose lets a point's calibrator choose from the histograms.
func (e *Experiment) choose(ctx context.Context, n *network, p Point) ([]float32, error) {
	spec, err := e.cfg.calibrator(p.Calibrator)
	if err != nil {
		return nil, err
	}
	if spec.Name == TableCalibrator {
		return e.published(spec, n)
	}
	statistics, err := e.statistics(ctx, n, p)
	if err != nil {
		return nil, err
	}
	c, err := spec.calibrator()
	if err != nil {
		return nil, err
	}
	result, err := calibrate.Apply(ctx, n.Network, statistics, c, e.env.Jobs)
	if err != nil {
		return nil, fmt.Errorf("calibrating %s: %w", n.name, err)
	}
	return result.Scales, nil
}

func (s CalibratorSpec) calibrator() (calibrate.Calibrator, error) {
	params := calibrate.Params{}
	if s.Percent != 0 {
		params["percent"] = s.Percent
	}
	if s.Bins != 0 {
		params["bins"] = float64(s.Bins)
	}
	return calibrate.Named(s.Name, params)
}

// statistics are the histograms of a network's tensors, from the store or by
// running the calibration pictures.
func (e *Experiment) statistics(ctx context.Context, n *network, p Point) (*calibrate.Statistics, error) {
	k, err := e.calibrationKey(n, p)
	if err != nil {
		return nil, err
	}
	if of := (Point{Model: p.Model, Dataset: p.Dataset, Subset: p.Subset}); e.histogramsOf != of {
		clear(e.histograms) // cells of one subset follow each other
		e.histogramsOf = of
	}
	id := k.sum()
	if s, ok := e.histograms[id]; ok {
		return s, nil
	}
	s, err := e.stored(id)
	if s == nil && err == nil {
		err = e.collect(ctx, n, p)
		s = e.histograms[id]
	}
	if err != nil {
		return nil, err
	}
	e.histograms[id] = s
	return s, nil
}

// stored reads histograms from the store; nil if they are not there, or damaged:
// they can be made again.
func (e *Experiment) stored(id string) (*calibrate.Statistics, error) {
	data, err := e.store.Get(statisticsKind, id, statisticsFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	s, err := calibrate.ReadStatistics(statisticsFile, data)
	if err != nil {
		return nil, e.store.Discard(statisticsKind, id)
	}
	return s, nil
}

// collect watches the float network on the calibration pictures, and keeps the
// histograms of every number of them that the matrix asks for and the store does
// not hold.
func (e *Experiment) collect(ctx context.Context, n *network, p Point) error {
	ids, sizes, err := e.missingSizes(n, p)
	if err != nil {
		return err
	}
	spec := e.cfg.calibratedAt(p)
	d, err := e.dataset(p.Dataset, spec.Split)
	if err != nil {
		return err
	}
	largest := sizes[len(sizes)-1]
	ev := Event{Kind: CalibrationStarted, Point: p, Total: largest}
	e.observe(ev)
	pix, err := e.readPixels(ctx, n, spec.open(d, largest))
	if err != nil {
		return err
	}
	defer pix.close()
	src, err := newActivations(pix, n)
	if err != nil {
		return err
	}
	all, err := calibrate.CollectNested(ctx, src, calibrate.Options{Batch: spec.Batch, Workers: e.env.Jobs}, sizes)
	if err != nil {
		return err
	}
	for i, s := range all {
		if err := e.store.Put(statisticsKind, ids[i], map[string][]byte{statisticsFile: s.Append(nil)}); err != nil {
			return err
		}
		e.histograms[ids[i]] = s
	}
	ev.Kind, ev.Done = CalibrationDone, largest
	e.observe(ev)
	return nil
}

// missingSizes are the numbers of pictures of a point's subset that the matrix
// has and the store has not, ascending, with the keys of their histograms.
func (e *Experiment) missingSizes(n *network, p Point) (ids []string, sizes []int, err error) {
	for _, size := range e.cfg.sizesBeside(p) {
		q := p
		if q.Images != "" {
			q.Images = strconv.Itoa(size)
		}
		k, err := e.calibrationKey(n, q)
		if err != nil {
			return nil, nil, err
		}
		if id := k.sum(); !e.store.Has(statisticsKind, id) {
			ids, sizes = append(ids, id), append(sizes, size)
		}
	}
	return ids, sizes, nil
}

// activations show the tensors of the float network, layer by layer unfused, on
// a range of pictures: a calibrate.Source.
type activations struct {
	*pixels
	program *fp32.Program
	layers  int
	workers sync.Pool // of *fp32.Worker: a batch's buffers serve the next
}

func newActivations(pix *pixels, n *network) (*activations, error) {
	program, err := fp32.PrepareUnfused(runtime.Model{Network: n.Network, Preprocess: n.preprocess})
	return &activations{pixels: pix, program: program, layers: len(n.Layers)}, err
}

// Layers is the number of tensors.
func (a *activations) Layers() int { return a.layers }

// Pictures is the number of calibration pictures.
func (a *activations) Pictures() int { return a.n() }

// Run shows the tensors of pictures from to to-1, a block at a time.
func (a *activations) Run(ctx context.Context, from, to int, see func(layer int, values []float32)) error {
	var buf []byte
	worker, _ := a.workers.Get().(*fp32.Worker)
	if worker == nil {
		worker = a.program.Worker()
	}
	defer a.workers.Put(worker)
	for ; from < to; from += block {
		if err := ctx.Err(); err != nil {
			return err
		}
		pix, err := a.Read(ctx, from, min(from+block, to), buf)
		if err != nil {
			return err
		}
		buf = pix
		err = worker.Watch(pix, func(v fp32.View) {
			v.Visit(func(values []float32) { see(v.Layer.Index, values) })
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// WriteTables writes the calibration tables of a configuration that need no
// further pass over pictures: each as TensorRT's cache and, fixed, as NVDLA's
// JSON. Both are read back and compared before they are kept.
func (e *Experiment) WriteTables(ctx context.Context, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	written := map[string]bool{}
	for _, p := range e.cfg.Expand() {
		name := p.Model + "-" + p.Dataset + "-" + p.Calibrator
		if c := e.calibrationOf(p); p.Calibrator == "" || written[name] || c != nil && !c.Main {
			continue
		}
		n, err := e.network(p.Model)
		if err != nil {
			continue // the cell has told why
		}
		k, err := e.tableKey(n, p)
		if err != nil || !e.store.Has(tableKind, k.sum()) {
			continue
		}
		scales, err := e.scales(ctx, n, p)
		if err != nil {
			return err
		}
		if err := writeTable(n, scales, filepath.Join(dir, fileName(name))); err != nil {
			return err
		}
		written[name] = true
	}
	return nil
}

// fileName makes a name safe for a file system.
func fileName(name string) string {
	b := []byte(name)
	for i, c := range b {
		if c == '/' || c == '\\' || c == ':' || c < ' ' {
			b[i] = '_'
		}
	}
	return string(b)
}

// writeTable writes base.cache and base.json.
func writeTable(n *network, scales []float32, base string) error {
	cache, text, err := encodeTables(n, scales)
	if err != nil {
		return fmt.Errorf("%s: %w", base, err)
	}
	if err := record.WriteFile(base+".cache", cache); err != nil {
		return err
	}
	return record.WriteFile(base+".json", text)
}

// encodeTables are the scales as TensorRT's cache and as NVDLA's JSON, both read
// back and compared.
func encodeTables(n *network, scales []float32) (cache, text []byte, err error) {
	t, err := table.Cache(n.Network, scales, "")
	if err != nil {
		return nil, nil, err
	}
	if cache, err = table.WriteCache(t); err != nil {
		return nil, nil, err
	}
	fixed, err := table.Fix(n.Network, t)
	if err != nil {
		return nil, nil, err
	}
	if text, err = table.WriteJSON(fixed.JSON()); err != nil {
		return nil, nil, err
	}
	return cache, text, checkTable(n, scales, cache, text)
}

// checkTable reads both forms back and compares the scales bit for bit.
func checkTable(n *network, scales []float32, cache, text []byte) error {
	fromCache, err := readScales(n, cache)
	if err != nil {
		return err
	}
	fromJSON, err := table.ReadJSON("JSON", text)
	if err != nil {
		return err
	}
	named, err := table.FixNamed(n.Network, fromJSON)
	if err != nil {
		return err
	}
	for _, got := range [][]float32{fromCache, named.Scales()} {
		if !bytes.Equal(floatBytes(got), floatBytes(scales)) {
			return errors.New("the table does not read back bit for bit")
		}
	}
	return nil
}
