package nvdla_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"quantbench/harness/runtime/nvdla/hardware"
	"quantbench/harness/runtime/nvdla/inspect"
	"quantbench/harness/runtime/nvdla/loadable"
	"quantbench/harness/runtime/nvdla/lower"
	"quantbench/harness/runtime/nvdla/simulate"
)

func acceptCases(t *testing.T, board scoreboard, data string) {
	for _, log := range glob(t, data, "nvdla-cases", "*", "*", "compile.log") {
		folder := filepath.Dir(log)
		c := oneCase{T: t, board: board, folder: folder, setting: filepath.Base(folder), net: caseNetwork(data, filepath.Dir(folder))}
		c.accept()
	}
}

// caseNetwork: one case has its weights elsewhere.
func caseNetwork(data, dir string) network {
	n := network{filepath.Join(dir, "deploy.prototxt"), filepath.Join(dir, "net.caffemodel"), filepath.Join(dir, "calib.json")}
	if _, err := os.Stat(n.caffemodel); err != nil {
		n.caffemodel = filepath.Join(data, "models/article/lenet-mnist-caffe/lenet/lenet.caffemodel")
	}
	return n
}

// oneCase is a network with one setting of the compiler.
type oneCase struct {
	*testing.T
	board           scoreboard
	folder, setting string
	net             network
}

func (c oneCase) group(what string) *score { return c.board.group(c.setting + ": " + what) }

func (c oneCase) options() lower.Options {
	part := strings.Split(c.setting, ".")
	t, err := inspect.Target(part[0])
	if err != nil {
		c.Fatal(err)
	}
	opt := lower.Options{Target: t, Mode: lower.Mode(part[1]), Profile: lower.Profile(part[2])}
	if len(part) > 3 {
		opt.InputFormat = lower.InputFormat(part[3])
	}
	return opt
}

func (c oneCase) accept() {
	mine, err := c.net.lower(c.T, c.options())
	files, _ := filepath.Glob(filepath.Join(c.folder, "*.nvdla"))
	if len(files) == 0 {
		if err == nil {
			c.Errorf("%s: lowered, but the compiler fails", c.folder)
		} else {
			c.group("lowered, operations").refused++
		}
		return
	}
	if err != nil {
		c.Errorf("%s: %v", c.folder, err)
		return
	}
	theirs := open(c.T, files[0])
	if want := strings.Split(c.setting, ".")[0]; theirs.Program.Target.Name != want {
		c.Errorf("%s: taken for %s", files[0], theirs.Program.Target.Name)
	}
	sameOperations(c.T, c.group("lowered, operations"), mine, theirs.Program)
	sameConstants(c.T, c.group("lowered, weights and operands"), mine, theirs.Program)
	if !c.group("lowered, fingerprint").same([]byte(lower.Fingerprint(mine)), []byte(lower.Fingerprint(theirs.Program))) {
		c.Errorf("%s: the loadable's fingerprint differs from that of the lowered network", c.folder)
	}
	outputs, _ := filepath.Glob(filepath.Join(c.folder, "output.*.dimg"))
	for _, path := range outputs {
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(path), "output."), ".dimg")
		c.run("loadable", theirs.Program, name, path, filepath.Join(c.folder, "dump."+name))
		c.run("lowered", mine, name, path, "")
	}
}

// run compares an output, and every file of a dump if there is one.
func (c oneCase) run(what string, p *hardware.Program, name, output, dump string) {
	m, err := simulate.New(p)
	if err != nil {
		c.Errorf("%s: %v", c.folder, err)
		return
	}
	dir := c.TempDir()
	r, err := inspect.NewRecorder(dir, p)
	if err != nil {
		c.Fatal(err)
	}
	m.Observe = r.Observe
	if err := m.Execute(c.input(p, name)); err != nil {
		c.Errorf("%s: %v", c.folder, err)
	}
	if r.Err() != nil {
		c.Fatal(r.Err())
	}
	if !c.group(what+", output").same(loadable.FormatRaw(m.Output()), readFile(c.T, output)) {
		c.Errorf("%s: the output of the %s program differs", output, what)
	}
	if dump != "" {
		c.sameDump(dir, dump)
	}
}

// input is the case's tensor or picture.
func (c oneCase) input(p *hardware.Program, name string) []int8 {
	path := filepath.Join(filepath.Dir(c.folder), name+".i8")
	read := inspect.Tensor
	if _, err := os.Stat(path); err != nil {
		path, read = strings.TrimSuffix(path, "i8")+"pgm", inspect.Picture
	}
	in, err := read(p, path, readFile(c.T, path))
	if err != nil {
		c.Fatal(err)
	}
	return in
}

// sameDump compares two folders of dumps: the same files of hardware operations,
// the same bytes; JSON without places.
func (c oneCase) sameDump(mine, theirs string) {
	names := func(dir string) (list []string) {
		for _, path := range glob(c.T, dir, "op*") {
			list = append(list, filepath.Base(path))
		}
		return list
	}
	want := names(theirs)
	if got := names(mine); !slices.Equal(got, want) {
		c.Errorf("%s: files %v, want %v", theirs, got, want)
		return
	}
	for _, name := range want {
		a, b := readFile(c.T, filepath.Join(mine, name)), readFile(c.T, filepath.Join(theirs, name))
		if strings.HasSuffix(name, ".json") {
			a, b = placeless(a), placeless(b)
		}
		if !c.group("loadable, dumps").same(a, b) {
			c.Errorf("%s of %s differs", name, theirs)
		}
	}
}
