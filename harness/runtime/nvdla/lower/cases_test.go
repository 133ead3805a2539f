package lower_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"sort"
	"strings"
	"testing"

	"quantbench/harness/runtime/nvdla/hardware"
	"quantbench/harness/runtime/nvdla/lower"
	"quantbench/models"
	"quantbench/models/caffe"
)

// benchData is the folder of NVIDIA's own results, or skips the test.
func benchData(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("BENCH_DATA")
	if dir == "" {
		t.Skip("BENCH_DATA is not set: the dumps of NVIDIA's compiler and C-model are not here")
	}
	return dir
}

// tableOf reads an NVDLA JSON table into scales by layer.
func tableOf(t *testing.T, net *models.Network, path string) []float32 {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var rows map[string]struct{ Scale float32 }
	if err := json.Unmarshal(data, &rows); err != nil {
		t.Fatal(err)
	}
	scales := make([]float32, len(net.Layers))
	for i, l := range net.Layers {
		scales[i] = rows[l.Name].Scale
	}
	return scales
}

// configuration is one compiled setting of a case.
type configuration struct {
	dir, name string // name: the folder's, TARGET.MODE.PROFILE[.INFORMAT]
	options   lower.Options
	compiles  bool
}

func configurations(t *testing.T, dir string) []configuration {
	t.Helper()
	logs, _ := filepath.Glob(filepath.Join(dir, "*", "compile.log"))
	var out []configuration
	for _, log := range logs {
		c := configuration{dir: filepath.Dir(log), name: filepath.Base(filepath.Dir(log))}
		part := strings.Split(c.name, ".")
		target, ok := hardware.TargetNamed(part[0])
		if !ok {
			t.Fatalf("%s: unknown target", c.dir)
		}
		c.options = lower.Options{Target: target, Mode: lower.Mode(part[1]), Profile: lower.Profile(part[2])}
		if len(part) > 3 {
			c.options.InputFormat = lower.InputFormat(part[3])
		}
		loadables, _ := filepath.Glob(filepath.Join(c.dir, "*.nvdla"))
		c.compiles = len(loadables) > 0
		out = append(out, c)
	}
	return out
}

func loadCase(t *testing.T, dir string) *models.Network {
	t.Helper()
	model := filepath.Join(dir, "net.caffemodel")
	if _, err := os.Stat(model); err != nil {
		model = filepath.Join(benchData(t), "models/article/lenet-mnist-caffe/lenet/lenet.caffemodel")
	}
	net, err := caffe.Read(filepath.Join(dir, "deploy.prototxt"), model)
	if err != nil {
		t.Fatal(err)
	}
	return net
}

// tally counts per group of settings.
type tally map[string]*[3]int // compared, equal, refused as expected

func (a tally) group(c configuration) *[3]int {
	key := strings.Join([]string{c.options.Target.Name, string(c.options.Mode), string(c.options.Profile), string(c.options.InputFormat)}, " ")
	if a[key] == nil {
		a[key] = new([3]int)
	}
	return a[key]
}

func (a tally) print(t *testing.T) {
	var keys []string
	for k := range a {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for _, k := range keys {
		t.Logf("%-40s %3d compared, %3d equal, %d refused as expected", k, a[k][0], a[k][1], a[k][2])
	}
}

// TestCases compares every lowered case with what NVIDIA's compiler programmed:
// number, kind and order of operations, every field of their descriptors, the
// operand words, and the weight bytes.
func TestCases(t *testing.T) {
	dirs, _ := filepath.Glob(filepath.Join(benchData(t), "nvdla-cases", "*", "deploy.prototxt"))
	counts := tally{}
	for _, d := range dirs {
		dir := filepath.Dir(d)
		net := loadCase(t, dir)
		scales := tableOf(t, net, filepath.Join(dir, "calib.json"))
		for _, c := range configurations(t, dir) {
			t.Run(filepath.Base(dir)+"/"+c.name, func(t *testing.T) { compareCase(t, net, scales, c, counts.group(c)) })
		}
	}
	counts.print(t)
}

func compareCase(t *testing.T, net *models.Network, scales []float32, c configuration, count *[3]int) {
	p, _, err := lower.Lower(net, scales, c.options)
	if !c.compiles {
		if err == nil {
			t.Fatal("lowered, but the compiler fails")
		}
		count[2]++
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	count[0]++
	differences := compareDumps(t, p, c.dir)
	for i, d := range differences {
		if i == 12 {
			t.Errorf("... and %d more", len(differences)-i)
			break
		}
		t.Error(d)
	}
	if differences == nil {
		count[1]++
	}
}

func compareDumps(t *testing.T, p *hardware.Program, dir string) (bad []string) {
	t.Helper()
	var b bytes.Buffer
	if err := lower.WriteJSON(&b, p); err != nil {
		t.Fatal(err)
	}
	var mine struct{ Operations []map[string]any }
	if err := json.Unmarshal(b.Bytes(), &mine); err != nil {
		t.Fatal(err)
	}
	dumps, _ := filepath.Glob(filepath.Join(dir, "dump.*"))
	files, _ := filepath.Glob(filepath.Join(dumps[0], "op*.json"))
	sort.Strings(files)
	ops := mine.Operations
	if len(ops) != len(files) {
		return []string{fmt.Sprintf("%d operations, the compiler made %d", len(ops), len(files))}
	}
	loadables, _ := filepath.Glob(filepath.Join(dir, "*.nvdla"))
	loadable, err := os.ReadFile(loadables[0])
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var theirs map[string]any
		if err := json.Unmarshal(data, &theirs); err != nil {
			t.Fatal(err)
		}
		bad = append(bad, compareFields(filepath.Base(f), "", ops[i], theirs)...)
		bad = append(bad, compareBytes(p, operation(p, ops[i]), strings.TrimSuffix(f, ".json"), loadable)...)
	}
	return bad
}

// operation finds what an object of the JSON describes.
func operation(p *hardware.Program, object map[string]any) *hardware.Operation {
	return &p.Operations[int(object["index"].(float64))]
}

// compareFields compares everything but addresses and offsets, which name
// memory that the compiler allocated.
func compareFields(file, path string, mine, theirs any) (bad []string) {
	m, ok := theirs.(map[string]any)
	if !ok {
		if !reflect.DeepEqual(mine, theirs) {
			bad = append(bad, fmt.Sprintf("%s%s: %v, the compiler has %v", file, path, mine, theirs))
		}
		return bad
	}
	own, _ := mine.(map[string]any)
	for k, v := range m {
		if k == "addr" || k == "offset" && path != ".out_cvt" && path != ".in_cvt" {
			continue
		}
		bad = append(bad, compareFields(file, path+"."+k, own[k], v)...)
	}
	return bad
}

// compareBytes compares operands with their dump, and looks for the weights in
// the loadable.
func compareBytes(p *hardware.Program, op *hardware.Operation, stem string, loadable []byte) (bad []string) {
	region := func(c hardware.Cube) []byte {
		return p.Regions[c.Region].Init[c.Offset : c.Offset+c.Size]
	}
	if op.Kind == hardware.Conv && !bytes.Contains(loadable, region(op.Weights)) {
		bad = append(bad, filepath.Base(stem)+": the weight bytes are not in the compiler's file")
	}
	if op.Kind != hardware.SDP || op.SDP.X1.Mode != hardware.PerChannel {
		return bad
	}
	want, err := os.ReadFile(stem + ".x1.bin")
	if err != nil {
		return append(bad, err.Error())
	}
	if got := region(op.X1); !bytes.Equal(got, want[:min(len(got), len(want))]) || len(want) < len(got) {
		bad = append(bad, fmt.Sprintf("%s: X1 operands % x, the compiler has % x (%d and %d bytes)", filepath.Base(stem), got[:min(24, len(got))], want[:min(24, len(want))], len(got), len(want)))
	}
	return bad
}
