package html

import (
	"strings"
	"testing"

	"quantbench/harness/record"
	"quantbench/reports/internal/testrun"
)

// withGraph gives the run's models a small network each.
func withGraph(r *record.Run) *record.Run {
	for i := range r.Models {
		r.Models[i].Graph = &record.Graph{Nodes: []record.GraphNode{
			{Name: "data", Type: "Input", Out: [3]int{1, 28, 28}},
			{Name: "conv<1>", Type: "Convolution", Detail: "16 of 3x3", Out: [3]int{16, 26, 26}, From: []int{0}, Parameters: 160, MACs: 97344},
			{Name: "left", Type: "Convolution", Detail: "16 of 1x1", Out: [3]int{16, 26, 26}, From: []int{1}, Parameters: 272, MACs: 32448},
			{Name: "sum", Type: "Eltwise", Detail: "sum", Out: [3]int{16, 26, 26}, From: []int{2, 1}},
		}}
	}
	return r
}

func TestNetworks(t *testing.T) {
	page := write(t, withGraph(testrun.Whole()))
	for _, part := range []string{`id="networks"`, "most work is in conv&lt;1&gt; (75.0 %)", "most weights are in left (63.0", "<summary>Graph</summary>"} {
		if !strings.Contains(page, part) {
			t.Errorf("page lacks %q", part)
		}
	}
	if strings.Contains(page, "conv<1>") {
		t.Error("a name became markup")
	}
	if strings.Contains(page, `"nodes"`) {
		t.Error("the graph is on the page twice")
	}
	before := write(t, testrun.Whole())
	if strings.Contains(before, `id="networks"`) || strings.Contains(before, "<summary>Graph</summary>") {
		t.Error("a section without networks")
	}
}

// A network costs the page at most 40 kB, however large it is.
func TestNetworkBudget(t *testing.T) {
	g := &record.Graph{Nodes: []record.GraphNode{{Name: "data", Type: "Input", Out: [3]int{3, 224, 224}}}}
	for i := range 400 {
		n := record.GraphNode{Name: "layer_with_a_long_name", Type: "Convolution", Detail: "512 of 3x3, pad 1", Out: [3]int{512, 14, 14}, From: []int{i}, MACs: 1e9, Parameters: 1e6}
		if i%4 != 0 {
			n.Type, n.Detail, n.MACs, n.Parameters = "ReLU", "", 0, 0
		}
		g.Nodes = append(g.Nodes, n)
	}
	if n := networkFigure(record.Model{Name: "deep", Graph: g}, "x").size(); n > 40_000 {
		t.Errorf("%d bytes", n)
	}
}
