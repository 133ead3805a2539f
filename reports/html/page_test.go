package html

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"quantbench/harness/record"
	"quantbench/reports/internal/testrun"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func write(t *testing.T, r *record.Run) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestSameRunSameBytes(t *testing.T) {
	first, second := write(t, testrun.Whole()), write(t, testrun.Whole())
	if first != second {
		t.Error("two pages of the same run differ")
	}
}

// TestGolden compares everything but the bundle, which has its own checksum.
func TestGolden(t *testing.T) {
	run := testrun.New(testrun.Shape{Models: []string{"tiny5"}, Datasets: []string{"invented"}, Calibrators: []string{"entropy2", "minmax"}, Pictures: 500, Layers: true, Flips: true, Gates: true, Tables: true})
	got := strings.Replace(write(t, run), echartsScript, "ECHARTS", 1)
	path := filepath.Join("testdata", "report.golden.html")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the page differs from %s; look at the difference, then run with -update", path)
	}
}

func TestPageIsOneSafeFile(t *testing.T) {
	page := write(t, testrun.Whole())
	if len(page) > 1_200_000 {
		t.Errorf("page has %d bytes, want at most 1,200,000", len(page))
	}
	if strings.Contains(page, "<script>alert(1)") {
		t.Error("a name in the data became a script")
	}
	for _, part := range []string{"sha256-", "Apache License", "Mike Bostock", "Microsoft Corporation", "Baidu"} {
		if !strings.Contains(page, part) {
			t.Errorf("page lacks %q", part)
		}
	}
	if n := strings.Count(page, "<script>"); n != 2 {
		t.Errorf("%d scripts with code, want 2: bundle and boot", n)
	}
}

// TestManyClasses lists changes where a matrix is too large to draw, and numbers
// classes that have no name.
func TestManyClasses(t *testing.T) {
	run := testrun.New(testrun.Shape{Models: []string{"tiny5"}, Datasets: []string{"invented"}, Calibrators: []string{"entropy2"}, Pictures: 200, Flips: true})
	run.Datasets = nil
	for i := range run.Cells {
		c := &run.Cells[i]
		c.Confusion = make([][]int, 30)
		for y := range c.Confusion {
			c.Confusion[y] = make([]int, 30)
			c.Confusion[y][y] = 7 - i
			c.Confusion[y][(y+3)%30] = i
		}
		for j := range c.Flips {
			c.Flips[j].PNG = nil
		}
	}
	page := write(t, run)
	for _, part := range []string{"largest changes", "class 9", "no picture"} {
		if !strings.Contains(page, part) {
			t.Errorf("page lacks %q", part)
		}
	}
	if strings.Contains(page, `id="o-fig-confusion`) {
		t.Error("a matrix of 30 classes is drawn")
	}
}
