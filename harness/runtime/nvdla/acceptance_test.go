package nvdla_test

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"quantbench/harness/runtime/nvdla/hardware"
	"quantbench/harness/runtime/nvdla/inspect"
	"quantbench/harness/runtime/nvdla/loadable"
	"quantbench/harness/runtime/nvdla/lower"
	"quantbench/harness/runtime/nvdla/simulate"
	"quantbench/harness/table"
	"quantbench/models/caffe"
)

// score counts what a group compared with NVIDIA's own results.
type score struct{ compared, equal, refused, bytes, unequal int }

// scoreboard is the score of each group.
type scoreboard map[string]*score

func (b scoreboard) group(name string) *score {
	if b[name] == nil {
		b[name] = &score{}
	}
	return b[name]
}

// same compares two results byte by byte.
func (s *score) same(got, want []byte) bool {
	s.compared++
	s.bytes += len(want)
	bad := max(len(got), len(want)) - min(len(got), len(want))
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			bad++
		}
	}
	s.unequal += bad
	if bad == 0 {
		s.equal++
	}
	return bad == 0
}

// TestAcceptance compares everything that NVIDIA's tools produced and that is
// here: the driver's regression goldens, the published loadables, and networks
// compiled and executed by NVIDIA's compiler and C-model, by setting. It prints a
// line a group; run it with -v.
func TestAcceptance(t *testing.T) {
	dir := os.Getenv("BENCH_DATA")
	if dir == "" {
		t.Skip("BENCH_DATA is not set: NVIDIA's loadables and their results are not part of the repository")
	}
	board := scoreboard{}
	acceptGoldens(t, board, filepath.Join(dir, "nvdla-regression"))
	acceptArticle(t, board, dir)
	acceptCases(t, board, dir)
	var names []string
	total := score{}
	for name, s := range board {
		names = append(names, name)
		total.compared, total.equal, total.refused = total.compared+s.compared, total.equal+s.equal, total.refused+s.refused
		total.bytes, total.unequal = total.bytes+s.bytes, total.unequal+s.unequal
	}
	slices.Sort(names)
	t.Logf("%-62s %8s %8s %8s %10s %8s", "group", "compared", "equal", "refused", "bytes", "unequal")
	for _, name := range names {
		s := board[name]
		t.Logf("%-62s %8d %8d %8d %10d %8d", name, s.compared, s.equal, s.refused, s.bytes, s.unequal)
	}
	t.Logf("%-62s %8d %8d %8d %10d %8d", "all", total.compared, total.equal, total.refused, total.bytes, total.unequal)
	if total.unequal != 0 || total.equal != total.compared {
		t.Errorf("%d of %d comparisons differ, in %d bytes", total.compared-total.equal, total.compared, total.unequal)
	}
	if s := board.group("KMD goldens"); s.compared != 14 || s.refused != 1 {
		t.Errorf("KMD goldens: %d compared, %d refused; want 14 and the fp16 network", s.compared, s.refused)
	}
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func glob(t *testing.T, pattern ...string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(pattern...))
	if err != nil || len(files) == 0 {
		t.Fatalf("nothing matches %s (%v)", filepath.Join(pattern...), err)
	}
	return files
}

func acceptGoldens(t *testing.T, board scoreboard, dir string) {
	s := board.group("KMD goldens")
	for _, file := range glob(t, dir, "flatbufs", "*_fbuf") {
		l, err := inspect.Open(file, readFile(t, file), "")
		if err != nil {
			t.Error(err)
			continue
		}
		m, err := simulate.New(l.Program)
		var refused *simulate.RefusedError
		if errors.As(err, &refused) && strings.Contains(err.Error(), "fp16") && strings.HasPrefix(filepath.Base(file), "NN_") {
			s.refused++
			continue
		}
		if err == nil {
			err = m.Execute(nil)
		}
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		folder := glob(t, dir, "golden", strings.TrimSuffix(filepath.Base(file), "_fbuf")+"_??????")[0]
		got, err := l.Image(m)
		if err != nil {
			t.Error(err)
		}
		sum := md5.Sum(got)
		if !s.same(got, readFile(t, filepath.Join(folder, "o_000000.dimg"))) || !bytes.Contains(readFile(t, filepath.Join(folder, "lead.md5")), []byte(hex.EncodeToString(sum[:]))) {
			t.Errorf("%s: differs from its golden", file)
		}
	}
}

// published are the outputs that belong to the article's loadables.
var published = []struct{ picture, output string }{
	{"175_4.jpg", "0 0 0 0 126 0 0 0 0 0"},
	{"cat_32.jpg", "0 0 24 92 8 0 0 0 0 0"},
	{"31_9.jpg", "0 0 0 36 0 0 0 0 70 18"},
	{"191_7.jpg", "0 0 53 1 53 1 0 0 13 0"},
}

func acceptArticle(t *testing.T, board scoreboard, data string) {
	dir := filepath.Join(data, "models/article/resnet18-cifar10-caffe")
	net := network{filepath.Join(dir, "deploy.prototxt"), filepath.Join(dir, "resnet-18.caffemodel"), filepath.Join(dir, "resnet18.cifar10.fixed.json")}
	for _, profile := range []lower.Profile{lower.Basic, lower.Default, lower.Performance, lower.FastMath} {
		mine := net.compile(t, lower.Options{Target: hardware.Small, Profile: profile})
		l := open(t, filepath.Join(dir, "loadables", string(profile)+".nvdla"))
		sameOperations(t, board.group("article: operations of the compiled network"), mine, l.Program)
		sameConstants(t, board.group("article: weights and operands of the compiled network"), mine, l.Program)
		if profile != lower.FastMath {
			continue
		}
		for _, c := range published {
			path := filepath.Join(dir, "Image", c.picture)
			for what, p := range map[string]*hardware.Program{"loadable": l.Program, "compiled network": mine} {
				got := runPicture(t, p, path, false)
				if !board.group("article: outputs of the "+what).same([]byte(got), []byte(c.output)) {
					t.Errorf("%s, %s: %s, published %s", what, c.picture, got, c.output)
				}
			}
		}
	}
	dir = filepath.Join(data, "models/article/lenet-mnist-caffe")
	net = network{filepath.Join(dir, "lenet/lenet.prototxt"), filepath.Join(dir, "lenet/lenet.caffemodel"), filepath.Join(dir, "lenet.int8.json")}
	mine, l := net.compile(t, lower.Options{Target: hardware.Small}), open(t, filepath.Join(dir, "fast-math.nvdla"))
	sameOperations(t, board.group("article: operations of the compiled network"), mine, l.Program)
	sameConstants(t, board.group("article: weights and operands of the compiled network"), mine, l.Program)
	for what, p := range map[string]*hardware.Program{"loadable": l.Program, "compiled network": mine} {
		got := runPicture(t, p, filepath.Join(data, "nvdla-regression/digits/seven.pgm"), true)
		board.group("article: outputs of the "+what).same([]byte(got), []byte("0 0 0 0 0 0 0 119 0 0"))
	}
}

// runPicture is the output for a picture; invert turns black on white around.
func runPicture(t *testing.T, p *hardware.Program, path string, invert bool) string {
	t.Helper()
	pic, err := loadable.ReadPicture(path, readFile(t, path))
	if err != nil {
		t.Fatal(err)
	}
	for i := range pic.Pixels {
		if invert {
			pic.Pixels[i] = 255 - pic.Pixels[i]
		}
	}
	in, err := pic.Input(p.Input)
	if err != nil {
		t.Fatal(err)
	}
	m, err := simulate.New(p)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Execute(in); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(loadable.FormatRaw(m.Output())))
}

func open(t *testing.T, path string) *inspect.Loadable {
	t.Helper()
	l, err := inspect.Open(path, readFile(t, path), "")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// network is the files of a network.
type network struct{ prototxt, caffemodel, table string }

func (n network) lower(t *testing.T, opt lower.Options) (*hardware.Program, error) {
	t.Helper()
	net, err := caffe.Read(n.prototxt, n.caffemodel)
	if err != nil {
		t.Fatal(err)
	}
	scales, err := table.ReadJSON(n.table, readFile(t, n.table))
	if err != nil {
		t.Fatal(err)
	}
	p, _, err := inspect.Compile(net, scales, opt)
	return p, err
}

func (n network) compile(t *testing.T, opt lower.Options) *hardware.Program {
	t.Helper()
	p, err := n.lower(t, opt)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// places are the parts of an operation that name memory: the compiler allocates
// it otherwise than the lowering, and a file numbers it otherwise than the driver.
var places = regexp.MustCompile(`"addr":-?\d+,"offset":\d+,`)

func placeless(b []byte) []byte { return bytes.TrimSpace(places.ReplaceAll(b, nil)) }

// taskIndex is the number of a CPU task's operation: a file counts it within the
// task, the lowering within the program.
var taskIndex = regexp.MustCompile(`"index":\d+, ("op":"(?:softmax|power)")`)

// operations are a program's operations as JSON, in order of execution, without
// places.
func operations(t *testing.T, p *hardware.Program) [][]byte {
	t.Helper()
	var list [][]byte
	for order, i := range lower.ExecutionOrder(p.Operations) {
		var b bytes.Buffer
		if err := lower.WriteOperation(&b, order, &p.Operations[i]); err != nil {
			t.Fatal(err)
		}
		list = append(list, taskIndex.ReplaceAll(placeless(b.Bytes()), []byte("$1")))
	}
	return list
}

func sameOperations(t *testing.T, s *score, mine, theirs *hardware.Program) {
	t.Helper()
	a, b := operations(t, mine), operations(t, theirs)
	if len(a) != len(b) {
		t.Errorf("%d operations, the compiler made %d", len(a), len(b))
	}
	for i := range min(len(a), len(b)) {
		if !s.same(a[i], b[i]) {
			t.Errorf("%s\nthe compiler has\n%s", a[i], b[i])
		}
	}
}

// sameConstants compares the weights and operands of every operation.
func sameConstants(t *testing.T, s *score, mine, theirs *hardware.Program) {
	t.Helper()
	for i := range min(len(mine.Operations), len(theirs.Operations)) {
		a, b := &mine.Operations[i], &theirs.Operations[i]
		for _, pair := range [][2]hardware.Cube{{a.Weights, b.Weights}, {a.X1, b.X1}, {a.X2, b.X2}} {
			if got := constant(mine, pair[0]); got != nil && !s.same(got, constant(theirs, pair[1])) {
				t.Errorf("operation %d (%s): weights or operands differ", i, a.Kind)
			}
		}
	}
}

// constant is the data that a cube has before the first operation; nil if none.
func constant(p *hardware.Program, q hardware.Cube) []byte {
	if q.Size == 0 || q.Region < 0 || q.Offset+q.Size > len(p.Regions[q.Region].Init) {
		return nil
	}
	return p.Regions[q.Region].Init[q.Offset : q.Offset+q.Size]
}
