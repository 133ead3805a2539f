package html

import (
	"cmp"
	"fmt"
	"html/template"
	"slices"

	"quantbench/harness/record"
	"quantbench/reports/format"
	"quantbench/reports/graph"
	"quantbench/reports/matrix"
)

// allLayers is how many layers a table lists; of a larger network those with
// weights only.
const allLayers = 120

// networkSection draws the graph of each network that was measured.
func networkSection(m *matrix.Matrix) section {
	s := section{ID: "networks", Heading: "Networks", Short: "Networks"}
	for i, x := range m.Run.Models {
		if x.Graph != nil && len(x.Graph.Nodes) > 0 {
			s.Figures = append(s.Figures, networkFigure(x, figureID(s.ID, i)))
		}
	}
	return s
}

func networkFigure(x record.Model, id string) figure {
	drawing := graph.Inline(x.Name, x.Graph, graph.Budget)
	return figure{ID: id, Title: networkTitle(x), Drawing: template.HTML(drawing), Tables: []table{networkTable(x.Graph)},
		Caption: text(fmt.Sprintf("%s from input to output, branches side by side. A box says what its layers compute and the tensor that they write, channels × height × width; it is darker the more of the multiply-accumulates it does. BatchNorm, Scale and activations share the box of the layer before them.", x.Name))}
}

// networkTitle says where the work and the weights are.
func networkTitle(x record.Model) string {
	work := slices.MaxFunc(x.Graph.Nodes, func(a, b record.GraphNode) int { return cmp.Compare(a.MACs, b.MACs) })
	size := slices.MaxFunc(x.Graph.Nodes, func(a, b record.GraphNode) int { return cmp.Compare(a.Parameters, b.Parameters) })
	macs, parameters := x.Graph.MACs(), x.Graph.Parameters()
	title := fmt.Sprintf("%s: %s a picture, %s parameters", x.Name, format.SI(float64(macs), "MAC"), format.Count(parameters))
	if macs == 0 || parameters == 0 {
		return title
	}
	share := 100 * float64(work.MACs) / float64(macs)
	where := fmt.Sprintf("; most work is in %s (%s %%)", work.Name, format.Fixed(share, 1))
	if same := count(x.Graph, work.MACs); same > 1 {
		where = fmt.Sprintf("; no layer does more than %s %% of the work", format.Fixed(share, 1))
	}
	return title + where + fmt.Sprintf(", most weights are in %s (%s %%)", size.Name, format.Fixed(100*float64(size.Parameters)/float64(parameters), 1))
}

// count is how many layers do as much work.
func count(g *record.Graph, macs int64) (n int) {
	for _, x := range g.Nodes {
		if x.MACs == macs {
			n++
		}
	}
	return n
}

func networkTable(g *record.Graph) table {
	t := table{Caption: "layers", Head: columns("layer", "type", "", "tensor", ">parameters", ">multiply-accumulates")}
	large := len(g.Nodes) > allLayers
	if large {
		t.Caption = "layers with weights"
	}
	for _, n := range g.Nodes {
		if large && n.Parameters == 0 {
			continue
		}
		row := []string{n.Name, n.Type, n.Detail, fmt.Sprintf("%d×%d×%d", n.Out[0], n.Out[1], n.Out[2]), "", ""}
		if n.Parameters > 0 {
			row[4] = format.Count(n.Parameters)
		}
		if n.MACs > 0 {
			row[5] = format.Count(int(n.MACs))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}
