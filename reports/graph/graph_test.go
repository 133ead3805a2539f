package graph

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"quantbench/harness/record"
)

// residual is a network of blocks: each a convolution with BatchNorm and ReLU,
// another one, and a sum with the block's input.
func residual(blocks int) *record.Graph {
	g := &record.Graph{}
	add := func(kind string, macs int64, from ...int) int {
		g.Nodes = append(g.Nodes, record.GraphNode{Name: fmt.Sprintf("%s_%d", strings.ToLower(kind), len(g.Nodes)), Type: kind, Out: [3]int{64, 56, 56}, From: from, MACs: macs, Parameters: int(macs / 10)})
		return len(g.Nodes) - 1
	}
	last := add("Input", 0)
	for range blocks {
		c := add("ReLU", 0, add("BatchNorm", 0, add("Convolution", 1000, last)))
		last = add("Eltwise", 0, add("Convolution", 500, c), last)
	}
	return g
}

// random is any network: each layer reads up to three earlier ones.
func random(r *rand.Rand, n int) *record.Graph {
	g := &record.Graph{Nodes: []record.GraphNode{{Name: "data", Type: "Input", Out: [3]int{1, 1, 1}}}}
	types := append([]string{"Convolution", "Eltwise", "Concat", "Pooling"}, adornments...)
	for i := 1; i < n; i++ {
		x := record.GraphNode{Name: fmt.Sprint("<l&", i), Type: types[r.IntN(len(types))], Out: [3]int{i, 2, 3}}
		for range 1 + r.IntN(3) {
			x.From = append(x.From, max(0, i-1-r.IntN(6)))
		}
		g.Nodes = append(g.Nodes, x)
	}
	return g
}

// At every level each layer is in one box, boxes read earlier ones only, and in
// the drawing no two overlap and every edge goes down.
func TestDrawing(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		g := random(r, 1+r.IntN(40))
		for level := range 3 {
			list := boxes(g, level)
			seen := map[int]bool{}
			sizes := make([][2]float64, len(list))
			for b, x := range list {
				sizes[b] = [2]float64{60 + 20*r.Float64(), 30}
				for _, n := range x.nodes {
					if seen[n] {
						t.Fatalf("layer %d is drawn twice", n)
					}
					seen[n] = true
				}
				for _, f := range x.from {
					if f >= b {
						t.Fatalf("level %d: box %d reads box %d", level, b, f)
					}
				}
			}
			if len(seen) != len(g.Nodes) {
				t.Fatalf("level %d: %d of %d layers drawn", level, len(seen), len(g.Nodes))
			}
			checkLayout(t, arrange(list, sizes))
		}
		wellFormed(t, File("a<b", g))
	}
}

func checkLayout(t *testing.T, l *layout) {
	t.Helper()
	for _, row := range l.rows {
		for i := 1; i < len(row); i++ {
			a, b := l.places[row[i-1]], l.places[row[i]]
			if a.x+a.width/2+gap > b.x-b.width/2+1e-6 {
				t.Fatalf("boxes at %g and %g overlap", a.x, b.x)
			}
		}
	}
	w, h := l.size()
	for _, p := range l.places {
		if p.x-p.width/2 < margin-1e-6 || p.x+p.width/2 > w || p.y+p.height > h {
			t.Fatalf("%+v lies outside %gx%g", p, w, h)
		}
		for _, d := range p.down {
			if l.places[d].y < p.y+p.height {
				t.Fatal("an edge goes up")
			}
		}
	}
}

func wellFormed(t *testing.T, svg []byte) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(svg))
	for {
		_, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("%v in %s", err, svg)
		}
	}
}

// Branches stand side by side, and what adorns a convolution shares its box.
func TestResidual(t *testing.T) {
	g := residual(1)
	list := boxes(g, 0)
	if len(list) != 4 || len(list[1].nodes) != 3 || len(list[3].from) != 2 {
		t.Fatalf("%+v", list)
	}
	if lines := list[1].lines(g); len(lines) != 4 || lines[2] != "+ BatchNorm, ReLU" || lines[3] != "64×56×56" {
		t.Errorf("%q", lines)
	}
	l := arrange(list, [][2]float64{{80, 30}, {80, 30}, {80, 30}, {80, 30}})
	passing := 0
	for _, p := range l.places {
		if p.box < 0 {
			passing++
		}
	}
	if passing != 2 {
		t.Errorf("%d passing points beside a branch of two boxes", passing)
	}
}

// Whatever the size, a drawing for a page keeps its budget, and coarser ones
// still name the first and the last layer.
func TestBudget(t *testing.T) {
	before := ""
	for _, blocks := range []int{1, 10, 30, 60, 300} {
		g := residual(blocks)
		s := Inline("net", g, Budget)
		wellFormed(t, []byte(s))
		if len(s) > Budget || !strings.Contains(s, "input_0") || s == before {
			t.Errorf("%d blocks: %d bytes", blocks, len(s))
		}
		if s != Inline("net", g, Budget) {
			t.Error("two drawings of a network differ")
		}
		before = s
	}
	if Inline("net", nil, 1) != "" || Inline("net", &record.Graph{}, 1) != "" {
		t.Error("no network, yet a drawing")
	}
}

func TestCut(t *testing.T) {
	if s := cut("inception_5b/very_long_name_of_a_branch/expand3x3_reduce"); len([]rune(s)) != widest || !strings.HasSuffix(s, "reduce") {
		t.Error(s)
	}
}
