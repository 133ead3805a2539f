// Command compare-onnxruntime measures bench beside ONNX Runtime on this
// machine: the same networks with the same weights, one thread each, one after
// the other in turns, and the ratio of pictures a CPU-second. See
// docs/performance.md.
package main

import (
	_ "embed"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"quantbench/harness/speed"
	"quantbench/models"
)

// onnxRuntime is the npm package that is compared with.
const onnxRuntime = "onnxruntime-node@1.30.0"

//go:embed run.js
var runJS []byte

// rate is what both programs print.
type rate struct {
	ImagesPerCPUSecond float64   `json:"images_per_cpu_second"`
	CallMilliseconds   float64   `json:"call_milliseconds"`
	Share              float64   `json:"share_of_peak"`
	Scores             []float32 `json:"scores"`
}

// setup is a run's settings.
type setup struct {
	dir, bench string
	rounds     int
	seconds    float64
	runtimes   []string
}

// contender is one way of bench to run a network.
type contender struct {
	name string
	args []string
	// integers says that ONNX Runtime's int8 is what it is compared with.
	integers bool
}

var contenders = []contender{
	{"fp32", []string{"--runtime", "fp32"}, false},
	{"fp32-winograd", []string{"--runtime", "fp32", "--winograd"}, false},
	{"tensorrt-int8", []string{"--runtime", "tensorrt-int8"}, true},
	{"nvdla-int8", []string{"--runtime", "nvdla-int8"}, true},
}

// chosen are the contenders that a network and the flags leave: Winograd's
// convolutions are for networks that have such.
func (s *setup) chosen(net *models.Network) []contender {
	suits := slices.ContainsFunc(net.Layers, func(l *models.Layer) bool {
		c, ok := l.Op.(models.Convolution)
		return ok && c.KernelH == 3 && c.StrideH == 1
	})
	var list []contender
	for _, c := range contenders {
		if slices.Contains(s.runtimes, c.name) && (suits || c.name != "fp32-winograd") {
			list = append(list, c)
		}
	}
	return list
}

func main() {
	var s setup
	cache, _ := os.UserCacheDir()
	flag.StringVar(&s.dir, "dir", filepath.Join(cache, "quantbench", "onnxruntime"), "folder for ONNX Runtime (from npm) and the models")
	flag.StringVar(&s.bench, "bench", "", "bench program; built if empty")
	flag.IntVar(&s.rounds, "rounds", 5, "rounds; each runs every program once")
	flag.Float64Var(&s.seconds, "seconds", 1, "seconds a measurement")
	names := flag.String("models", strings.Join(speed.Shapes(), ","), "networks")
	runtimes := flag.String("runtimes", "fp32,fp32-winograd,tensorrt-int8,nvdla-int8", "what of bench is measured")
	flag.Parse()
	s.runtimes = strings.Split(*runtimes, ",")
	if err := s.compare(strings.Split(*names, ",")); err != nil {
		fmt.Fprintln(os.Stderr, "compare-onnxruntime:", err)
		os.Exit(1)
	}
}

func (s *setup) compare(names []string) error {
	if err := s.install(); err != nil {
		return err
	}
	fmt.Printf("%s, 1 thread each, %d rounds of %g s; pictures a CPU-second, median [smallest .. largest of the rounds]\n\n", onnxRuntime, s.rounds, s.seconds)
	fmt.Println("| network | runtime | bench | share of peak | ONNX Runtime | ratio |")
	fmt.Println("|---|---|---|---|---|---|")
	for _, name := range names {
		if err := s.network(name); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// install gets ONNX Runtime and builds bench, where they are missing.
func (s *setup) install() error {
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(s.dir, "run.js"), runJS, 0o644); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(s.dir, "node_modules", "onnxruntime-node")); err != nil {
		if _, err := command("npm", "install", "--ignore-scripts", "--no-audit", "--prefix", s.dir, onnxRuntime); err != nil {
			return err
		}
	}
	if s.bench != "" {
		return nil
	}
	s.bench = filepath.Join(s.dir, "bench")
	_, err := command("go", "build", "-o", s.bench, "quantbench/cmd/bench")
	return err
}

func command(name string, args ...string) ([]byte, error) {
	c := exec.Command(name, args...)
	c.Stderr = os.Stderr
	out, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return out, nil
}

// peer is ONNX Runtime with one model.
type peer struct {
	model, input string
	batch        int
}

// network measures one network and prints its rows.
func (s *setup) network(name string) error {
	net, ok := speed.Shape(name)
	if !ok {
		return fmt.Errorf("no such network; choose of %s", strings.Join(speed.Shapes(), ", "))
	}
	speed.Randomize(net)
	peers := map[bool]*peer{}
	list := s.chosen(net)
	for _, c := range list {
		integers := c.integers
		if peers[integers] != nil {
			continue
		}
		p, err := s.write(net, integers)
		if err != nil {
			return err
		}
		if err := s.bestBatch(p); err != nil {
			return err
		}
		peers[integers] = p
	}
	if err := s.rows(net.Name, list, peers, 64); err != nil {
		return err
	}
	for _, p := range peers {
		p.batch = 1
	}
	return s.rows(net.Name, list, peers, 1)
}

// write exports a network, and checks that ONNX Runtime gets bench's scores.
func (s *setup) write(net *models.Network, integers bool) (*peer, error) {
	kind := map[bool]string{false: "fp32", true: "int8"}[integers]
	p := &peer{model: filepath.Join(s.dir, net.Name+"-"+kind+".onnx"), input: filepath.Join(s.dir, net.Name+".json"), batch: 1}
	var scales []float32
	var err error
	if integers {
		if scales, err = speed.Scales(net); err != nil {
			return nil, err
		}
	}
	data, err := export(net, scales)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(p.model, data, 0o644); err != nil {
		return nil, err
	}
	in := net.Input().Out
	pixels := speed.Pictures(net, 1)
	values := make([]float32, len(pixels))
	speed.Preprocess().Floats(pixels, in.C, in.H, in.W, values)
	input, err := json.Marshal(map[string]any{"shape": []int{in.C, in.H, in.W}, "values": values})
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(p.input, input, 0o644); err != nil {
		return nil, err
	}
	return p, s.check(net, p, pixels, integers)
}

// check compares the scores of one picture with the fp32 runtime's.
func (s *setup) check(net *models.Network, p *peer, pixels []byte, integers bool) error {
	program, err := speed.Prepare(net, "fp32")
	if err != nil {
		return err
	}
	want := make([]float32, net.Output().Out.Len())
	if err := program.NewWorker().Score(pixels, want); err != nil {
		return err
	}
	got, err := s.onnx(p, 0.01)
	if err != nil {
		return err
	}
	least := map[bool]float64{false: 0.999999, true: 0.97}[integers]
	if c := cosine(got.Scores, want); len(got.Scores) != len(want) || !(c >= least) {
		return fmt.Errorf("%s: the scores have a cosine of %g with bench's fp32, want at least %g", p.model, c, least)
	}
	return nil
}

func cosine(a, b []float32) float64 {
	var ab, aa, bb float64
	for i := range min(len(a), len(b)) {
		x, y := float64(a[i]), float64(b[i])
		ab, aa, bb = ab+x*y, aa+x*x, bb+y*y
	}
	return ab / math.Sqrt(aa*bb)
}

// bestBatch chooses the batch with which ONNX Runtime is fastest.
func (s *setup) bestBatch(p *peer) error {
	best, fastest := 0, 0.0
	for _, batch := range []int{1, 8, 16, 32, 64} {
		p.batch = batch
		r, err := s.onnx(p, s.seconds/2)
		if err != nil {
			return err
		}
		if r.ImagesPerCPUSecond > fastest {
			best, fastest = batch, r.ImagesPerCPUSecond
		}
	}
	p.batch = best
	return nil
}

func (s *setup) onnx(p *peer, seconds float64) (rate, error) {
	return parse(command("node", filepath.Join(s.dir, "run.js"), p.model, p.input, fmt.Sprint(p.batch), fmt.Sprint(seconds)))
}

func (s *setup) ours(name string, c contender, batch int) (rate, error) {
	args := []string{"speed", "--json", "--model", name, "--batch", fmt.Sprint(batch), "--seconds", fmt.Sprint(s.seconds)}
	return parse(command(s.bench, append(args, c.args...)...))
}

func parse(out []byte, err error) (r rate, _ error) {
	if err == nil {
		err = json.Unmarshal(out, &r)
	}
	return r, err
}

// rows measures all contenders in turns with ONNX Runtime, and prints a row each.
func (s *setup) rows(name string, list []contender, peers map[bool]*peer, batch int) error {
	ours, theirs := make([][]rate, len(list)), map[bool][]rate{}
	for range s.rounds {
		for i, c := range list {
			if len(theirs[c.integers]) == len(ours[i]) {
				t, err := s.onnx(peers[c.integers], s.seconds)
				if err != nil {
					return err
				}
				theirs[c.integers] = append(theirs[c.integers], t)
			}
			o, err := s.ours(name, c, batch)
			if err != nil {
				return err
			}
			ours[i] = append(ours[i], o)
		}
	}
	for i, c := range list {
		p, t := peers[c.integers], theirs[c.integers]
		fmt.Printf("| %s | %s | %s (batch %d) | %.0f %% | %s (batch %d) | **%s** |\n", name, c.name, spread(ours[i], perCPU), batch,
			100*middle(ours[i], func(r rate) float64 { return r.Share }), spread(t, perCPU), p.batch, ratios(ours[i], t))
	}
	return nil
}

func perCPU(r rate) float64 { return r.ImagesPerCPUSecond }

func sorted(rates []rate, of func(rate) float64) []float64 {
	var v []float64
	for _, r := range rates {
		v = append(v, of(r))
	}
	slices.Sort(v)
	return v
}

func middle(rates []rate, of func(rate) float64) float64 {
	v := sorted(rates, of)
	return v[len(v)/2]
}

func spread(rates []rate, of func(rate) float64) string {
	v := sorted(rates, of)
	digits := 0
	if v[0] < 1000 {
		digits = 1
	}
	return fmt.Sprintf("%.*f [%.*f .. %.*f]", digits, v[len(v)/2], digits, v[0], digits, v[len(v)-1])
}

// ratios divides round by round.
func ratios(a, b []rate) string {
	var v []float64
	for i := range a {
		v = append(v, a[i].ImagesPerCPUSecond/b[i].ImagesPerCPUSecond)
	}
	slices.Sort(v)
	return fmt.Sprintf("%.2f [%.2f .. %.2f]", v[len(v)/2], v[0], v[len(v)-1])
}
