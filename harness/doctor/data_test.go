package doctor

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"quantbench/harness/diagnose"
	"quantbench/harness/table"
	"quantbench/models/caffe"
)

func dataDir(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("BENCH_DATA")
	if dir == "" {
		t.Skip("BENCH_DATA is not set: published networks and tables are not part of the repository")
	}
	return dir
}

func load(t *testing.T, prototxt, caffemodel, tab string) Subject {
	t.Helper()
	n, err := caffe.Read(prototxt, caffemodel)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(tab)
	if err != nil {
		t.Fatal(err)
	}
	return Subject{Network: n, Table: readTable(t, tab, string(b))}
}

// counts is how often each code was found.
func counts(fs []diagnose.Finding) string {
	n := map[string]int{}
	var order []string
	for _, f := range fs {
		if n[f.Code]++; n[f.Code] == 1 {
			order = append(order, f.Code)
		}
	}
	for i, c := range order {
		order[i] = fmt.Sprintf("%s x%d", c, n[c])
	}
	return strings.Join(order, ", ")
}

// What the published networks and their tables suffer from.
func TestPublishedNetworks(t *testing.T) {
	dir := dataDir(t)
	article := filepath.Join(dir, "models", "article")
	cifar, imagenet := filepath.Join(article, "resnet18-cifar10-caffe"), filepath.Join(article, "resnet18-imagenet-caffe")
	lenet := filepath.Join(article, "lenet-mnist-caffe")
	for _, c := range []struct {
		prototxt, caffemodel, table string
		want                        string
		facts                       []string
	}{
		{lenet + "/lenet/lenet.prototxt", lenet + "/lenet/lenet.caffemodel", lenet + "/lenet.int8.json", "NV110 x1", nil},
		{lenet + "/lenet/lenet.prototxt", lenet + "/lenet/lenet.caffemodel", lenet + "/lenet.calibaration.table", "NV110 x1", nil},
		{cifar + "/deploy.prototxt", cifar + "/resnet-18.caffemodel", cifar + "/resnet18.cifar10.fixed.json", "NV131 x8, NV108 x1, NV110 x1",
			[]string{"a mean near 128 subtracted", `"group0_block0_relu" is produced with the smaller scale and saturates at 0.41 of its range`}},
		{imagenet + "/deploy.prototxt", "", imagenet + "/resnet18.imagenet.fixed.int8.json", "NV131 x8, NV108 x1, NV109 x1, NV110 x1, NV144 x1",
			[]string{"127*scale = 151", "a mean near 104 subtracted", "its range is 0.1977", "up to 5 classes can tie"}},
		{imagenet + "/deploy.prototxt", "", dir + "/calibration/LeiWang1999+leiblog.wang__post_resnet18_imagenet_trt7202.cache", "NV131 x8, NV108 x1, NV109 x1, NV110 x1, NV144 x1", nil},
	} {
		got := Examine(load(t, c.prototxt, c.caffemodel, c.table))
		if counts(got) != c.want {
			t.Errorf("%s: %s, want %s", c.table, counts(got), c.want)
		}
		for _, fact := range c.facts {
			if !strings.Contains(fmt.Sprint(got), fact) {
				t.Errorf("%s: nothing says %q", c.table, fact)
			}
		}
	}
}

// What the vendor's compiler refused is an error here, and what it compiled is
// none of NV112, NV118 and NV147; tables that are traps are told.
func TestCompiledCases(t *testing.T) {
	dirs, _ := filepath.Glob(filepath.Join(dataDir(t), "nvdla-cases", "*", "*.*.*"))
	refused := 0
	for _, dir := range dirs {
		setting := strings.Split(filepath.Base(dir), ".")
		up := filepath.Dir(dir)
		if len(setting) < 3 || filepath.Base(up) == "r01_lenet_leiwang" || setting[0] != "nv_small" && setting[0] != "nv_full" {
			continue // its weights lie elsewhere
		}
		s := load(t, filepath.Join(up, "deploy.prototxt"), filepath.Join(up, "net.caffemodel"), filepath.Join(up, "calib.json"))
		s.Target, s.Mode, s.Profile = setting[0], setting[1], setting[2]
		if len(setting) > 3 {
			s.InputFormat = setting[3]
		}
		log, err := os.ReadFile(filepath.Join(dir, "compile.log"))
		if err != nil {
			t.Fatal(err)
		}
		failed := strings.Contains(string(log), "failed compilation phase")
		errors := 0
		found := Examine(s)
		if !failed {
			compareWithLower(t, s, found)
		}
		for _, f := range found {
			switch f.Code {
			case meanLimit, refusedLayer, cyclicGraph, surfaceFormat:
				errors++
			}
		}
		if failed {
			refused++
		}
		if failed != (errors > 0) {
			t.Errorf("%s: the compiler failed: %v; errors here: %d", dir, failed, errors)
		}
	}
	if refused != 4 {
		t.Errorf("%d compilations failed, want 4", refused)
	}
}

// The makers' table for ResNet-50 before they renamed its rows.
func TestUnnamedRows(t *testing.T) {
	path := filepath.Join(dataDir(t), "calibration", "nvdla+sw__resnet50_prefix_unnamed.json")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	tab, err := table.Read("resnet50.json", b)
	if err != nil {
		t.Fatal(err)
	}
	got := LintTable(tab)
	if len(got) != 1 || got[0].Code != noRow || !strings.Contains(got[0].Fact, "of 229 rows are called like") {
		t.Errorf("%v", got)
	}
}
