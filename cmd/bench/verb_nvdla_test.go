package main

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"quantbench/models/zoo"
)

// writeAll writes files into a folder.
func writeAll(t *testing.T, dir string, files map[string][]byte) {
	t.Helper()
	for name, data := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// lenetTable is a table with plausible scales for the shipped LeNet.
const lenetTable = `{"data": {"scale": 0.0078}, "conv1": {"scale": 0.02}, "pool1": {"scale": 0.02}, "conv2": {"scale": 0.05}, "pool2": {"scale": 0.05},
"ip1": {"scale": 0.05}, "relu1": {"scale": 0.05}, "ip2": {"scale": 0.15}, "prob": {"scale": 0.0078}}`

// nvdlaFolder is a folder with the files that docs/nvdla.md speaks of.
func nvdlaFolder(t *testing.T) string {
	t.Helper()
	pool, err := os.ReadFile("../../harness/runtime/nvdla/loadable/testdata/pool.nvdla")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{
		"network.nvdla": pool, "picture.i8": {1, 2, 3, 4, 5, 6, 7, 8}, "int8.json": []byte(lenetTable), "shoe.i8": make([]byte, 28*28),
		"recorded/a.i8": {0, 0, 0, 0, 0, 0, 0, 0}, "recorded/a.txt": []byte("64 64 "),
		"recorded/b.i8": {0, 1, 9, 9, 0, 0, 9, 9}, "recorded/b.txt": []byte("93 34"),
	}
	files["picture.pgm"] = append([]byte("P5 4 2 255\n"), files["picture.i8"]...)
	m, _ := zoo.Named("lenet5")
	for name, path := range map[string]string{"deploy.prototxt": m.Prototxt, "net.caffemodel": m.Caffemodel} {
		data, err := zoo.Files().(interface{ ReadFile(string) ([]byte, error) }).ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = data
	}
	dir := t.TempDir()
	writeAll(t, dir, files)
	return dir
}

// TestNVDLADocument runs every command of docs/nvdla.md.
func TestNVDLADocument(t *testing.T) {
	doc, err := os.ReadFile("../../docs/nvdla.md")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(nvdlaFolder(t))
	n := 0
	for _, block := range shBlock.FindAllSubmatch(doc, -1) {
		for line := range strings.Lines(string(block[1])) {
			args, ok := strings.CutPrefix(strings.TrimSpace(line), "bench ")
			if !ok {
				t.Errorf("a command that no test runs: %q", line)
				continue
			}
			program(t, args)
			n++
		}
	}
	if n < 8 {
		t.Errorf("only %d commands", n)
	}
}

// TestNVDLAExitCodes: 2 for what the user or the compiler's limits are to blame
// for, 5 for missing files, 1 for differences.
func TestNVDLAExitCodes(t *testing.T) {
	t.Chdir(nvdlaFolder(t))
	writeAll(t, ".", map[string][]byte{"other/a.i8": make([]byte, 8), "other/a.txt": []byte("64 63 ")})
	for line, want := range map[string]int{
		"run --loadable network.nvdla --tensor picture.i8 --rawdump -":                                         exitOK,
		"run --loadable network.nvdla --tensor shoe.i8 --rawdump -":                                            exitUsage,
		"run --loadable net.caffemodel --tensor shoe.i8 --rawdump -":                                           exitUsage,
		"run --loadable network.nvdla --tensor nowhere --rawdump -":                                            exitMissing,
		"run --loadable nowhere --tensor picture.i8 --rawdump -":                                               exitMissing,
		"run --loadable network.nvdla --tensor picture.i8":                                                     exitUsage,
		"run --loadable network.nvdla --configtarget nv_small --tensor picture.i8 --rawdump -":                 exitUsage,
		"compile --prototxt deploy.prototxt --caffemodel net.caffemodel --calibtable nowhere":                  exitMissing,
		"compile --prototxt nowhere --caffemodel net.caffemodel --calibtable int8.json":                        exitMissing,
		"compile --prototxt deploy.prototxt --caffemodel deploy.prototxt --calibtable int8.json":               exitUsage,
		"compile --prototxt deploy.prototxt --caffemodel net.caffemodel --calibtable int8.json --profile fast": exitUsage,
		"show nowhere":                exitMissing,
		"show int8.json":              exitUsage,
		"cycles --loadable int8.json": exitUsage,
		"verify --loadable network.nvdla --against recorded": exitOK,
		"verify --loadable network.nvdla --against other":    exitFailed,
		"verify --loadable network.nvdla --against nowhere":  exitMissing,
		"verify --loadable network.nvdla --against .":        exitUsage,
		"squeeze": exitUsage,
	} {
		var out, log bytes.Buffer
		if got := execute(context.Background(), append([]string{"nvdla"}, strings.Fields(line)...), &out, &log); got != want {
			t.Errorf("bench nvdla %s: exit code %d, want %d\n%s", line, got, want, log.String())
		}
	}
}

// Output goes through devices and pipes, and does not replace them.
func TestNVDLAPipe(t *testing.T) {
	dir := nvdlaFolder(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	path := fmt.Sprintf("/dev/fd/%d", w.Fd())
	if _, err := os.Stat(path); err != nil {
		t.Skip("this system has no /dev/fd")
	}
	t.Chdir(dir)
	program(t, "nvdla run --loadable network.nvdla --tensor recorded/b.i8 --rawdump "+path)
	w.Close()
	if got, err := io.ReadAll(r); err != nil || string(got) != "93 34 " {
		t.Errorf("%q, %v", got, err)
	}
}

// TestNVDLAGoldens compares the md5 sums of the driver's regression.
func TestNVDLAGoldens(t *testing.T) {
	data := os.Getenv("BENCH_DATA")
	if data == "" {
		t.Skip("BENCH_DATA is not set: NVIDIA's loadables and their results are not part of the repository")
	}
	files, err := filepath.Glob(filepath.Join(data, "nvdla-regression/flatbufs/*_fbuf"))
	if err != nil || len(files) != 15 {
		t.Fatalf("%d files (%v)", len(files), err)
	}
	out := filepath.Join(t.TempDir(), "o_000000.dimg")
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), "_fbuf")
		program(t, "nvdla show "+file)
		if strings.HasPrefix(name, "NN_") {
			var log bytes.Buffer
			if code := execute(context.Background(), []string{"nvdla", "run", "--loadable", file, "--dimg", out}, &log, &log); code != exitUsage || !strings.Contains(log.String(), "fp16") {
				t.Errorf("%s: exit code %d, %s", name, code, log.String())
			}
			continue
		}
		program(t, "nvdla run --loadable "+file+" --dimg "+out)
		sums, _ := filepath.Glob(filepath.Join(data, "nvdla-regression/golden", name+"_??????", "lead.md5"))
		if sum := fmt.Sprintf("%x", md5.Sum(read(t, out))); len(sums) != 1 || !bytes.Contains(read(t, sums[0]), []byte(sum)) {
			t.Errorf("%s: md5 %s is not in %v", name, sum, sums)
		}
	}
}

// TestNVDLAArticle runs the verbs on the published networks: what belongs to the
// pictures, and the operations of every loadable.
func TestNVDLAArticle(t *testing.T) {
	data := os.Getenv("BENCH_DATA")
	if data == "" {
		t.Skip("BENCH_DATA is not set: the published networks are not part of the repository")
	}
	lenet, resnet := filepath.Join(data, "models/article/lenet-mnist-caffe")+"/", filepath.Join(data, "models/article/resnet18-cifar10-caffe")+"/"
	seven := read(t, filepath.Join(data, "nvdla-regression/digits/seven.pgm"))
	for i := len(seven) - 28*28; i < len(seven); i++ {
		seven[i] = 255 - seven[i] // the article's digits are white on black
	}
	dir := t.TempDir()
	writeAll(t, dir, map[string][]byte{"seven.pgm": seven})
	compiled := "--configtarget nv_small --prototxt " + resnet + "deploy.prototxt --caffemodel " + resnet + "resnet-18.caffemodel --calibtable " + resnet + "resnet18.cifar10.fixed.json"
	for _, c := range [][3]string{
		{"--loadable " + lenet + "fast-math.nvdla", filepath.Join(dir, "seven.pgm"), "0 0 0 0 0 0 0 119 0 0"},
		{"--loadable " + resnet + "loadables/fast-math.nvdla", resnet + "Image/175_4.jpg", "0 0 0 0 126 0 0 0 0 0"},
		{"--loadable " + resnet + "loadables/fast-math.nvdla", resnet + "Image/cat_32.jpg", "0 0 24 92 8 0 0 0 0 0"},
		{"--loadable " + resnet + "loadables/fast-math.nvdla", resnet + "Image/31_9.jpg", "0 0 0 36 0 0 0 0 70 18"},
		{"--loadable " + resnet + "loadables/fast-math.nvdla", resnet + "Image/191_7.jpg", "0 0 53 1 53 1 0 0 13 0"},
		{compiled, resnet + "Image/cat_32.jpg", "0 0 24 92 8 0 0 0 0 0"},
	} {
		if got := strings.TrimSpace(program(t, "nvdla run "+c[0]+" --image "+c[1]+" --rawdump -")); got != c[2] {
			t.Errorf("%s, %s: %s, published %s", c[0], c[1], got, c[2])
		}
	}
	for profile, want := range map[string]int{"fast-math": 49, "basic": 140, "default": 0, "performance": 0} {
		file := resnet + "loadables/" + profile + ".nvdla"
		if !strings.Contains(program(t, "nvdla show "+file), "target nv_small") || !strings.Contains(program(t, "nvdla cycles --loadable "+file), "modelled on nv_small") {
			t.Errorf("%s: target", profile)
		}
		var out struct{ Operations, CPU []any }
		if err := json.Unmarshal([]byte(program(t, "nvdla compile "+compiled+" --profile "+profile)), &out); err != nil {
			t.Fatal(err)
		}
		if want > 0 && len(out.Operations) != want || len(out.CPU) != 1 {
			t.Errorf("%s: %d operations, %d tasks", profile, len(out.Operations), len(out.CPU))
		}
	}
}

// TestNVDLACases runs the verbs on NVIDIA's own cases: outputs and dumps of the
// loadables, and operations of the compiled networks.
func TestNVDLACases(t *testing.T) {
	data := os.Getenv("BENCH_DATA")
	if data == "" {
		t.Skip("BENCH_DATA is not set: NVIDIA's loadables and their results are not part of the repository")
	}
	commands, err := filepath.Glob(filepath.Join(data, "nvdla-cases/*/*/cmd.txt"))
	if err != nil || len(commands) < 70 {
		t.Fatalf("%d cases (%v)", len(commands), err)
	}
	outputs, dumps, refused := 0, 0, 0
	for _, file := range commands {
		folder := filepath.Dir(file)
		loadables, _ := filepath.Glob(filepath.Join(folder, "*.nvdla"))
		recorded, _ := filepath.Glob(filepath.Join(folder, "output.*.dimg"))
		for _, path := range recorded {
			outputs++
			dumps += caseRun(t, loadables[0], path)
		}
		if !caseCompile(t, data, folder, len(loadables) == 0) {
			refused++
		}
	}
	t.Logf("%d cases: %d outputs and %d files of dumps equal, %d refused as expected", len(commands), outputs, dumps, refused)
}

// caseRun compares the output and the dumps of one recorded run, and has verify
// agree.
func caseRun(t *testing.T, loadable, recorded string) (files int) {
	t.Helper()
	folder, dir := filepath.Dir(loadable), t.TempDir()
	name := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(recorded), "output."), ".dimg")
	flag, input := "--tensor", filepath.Join(filepath.Dir(folder), name+".i8")
	if _, err := os.Stat(input); err != nil {
		flag, input = "--image", strings.TrimSuffix(input, "i8")+"pgm"
	}
	out, ops := filepath.Join(dir, "out"), filepath.Join(dir, "ops")
	program(t, strings.Join([]string{"nvdla run --loadable", loadable, flag, input, "--rawdump", out, "--dump", ops}, " "))
	sameFile(t, out, recorded)
	theirs, _ := filepath.Glob(filepath.Join(folder, "dump."+name, "*.bin"))
	mine, _ := filepath.Glob(filepath.Join(ops, "op*.bin"))
	if len(mine) != len(theirs) {
		t.Errorf("%s: %d files, want %d", folder, len(mine), len(theirs))
	}
	for _, path := range theirs {
		sameFile(t, filepath.Join(ops, filepath.Base(path)), path)
	}
	in, want := read(t, input), read(t, recorded)
	writeAll(t, dir, map[string][]byte{"pairs/x" + filepath.Ext(input): in, "pairs/x.dimg": want})
	if said := program(t, "nvdla verify --loadable "+loadable+" --against "+filepath.Join(dir, "pairs")); !strings.Contains(said, "0 mismatches in 1 pictures") {
		t.Errorf("%s: %s", loadable, said)
	}
	return len(theirs)
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func sameFile(t *testing.T, got, want string) {
	t.Helper()
	if !bytes.Equal(read(t, got), read(t, want)) {
		t.Errorf("%s differs", want)
	}
}

// caseCompile compares the operations of a compiled network with the dumps; false
// if it is refused, as it must be where the compiler failed.
func caseCompile(t *testing.T, data, folder string, fails bool) bool {
	t.Helper()
	dir, part := filepath.Dir(folder), append(strings.Split(filepath.Base(folder), "."), "nchw")
	model := filepath.Join(dir, "net.caffemodel")
	if _, err := os.Stat(model); err != nil {
		model = filepath.Join(data, "models/article/lenet-mnist-caffe/lenet/lenet.caffemodel")
	}
	var out, log bytes.Buffer
	code := execute(context.Background(), []string{"nvdla", "compile", "--prototxt", filepath.Join(dir, "deploy.prototxt"), "--caffemodel", model,
		"--calibtable", filepath.Join(dir, "calib.json"), "--configtarget", part[0], "--quantizationMode", part[1], "--profile", part[2], "--informat", part[3], "-o", "-"}, &out, &log)
	if fails {
		if code != exitUsage || out.Len() > 0 || !strings.Contains(log.String(), "deploy.prototxt:") {
			t.Errorf("%s: exit code %d, %s", folder, code, log.String())
		}
		return false
	}
	if code != exitOK {
		t.Errorf("%s: exit code %d, %s", folder, code, log.String())
		return true
	}
	sameOperations(t, folder, out.Bytes())
	return true
}

func sameOperations(t *testing.T, folder string, output []byte) {
	t.Helper()
	var mine struct{ Operations []map[string]any }
	if err := json.Unmarshal(output, &mine); err != nil {
		t.Fatal(err)
	}
	dumps, _ := filepath.Glob(filepath.Join(folder, "dump.*"))
	files, _ := filepath.Glob(filepath.Join(dumps[0], "op*.json"))
	if len(files) != len(mine.Operations) {
		t.Errorf("%s: %d operations, the compiler made %d", folder, len(mine.Operations), len(files))
		return
	}
	for i, path := range files {
		var theirs map[string]any
		if err := json.Unmarshal(read(t, path), &theirs); err != nil {
			t.Fatal(err)
		}
		for _, op := range []map[string]any{theirs, mine.Operations[i]} {
			for _, name := range []string{"src", "dst", "weight", "x1", "x2", "y"} {
				if cube, ok := op[name].(map[string]any); ok {
					delete(cube, "addr") // memory is placed otherwise
					delete(cube, "offset")
				}
			}
		}
		if !reflect.DeepEqual(theirs, mine.Operations[i]) {
			t.Errorf("%s: %v, compiled %v", path, theirs, mine.Operations[i])
		}
	}
}

// TestCertificate goes the whole way: a run leaves a table; the network compiled
// with it is recorded and verified; the report says that the certificate speaks
// for the run's cell of that target, and for no other.
func TestCertificate(t *testing.T) {
	prototxt, err := filepath.Abs("../../models/zoo/lenet5/deploy.prototxt")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	t.Chdir(dir)
	t.Setenv("XDG_CACHE_HOME", filepath.Join(dir, ".cache"))
	writeAll(t, dir, map[string][]byte{"small.yaml": []byte(`version: 1
models: [lenet5]
datasets: [{name: fashion-mnist, images: 20, calibration: {images: 20, batch: 10}}]
matrix: {runtime: [fp32, nvdla-int8], calibrator: [minmax], target: [nv_small, nv_full]}
`)})
	program(t, "run small.yaml -q -o first")
	network := "--prototxt " + prototxt + " --caffemodel " + strings.TrimSuffix(prototxt, "deploy.prototxt") + "lenet5.caffemodel" +
		" --calibtable first/tables/lenet5-fashion-mnist-minmax.json --configtarget nv_small --quantizationMode per-filter"
	for i := range 3 {
		tensor := make([]byte, 28*28)
		for j := range tensor {
			tensor[j] = byte((i*7 + j*j) % 128)
		}
		writeAll(t, dir, map[string][]byte{fmt.Sprintf("recorded/%d.i8", i): tensor})
		program(t, fmt.Sprintf("nvdla run %s --tensor recorded/%d.i8 --rawdump recorded/%d.txt", network, i, i))
	}
	program(t, "nvdla verify "+network+" --against recorded -o certificate.json")
	program(t, "run small.yaml -q -o second --certificate certificate.json")
	page := string(read(t, "second/report.html"))
	if want := "deploy.prototxt on nv_small: 3 of 3 recorded pictures equal in every element, the program of 1 cell here"; !strings.Contains(page, want) {
		t.Errorf("the report does not say %q", want)
	}
	var out, log bytes.Buffer
	if code := execute(context.Background(), strings.Fields("run small.yaml -q -o third --certificate small.yaml"), &out, &log); code == exitOK || !strings.Contains(log.String(), "small.yaml: not a certificate") {
		t.Errorf("a file that is no certificate: exit code %d, %s", code, log.String())
	}
}
