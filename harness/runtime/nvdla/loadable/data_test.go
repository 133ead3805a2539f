package loadable

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"quantbench/harness/runtime/nvdla/hardware"
	"quantbench/harness/runtime/nvdla/simulate"
)

// dataDir is the shared data's folder, or the test is skipped.
func dataDir(t *testing.T, sub string) string {
	t.Helper()
	dir := os.Getenv("BENCH_DATA")
	if dir == "" {
		t.Skip("BENCH_DATA is not set: NVIDIA's loadables and their results are not part of the repository")
	}
	return filepath.Join(dir, sub)
}

func mustRead(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// tally counts what a group compared.
type tally struct{ compared, equal, refused int }

func (n tally) String() string {
	return fmt.Sprintf("compared %d, equal %d, refused as expected %d", n.compared, n.equal, n.refused)
}

func TestKMDGoldens(t *testing.T) {
	dir := dataDir(t, "nvdla-regression")
	files, _ := filepath.Glob(filepath.Join(dir, "flatbufs", "*_fbuf"))
	var n tally
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), "_fbuf")
		golden, _ := filepath.Glob(filepath.Join(dir, "golden", name+"_??????"))
		if len(golden) != 1 {
			t.Errorf("%s: %d goldens", name, len(golden))
			continue
		}
		compareGolden(t, &n, file, golden[0])
	}
	t.Logf("KMD goldens: %v", n)
	if n.compared != 14 || n.equal != 14 || n.refused != 1 {
		t.Errorf("want 14 equal and NN_L0_0 (fp16) refused")
	}
}

func compareGolden(t *testing.T, n *tally, file, golden string) {
	p, err := Read(file, mustRead(t, file))
	if err != nil {
		t.Error(err)
		return
	}
	m, err := simulate.New(p)
	var refused *simulate.RefusedError
	if errors.As(err, &refused) && strings.Contains(err.Error(), "fp16") {
		n.refused++
		t.Logf("%s: %v", filepath.Base(file), err)
		return
	}
	n.compared++
	if err != nil {
		t.Errorf("%s: %v", filepath.Base(file), err)
		return
	}
	if err := m.Execute(nil); err != nil {
		t.Errorf("%s: %v", filepath.Base(file), err)
		return
	}
	path := filepath.Join(golden, "o_000000.dimg")
	want := mustRead(t, path)
	d, err := ReadDIMG(path, want)
	if err != nil {
		t.Error(err)
		return
	}
	got, err := d.Gather(m.Memory(p.Output.Cube.Region)[p.Output.Cube.Offset:])
	if err != nil {
		t.Errorf("%s: %v", filepath.Base(file), err)
		return
	}
	sum := md5.Sum(d.File(got))
	lead := string(mustRead(t, filepath.Join(golden, "lead.md5")))
	if !bytes.Equal(got, d.Data) || !strings.Contains(lead, hex.EncodeToString(sum[:])) {
		t.Errorf("%s on %s: differs from golden, %x", filepath.Base(file), p.Target.Name, sum)
		return
	}
	n.equal++
}

// runs says which picture each published or reference result belongs to.
var article = []struct {
	loadable, picture string
	invert            bool
	logits, output    string
}{
	{"resnet18-cifar10-caffe/loadables/fast-math.nvdla", "175_4.jpg", false, "-19 -20 -3 2 45 11 3 1 -3 -17", "0 0 0 0 126 0 0 0 0 0"},
	{"resnet18-cifar10-caffe/loadables/fast-math.nvdla", "cat_32.jpg", false, "-6 -17 21 25 18 -3 0 -8 -11 -18", "0 0 24 92 8 0 0 0 0 0"},
	{"resnet18-cifar10-caffe/loadables/fast-math.nvdla", "31_9.jpg", false, "-8 -18 -13 18 3 2 -19 -2 20 16", "0 0 0 36 0 0 0 0 70 18"},
	{"resnet18-cifar10-caffe/loadables/fast-math.nvdla", "191_7.jpg", false, "0 -24 12 2 12 1 -3 0 8 -8", "0 0 53 1 53 1 0 0 13 0"},
	{"lenet-mnist-caffe/fast-math.nvdla", "seven.pgm", true, "-15 -2 23 19 -32 -5 -49 68 -12 9", "0 0 0 0 0 0 0 119 0 0"},
}

func TestArticle(t *testing.T) {
	dir := dataDir(t, "models/article")
	var n tally
	for _, c := range article {
		file := filepath.Join(dir, c.loadable)
		p, err := Read(file, mustRead(t, file))
		if err != nil {
			t.Fatal(err)
		}
		m, err := simulate.New(p)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "resnet18-cifar10-caffe/Image", c.picture)
		if strings.HasSuffix(c.picture, ".pgm") {
			path = filepath.Join(dir, "../../nvdla-regression/digits", c.picture)
		}
		logits, out := runPicture(t, m, path, c.invert)
		n.compared++
		if logits != c.logits || out != c.output {
			t.Errorf("%s on %s, %s: logits %s, output %s; want %s, %s", c.loadable, p.Target.Name, c.picture, logits, out, c.logits, c.output)
			continue
		}
		n.equal++
	}
	t.Logf("article: %v", n)
	countOperations(t, filepath.Join(dir, "resnet18-cifar10-caffe/loadables"))
	for _, profile := range []string{"basic", "default", "performance"} {
		file := filepath.Join(dir, "resnet18-cifar10-caffe/loadables", profile+".nvdla")
		p, err := Read(file, mustRead(t, file))
		if err == nil {
			_, err = simulate.New(p)
		}
		if err != nil {
			t.Errorf("%s: %v", profile, err)
		}
	}
}

// countOperations checks how many hardware operations the article's network has,
// CPU tasks not counted.
func countOperations(t *testing.T, dir string) {
	for profile, want := range map[string]int{"fast-math": 49, "basic": 140} {
		file := filepath.Join(dir, profile+".nvdla")
		p, err := Read(file, mustRead(t, file))
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for i := range p.Operations {
			if p.Operations[i].Kind < hardware.CPUPower {
				n++
			}
		}
		if n != want {
			t.Errorf("%s has %d hardware operations, want %d", profile, n, want)
		}
	}
}

// runPicture runs a picture file; it returns what softmax read and the output.
func runPicture(t *testing.T, m *simulate.Machine, path string, invert bool) (logits, output string) {
	t.Helper()
	pic, err := ReadPicture(path, mustRead(t, path))
	if err != nil {
		t.Fatal(err)
	}
	if invert {
		for i := range pic.Pixels {
			pic.Pixels[i] = 255 - pic.Pixels[i]
		}
	}
	in, err := pic.Input(m.Program().Input)
	if err != nil {
		t.Fatal(err)
	}
	m.Observe = func(d simulate.Dump) {
		if d.Op.Kind == hardware.CPUSoftmax {
			logits = integers(d.Src[:d.Op.Src.C])
		}
	}
	if _, err := m.Run(in); err != nil {
		t.Fatal(err)
	}
	return logits, strings.TrimSpace(string(FormatRaw(m.Output())))
}

func integers(b []byte) string {
	var s []string
	for _, v := range b {
		s = append(s, fmt.Sprint(int8(v)))
	}
	return strings.Join(s, " ")
}

func TestCompiledCases(t *testing.T) {
	dir := dataDir(t, "nvdla-cases")
	files, _ := filepath.Glob(filepath.Join(dir, "*", "*", "*.nvdla"))
	groups := map[string]*[2]tally{}
	for _, file := range files {
		setting := filepath.Base(filepath.Dir(file))
		if groups[setting] == nil {
			groups[setting] = &[2]tally{}
		}
		compareCase(t, groups[setting], file)
	}
	var names []string
	for s := range groups {
		names = append(names, s)
	}
	slices.Sort(names)
	for _, s := range names {
		t.Logf("%-36s outputs: %v; dumps: %v", s, groups[s][0], groups[s][1])
	}
	if len(files) < 70 {
		t.Errorf("only %d loadables found", len(files))
	}
}

// compareCase runs one loadable on each of its inputs.
func compareCase(t *testing.T, n *[2]tally, file string) {
	p, err := Read(file, mustRead(t, file))
	if err != nil {
		t.Error(err)
		return
	}
	folder := filepath.Dir(file)
	if want := strings.SplitN(filepath.Base(folder), ".", 2)[0]; p.Target.Name != want {
		t.Errorf("%s: target %s", file, p.Target.Name)
	}
	m, err := simulate.New(p)
	if err != nil {
		t.Errorf("%s: %v", file, err)
		return
	}
	outputs, _ := filepath.Glob(filepath.Join(folder, "output.*.dimg"))
	for _, path := range outputs {
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(path), "output."), ".dimg")
		compareRun(t, n, m, folder, name, path)
	}
}

func compareRun(t *testing.T, n *[2]tally, m *simulate.Machine, folder, name, path string) {
	dump := filepath.Join(folder, "dump."+name)
	checked := 0
	m.Observe = func(d simulate.Dump) { checked += compareDump(t, &n[1], dump, d) }
	out, err := m.Run(caseInput(t, m.Program(), filepath.Dir(folder), name))
	if err != nil {
		t.Errorf("%s: %v", path, err)
		return
	}
	if files, _ := filepath.Glob(filepath.Join(dump, "*.bin")); checked != len(files) {
		t.Errorf("%s: compared %d of %d files", dump, checked, len(files))
	}
	want, err := ReadRaw(path, mustRead(t, path))
	if err != nil {
		t.Error(err)
		return
	}
	n[0].compared++
	if !slices.EqualFunc(out, want, func(a int8, b int) bool { return int(a) == b }) {
		t.Errorf("%s: output differs", path)
		return
	}
	n[0].equal++
}

// caseInput is input.i8, or the picture of that name.
func caseInput(t *testing.T, p *hardware.Program, dir, name string) []int8 {
	if b, err := os.ReadFile(filepath.Join(dir, name+".i8")); err == nil {
		in := make([]int8, len(b))
		for i, v := range b {
			in[i] = int8(v)
		}
		return in
	}
	path := filepath.Join(dir, name+".pgm")
	pic, err := ReadPicture(path, mustRead(t, path))
	if err != nil {
		t.Fatal(err)
	}
	in, err := pic.Input(p.Input)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// compareDump compares the recorded files of one operation, found by its index.
func compareDump(t *testing.T, n *tally, dir string, d simulate.Dump) (compared int) {
	kind := d.Op.Kind.String()
	files, _ := filepath.Glob(filepath.Join(dir, "op*_"+kind+".json"))
	for _, f := range files {
		var meta struct{ Index int }
		if err := json.Unmarshal(mustRead(t, f), &meta); err != nil {
			t.Fatal(err)
		}
		if meta.Index != d.Op.Index || d.Op.Kind >= hardware.CPUPower {
			continue
		}
		for ext, got := range map[string][]byte{"src": d.Src, "x1": d.X1, "x2": d.X2, "y": d.Y, "dst": d.Dst} {
			path := strings.TrimSuffix(f, "json") + ext + ".bin"
			want, err := os.ReadFile(path)
			if err != nil {
				continue
			}
			compared++
			n.compared++
			if !bytes.Equal(got, want) {
				t.Errorf("%s: differs (%d and %d bytes)", path, len(got), len(want))
				continue
			}
			n.equal++
		}
	}
	return compared
}

func BenchmarkCIFARResNet(b *testing.B) {
	benchmark(b, "resnet18-cifar10-caffe/loadables/fast-math.nvdla")
}
func BenchmarkLeNet(b *testing.B) { benchmark(b, "lenet-mnist-caffe/fast-math.nvdla") }

func benchmark(b *testing.B, name string) {
	dir := os.Getenv("BENCH_DATA")
	if dir == "" {
		b.Skip("BENCH_DATA is not set")
	}
	file := filepath.Join(dir, "models/article", name)
	data, err := os.ReadFile(file)
	if err != nil {
		b.Fatal(err)
	}
	p, err := Read(file, data)
	if err != nil {
		b.Fatal(err)
	}
	m, err := simulate.New(p)
	if err != nil {
		b.Fatal(err)
	}
	q := p.Input.Cube
	in := make([]int8, q.C*q.H*q.W)
	for i := range in {
		in[i] = int8(i * 31 % 128)
	}
	for b.Loop() {
		if _, err := m.Run(in); err != nil {
			b.Fatal(err)
		}
	}
}
