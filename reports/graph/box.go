// Package graph draws a network as SVG: layers from top to bottom, branches side
// by side, no script, readable on light and dark ground because every stroke and
// letter takes the colour of the text around it.
//
// Layers that only touch up what the layer before them computed (BatchNorm, Scale,
// an activation) share its box. A network that is still too large for its budget
// is drawn coarser: chains become one box, then whole blocks, then runs of blocks.
package graph

import (
	"fmt"
	"slices"
	"strings"

	"quantbench/harness/record"
)

// box is one or several layers drawn as one.
type box struct {
	nodes []int // by place in Graph.Nodes, in network order
	from  []int // boxes that are read, each once
}

// adornments are the types that share the box of the layer before them.
var adornments = []string{"BatchNorm", "Scale", "ReLU", "PReLU", "ELU", "Sigmoid", "TanH", "Dropout", "Flatten", "Softmax", "LRN", "Split"}

// boxes groups the layers. Level 0 joins adornments to what they adorn, 1 whole
// chains, 2 everything between two layers that all paths pass.
func boxes(g *record.Graph, level int) []box {
	into := make([]int, len(g.Nodes)) // the box of each node
	var list []box
	for i := range g.Nodes {
		b := len(list)
		if at, ok := join(g, i, into, level); ok {
			b = at
		} else {
			list = append(list, box{})
		}
		into[i] = b
		list[b].nodes = append(list[b].nodes, i)
	}
	for b := range list {
		for _, i := range list[b].nodes {
			for _, f := range g.Nodes[i].From {
				if p := into[f]; p != b && !slices.Contains(list[b].from, p) {
					list[b].from = append(list[b].from, p)
				}
			}
		}
	}
	return list
}

// join is the box that node i belongs to, if not to one of its own.
func join(g *record.Graph, i int, into []int, level int) (int, bool) {
	n := g.Nodes[i]
	if i == 0 || len(n.From) == 0 {
		return 0, false
	}
	if level == 2 {
		// A block ends with its meeting point.
		return into[i-1], !isCut(g, i-1)
	}
	if len(n.From) != 1 || readers(g, n.From[0]) != 1 {
		return 0, false
	}
	from := g.Nodes[n.From[0]]
	adorned := level > 0 || slices.Contains(adornments, n.Type)
	return into[n.From[0]], adorned && len(from.From) > 0
}

// isCut reports whether every path of the network passes node i.
func isCut(g *record.Graph, i int) bool {
	for j := i + 1; j < len(g.Nodes); j++ {
		for _, f := range g.Nodes[j].From {
			if f < i {
				return false
			}
		}
	}
	return readers(g, i) > 0
}

// readers is how many layers read node i.
func readers(g *record.Graph, i int) int {
	n := 0
	for _, x := range g.Nodes {
		for _, f := range x.From {
			if f == i {
				n++
			}
		}
	}
	return n
}

// coarser joins runs of boxes, which must be a chain, until at most most are left.
func coarser(list []box, most int) []box {
	run := (len(list) + most - 1) / most
	var out []box
	for part := range slices.Chunk(list, run) {
		b := box{}
		for _, x := range part {
			b.nodes = append(b.nodes, x.nodes...)
		}
		if len(out) > 0 {
			b.from = []int{len(out) - 1}
		}
		out = append(out, b)
	}
	return out
}

// lines are what a box says: its main layer, what else is in it, its tensor.
func (b box) lines(g *record.Graph) []string {
	first, last := g.Nodes[b.nodes[0]], g.Nodes[b.nodes[len(b.nodes)-1]]
	if first.Parameters == 0 && len(b.nodes) == 1 && first.Detail == "" {
		return []string{first.Name, first.Type + " · " + shape(last)}
	}
	head := first.Name
	what := first.Type + " " + first.Detail
	var rest []string
	adorned := true
	for _, i := range b.nodes[1:] {
		adorned = adorned && slices.Contains(adornments, g.Nodes[i].Type)
		rest = append(rest, g.Nodes[i].Type)
	}
	if !adorned {
		return []string{fmt.Sprintf("%s … %s", first.Name, last.Name), fmt.Sprintf("%d layers, %s", len(b.nodes), convolutions(g, b.nodes)), shape(last)}
	}
	lines := []string{head, what}
	if len(rest) > 0 {
		lines = append(lines, "+ "+strings.Join(rest, ", "))
	}
	return append(lines, shape(last))
}

// convolutions counts the layers that multiply.
func convolutions(g *record.Graph, nodes []int) string {
	n := 0
	for _, i := range nodes {
		if g.Nodes[i].MACs > 0 {
			n++
		}
	}
	return fmt.Sprintf("%d with weights", n)
}

func shape(n record.GraphNode) string { return fmt.Sprintf("%d×%d×%d", n.Out[0], n.Out[1], n.Out[2]) }
