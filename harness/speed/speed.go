// Package speed measures how fast a runtime scores pictures on this machine:
// pictures a second and a CPU-second, and how near that comes to what the
// processor's multipliers could do at most.
//
// Its opinion: the figure to compare is pictures a CPU-second, because it
// repeats on a busy machine where wall clock does not; and weights do not
// matter for speed, so that well-known shapes can be measured without any.
package speed

import (
	"errors"
	"fmt"
	"math/rand/v2"
	goruntime "runtime"
	"slices"
	"sync"
	"time"

	"quantbench/datasets"
	"quantbench/harness/compute/kernel"
	"quantbench/harness/diagnose"
	"quantbench/harness/runtime"
	"quantbench/harness/runtime/fp32"
	"quantbench/harness/runtime/nvdla"
	"quantbench/harness/runtime/nvdla/lower"
	"quantbench/harness/runtime/tensorrt"
	"quantbench/models"
)

// Options say what is measured.
type Options struct {
	// Runtime is a name of Runtimes.
	Runtime string
	// Winograd makes fp32 use Winograd's convolutions.
	Winograd bool
	// Threads is the number of goroutines, each with a worker and pictures of its
	// own; at least 1.
	Threads int
	// Batch is the number of pictures a call; at least 1.
	Batch int
	// Duration is how long calls are made; at least one is.
	Duration time.Duration
}

// Result is one measurement. Rates count what all threads did together; those a
// CPU-second divide by the processor time that they used together.
type Result struct {
	Model              string  `json:"model"`
	Runtime            string  `json:"runtime"`
	Winograd           bool    `json:"winograd,omitempty"`
	Level              string  `json:"level"` // the kernels' instruction level
	Threads            int     `json:"threads"`
	Batch              int     `json:"batch"`
	Images             int     `json:"images"`
	Seconds            float64 `json:"seconds"`
	CPUSeconds         float64 `json:"cpu_seconds"`
	ImagesPerSecond    float64 `json:"images_per_second"`
	ImagesPerCPUSecond float64 `json:"images_per_cpu_second"`
	CallMilliseconds   float64 `json:"call_milliseconds"` // median
	MACs               int64   `json:"macs_per_image"`
	MACsPerSecond      float64 `json:"macs_per_second"`
	MACsPerCPUSecond   float64 `json:"macs_per_cpu_second"`
	Peak               float64 `json:"peak_macs_per_second"` // of one core
	ShareOfPeak        float64 `json:"share_of_peak"`
	// MemoryBytes is what the program, its workers and their pictures hold, without
	// the network's own weights.
	MemoryBytes int64    `json:"memory_bytes"`
	Warnings    []string `json:"warnings,omitempty"`
}

// runtimes are what can be measured.
var runtimes = []runtime.Runtime{fp32.Runtime{}, tensorrt.Runtime{}, nvdla.Runtime{Target: "nv_full"}}

// Runtimes names the runtimes that can be measured.
func Runtimes() []string {
	var names []string
	for _, r := range runtimes {
		names = append(names, r.Name())
	}
	return names
}

// Prepare compiles a network with weights for a runtime. The integer runtimes
// are calibrated with random pictures.
func Prepare(net *models.Network, name string) (runtime.Program, error) {
	return prepare(net, Options{Runtime: name})
}

// prepare compiles a network as options say.
func prepare(net *models.Network, o Options) (runtime.Program, error) {
	name := o.Runtime
	i := slices.IndexFunc(runtimes, func(r runtime.Runtime) bool { return r.Name() == name })
	if i < 0 {
		return nil, fmt.Errorf("no runtime is called %q%s", name, diagnose.DidYouMean(name, Runtimes()))
	}
	m := runtime.Model{Network: net, Preprocess: Preprocess()}
	if name == (fp32.Runtime{}).Name() {
		return fp32.Runtime{Winograd: o.Winograd}.Prepare(m)
	}
	if o.Winograd {
		return nil, fmt.Errorf("runtime %s has no Winograd convolutions; only fp32 has", name)
	}
	var err error
	if m.Scales, err = Scales(net); err != nil {
		return nil, err
	}
	return runtimes[i].Prepare(m)
}

// Preprocess is how measured pictures become a network's input: -1..1.
func Preprocess() datasets.Preprocess {
	return datasets.Preprocess{Mean: []float32{127.5}, Scale: 1 / 127.5}
}

// Pictures are n random pictures for a network, the same every time.
func Pictures(net *models.Network, n int) []byte {
	r := rand.New(rand.NewPCG(3, 4))
	pixels := make([]byte, n*net.Input().Out.Len())
	for i := range pixels {
		pixels[i] = byte(r.Uint32())
	}
	return pixels
}

// Scales calibrates a network with random pictures: the largest magnitude of
// each layer's tensor becomes 127.
func Scales(net *models.Network) ([]float32, error) {
	p, err := fp32.PrepareUnfused(runtime.Model{Network: net, Preprocess: Preprocess()})
	if err != nil {
		return nil, err
	}
	largest := make([]float32, len(net.Layers))
	err = p.Worker().Watch(Pictures(net, 4), func(v fp32.View) {
		v.Visit(func(values []float32) {
			for _, x := range values {
				largest[v.Layer.Index] = max(largest[v.Layer.Index], x, -x)
			}
		})
	})
	for i, x := range largest {
		largest[i] = x / 127
		if x == 0 {
			largest[i] = 1
		}
	}
	return largest, err
}

// Measure prepares a network and runs it for a while.
func Measure(net *models.Network, o Options) (*Result, error) {
	if o.Threads < 1 || o.Batch < 1 {
		return nil, fmt.Errorf("%d threads with batches of %d; both must be at least 1", o.Threads, o.Batch)
	}
	held := heap()
	program, err := prepare(net, o)
	if err != nil {
		return nil, err
	}
	r := &Result{Model: net.Name, Runtime: o.Runtime, Winograd: o.Winograd, Level: kernel.Level(), Threads: o.Threads, Batch: o.Batch, MACs: net.MACs()}
	for _, w := range program.Warnings() {
		var accuracy *lower.Warning // means nothing with random scales
		if !errors.As(w, &accuracy) {
			r.Warnings = append(r.Warnings, w.Error())
		}
	}
	integers := o.Runtime != fp32.Runtime{}.Name()
	before := Peak(integers)
	lanes, err := r.run(net, program, o)
	if err != nil {
		return nil, err
	}
	r.MemoryBytes = heap() - held
	goruntime.KeepAlive(lanes)
	r.rates(max(before, Peak(integers)))
	return r, nil
}

// lane is one goroutine's work.
type lane struct {
	worker runtime.Worker
	pixels []byte
	scores []float32
	calls  []time.Duration
	err    error
}

// run lets every thread call until the time is over, after a call that warms
// its caches.
func (r *Result) run(net *models.Network, p runtime.Program, o Options) ([]lane, error) {
	lanes := make([]lane, o.Threads)
	for i := range lanes {
		l := &lanes[i]
		l.worker, l.pixels = p.NewWorker(), Pictures(net, o.Batch)
		l.scores = make([]float32, o.Batch*net.Output().Out.Len())
		if err := l.worker.Score(l.pixels, l.scores); err != nil {
			return nil, err
		}
	}
	start, cpu := time.Now(), cpuTime()
	var wait sync.WaitGroup
	for i := range lanes {
		wait.Go(func() { lanes[i].until(start.Add(o.Duration)) })
	}
	wait.Wait()
	r.Seconds, r.CPUSeconds = time.Since(start).Seconds(), (cpuTime() - cpu).Seconds()
	var calls []time.Duration
	for i := range lanes {
		if lanes[i].err != nil {
			return nil, lanes[i].err
		}
		calls = append(calls, lanes[i].calls...)
	}
	slices.Sort(calls)
	r.Images = len(calls) * o.Batch
	r.CallMilliseconds = calls[len(calls)/2].Seconds() * 1e3
	return lanes, nil
}

// heap is the number of bytes in use, after a collection.
func heap() int64 {
	goruntime.GC()
	var m goruntime.MemStats
	goruntime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func (l *lane) until(end time.Time) {
	for last := time.Now(); ; {
		if l.err = l.worker.Score(l.pixels, l.scores); l.err != nil {
			return
		}
		now := time.Now()
		l.calls = append(l.calls, now.Sub(last))
		if !now.Before(end) {
			return
		}
		last = now
	}
}

// rates computes what follows from the counts.
func (r *Result) rates(peak float64) {
	r.ImagesPerSecond = float64(r.Images) / r.Seconds
	r.ImagesPerCPUSecond = float64(r.Images) / r.CPUSeconds
	r.MACsPerSecond = r.ImagesPerSecond * float64(r.MACs)
	r.MACsPerCPUSecond = r.ImagesPerCPUSecond * float64(r.MACs)
	r.Peak, r.ShareOfPeak = peak, r.MACsPerCPUSecond/peak
}
