package harness

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"quantbench/harness/answers"
	"quantbench/harness/record"
)

// runConfig runs a configuration on its own store.
func runConfig(t *testing.T, text string) (*Experiment, *record.Run) {
	t.Helper()
	cfg, err := ParseConfig(filepath.Join(t.TempDir(), "test.yaml"), []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	store, err := record.OpenStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	e := New(cfg, Environment{Getenv: os.Getenv, DataDirs: []string{t.TempDir()}, Clock: SystemClock{}, Jobs: 1, NoTiming: true}, store)
	run, err := e.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return e, run
}

const resnets = `
version: 1
imports:
  - {file: "${BENCH_DATA}/mlperf/closed__dividiti__hikey960-tflite-v1.15__resnet__singlestream.json.gz", labels: "${BENCH_DATA}/imagenet/val.txt",
     model: resnet50, dataset: imagenet, runtime: fp32}
  - {file: "${BENCH_DATA}/mlperf/closed__NVIDIA__T4x8__resnet__Server.json.gz", labels: "${BENCH_DATA}/imagenet/val.txt",
     model: resnet50, dataset: imagenet, runtime: TensorRT int8}
`

// ResNet-50 of MLPerf, fp32 against TensorRT int8, with its paired test.
func TestImportMLPerf(t *testing.T) {
	if os.Getenv("BENCH_DATA") == "" {
		t.Skip("BENCH_DATA is not set: MLPerf's logs do not ship")
	}
	_, run := runConfig(t, resnets)
	ref, c := run.Cells[0], run.Cells[1]
	if ref.Correct != 38261 || c.Correct != 38017 || c.Images != 50000 || c.Lost-c.Won != 244 || c.Reference != ref.ID {
		t.Errorf("%d and %d right of %d, %d lost, %d won", ref.Correct, c.Correct, c.Images, c.Lost, c.Won)
	}
	// The normal approximation, (lost-won)^2/(lost+won), is 31.6: p below 1e-7.
	if c.McNemarP == nil || *c.McNemarP > 1e-7 || *c.McNemarP < 1e-9 || !c.DifferenceInterval.Contains(-0.00488) || c.DifferenceInterval.Hi >= 0 {
		t.Errorf("p %v, interval %v", c.McNemarP, c.DifferenceInterval)
	}
}

// Where the configuration lists the dataset, an import is scored on the pictures
// that are there, found by name.
func TestImportOnOurPictures(t *testing.T) {
	data := os.Getenv("BENCH_DATA")
	if data == "" {
		t.Skip("BENCH_DATA is not set: MLPerf's logs do not ship")
	}
	e, run := runConfig(t, resnets+"datasets:\n  - {name: imagenet, path: \"${BENCH_DATA}/imagenet/val-sample\"}\n")
	c := run.Cells[1]
	if c.Status != record.OK || c.Images != 1300 {
		t.Fatalf("%+v", c)
	}
	// The same by hand: the log's answers by file name.
	set, err := answers.Read("log", must(os.ReadFile(filepath.Join(data, "mlperf/closed__NVIDIA__T4x8__resnet__Server.json.gz"))), answers.Options{})
	if err != nil {
		t.Fatal(err)
	}
	labels, err := answers.ReadLabels("val.txt", must(os.ReadFile(filepath.Join(data, "imagenet/val.txt"))))
	if err != nil {
		t.Fatal(err)
	}
	whole, err := set.Match(labels, answers.Allow{})
	if err != nil {
		t.Fatal(err)
	}
	right := map[string]bool{}
	for i, p := range whole.Predictions {
		right[whole.Pictures[i]] = p.Correct(whole.Labels[i])
	}
	list, err := e.Answers(context.Background())
	if err != nil || len(list) != 2 {
		t.Fatal(len(list), err)
	}
	good := 0
	for _, p := range list[1].Pictures {
		r, ok := right[filepath.Base(p)]
		if !ok {
			t.Fatalf("%s is no picture of val.txt", p)
		}
		if r {
			good++
		}
	}
	if good != c.Correct {
		t.Errorf("%d right, by hand %d", c.Correct, good)
	}
}

func must(data []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return data
}

// Imports of one file by other names are other cells; another file is another key.
func TestImportKeys(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	a, b := write("a.csv", "id,label,pred\nx,0,0\ny,1,1\n"), write("b.csv", "id,label,pred\ny,1,0\nx,0,0\n")
	line := func(file, runtime string) string {
		return "  - {file: " + file + ", model: m, dataset: d, runtime: " + runtime + "}\n"
	}
	_, run := runConfig(t, "version: 1\nimports:\n"+line(a, "fp32")+line(a, "other")+line(b, "third"))
	ids := map[string]bool{}
	for _, c := range run.Cells {
		ids[c.ID] = true
		if c.Status != record.OK || c.Images != 2 || c.Imported == nil || c.Imported.SHA256 == "" || c.Runtime != "fp32" && c.Reference != run.Cells[0].ID {
			t.Errorf("%+v", c)
		}
	}
	if len(ids) != 3 || run.Cells[2].Lost != 1 || run.Cells[1].Lost != 0 || len(run.Gates) != 0 {
		t.Errorf("%d keys; %+v", len(ids), run.Cells[2])
	}
	if len(run.Manifest.Files) != 3 || !strings.HasSuffix(run.Manifest.Files[0].Name, "a.csv") {
		t.Errorf("%+v", run.Manifest.Files)
	}
}
