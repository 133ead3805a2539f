package doctor

import (
	"strings"
	"testing"

	"quantbench/datasets"
	"quantbench/harness/stats"
)

func TestNumberedFolders(t *testing.T) {
	text := []string{"0", "1", "10", "11", "2", "3"}
	f := NumberedFolders(datasets.Info{Name: "folder", Split: "test", Classes: text})
	if len(f) != 1 || f[0].Code != numberedFolders || !strings.Contains(f[0].Fact, `folder "10" is class 2 of 6`) {
		t.Errorf("%+v", f)
	}
	for _, classes := range [][]string{nil, {"0", "1", "2"}, {"00", "01", "02"}, {"cat", "10", "2"}, {"0", "1", "-5"}} {
		if f := NumberedFolders(datasets.Info{Classes: classes}); len(f) > 0 {
			t.Errorf("%v: %+v", classes, f)
		}
	}
}

func TestOverlapping(t *testing.T) {
	if f := Overlapping(datasets.Overlaps{Calibration: 3, Evaluation: 5}); len(f) > 0 {
		t.Errorf("%+v", f)
	}
	f := Overlapping(datasets.Overlaps{Calibration: 3, Evaluation: 5, Pictures: []datasets.Overlap{{A: "c/1", B: "e/2", LabelA: 1, LabelB: 1}}, Repeated: []datasets.Overlap{{A: "e/0", B: "e/4", LabelA: 1, LabelB: 7}}})
	var got []string
	for _, x := range f {
		got = append(got, x.Code+" "+x.Fact)
	}
	want := []string{
		"DS102 1 of 5 evaluation pictures are calibration pictures too, first e/2 = c/1",
		"DS103 1 of 5 evaluation pictures repeat an earlier one, first e/4 = e/0",
		"DS104 1 pairs of equal pictures have different labels, first e/0 (1) and e/4 (7)",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%s", strings.Join(got, "\n"))
	}
}

func TestPermutedLabels(t *testing.T) {
	c := stats.NewConfusion(10)
	for label := range 10 {
		for range 8 {
			c.Add(label, 9-label)
		}
	}
	if f := PermutedLabels(c); len(f) != 1 || f[0].Code != permutedLabels || f[0].Fact != "class = 9 - label: right would be 80 of 80 instead of 0" {
		t.Errorf("%+v", f)
	}
	if f := PermutedLabels(nil); len(f) > 0 {
		t.Errorf("%+v", f)
	}
}
