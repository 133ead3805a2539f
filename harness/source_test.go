package harness

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"quantbench/harness/record"
	networks "quantbench/models/catalogue"
)

// Every network of the catalogue that is at hand scores what it is known to
// score, with its own preprocessing and by its name alone.
func TestKnownNetworks(t *testing.T) {
	data := os.Getenv("BENCH_DATA")
	// SqueezeNet was counted by another program; the shipped networks are also
	// tested where plain Go rounds fp32 otherwise.
	within := map[string]int{"squeezenet-v1.1": 3, "lenet5": 2, "resnet18": 2}
	for _, e := range networks.List() {
		if len(e.Known) == 0 || e.Known[0].Correct == 0 || e.Unknown != "" || testing.Short() && (e.Dataset == "imagenet" || e.Name == "resnet18") {
			continue
		}
		t.Run(e.Name, func(t *testing.T) {
			if data == "" && !e.Shipped {
				t.Skip("BENCH_DATA is not set: the network and its pictures do not ship")
			}
			x := experiment(t, t.TempDir(), fmt.Sprintf("version: 1\nmodels: [%s]\ndatasets: [%s]\nmatrix: {runtime: fp32}", e.Name, e.Dataset), nil)
			x.env.DataDirs = []string{data}
			c := mustRun(t, x).Cells[0]
			k := e.Known[0]
			if off := c.Correct - k.Correct; c.Status != record.OK || c.Images != k.Images || max(off, -off) > within[e.Name] {
				t.Errorf("%d of %d, known are %d of %d: %s", c.Correct, c.Images, k.Correct, k.Images, c.Reason)
			}
		})
	}
}

// What is missing skips its cells and says what helps; what is damaged fails them.
func TestNetworkReasons(t *testing.T) {
	const config = "version: 1\nmodels: [lenet-mnist, cifar10-full]\ndatasets: [fashion-mnist]\nmatrix: {runtime: fp32}"
	x := experiment(t, t.TempDir(), config, nil)
	cells := x.Plan()
	if c := cells[0]; c.Broken || c.Command != "bench model get lenet-mnist" || !strings.Contains(c.Skip, "lenet.prototxt is not on this machine") {
		t.Errorf("%+v", c)
	}
	x = experiment(t, t.TempDir(), config, nil)
	dir := t.TempDir()
	x.env.DataDirs = []string{dir}
	path := filepath.Join(dir, "models", "lenet-mnist", "lenet.prototxt")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("<html>"), 0o644); err != nil {
		t.Fatal(err)
	}
	if c := x.Plan()[0]; !c.Broken || !strings.Contains(c.Skip, "size is 6 instead of 1737") {
		t.Errorf("%+v", c)
	}
}
