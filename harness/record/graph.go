package record

// Graph is a network as it can be drawn: its layers in network order, with what
// they read.
type Graph struct {
	Nodes []GraphNode `json:"nodes"`
}

// GraphNode is one layer, and the one tensor that it writes.
type GraphNode struct {
	Name string `json:"name"`
	Type string `json:"type"` // Caffe's name of the layer type
	// Detail says the layer's parameters in short: "64 of 7x7/2, pad 3".
	Detail string `json:"detail,omitempty"`
	// Out is the tensor for one picture: channels, height, width.
	Out [3]int `json:"out"`
	// From are the nodes whose tensors the layer reads, by place in Nodes.
	From []int `json:"from,omitempty"`
	// Parameters are trained values; MACs multiply-accumulates for one picture.
	Parameters int   `json:"parameters,omitempty"`
	MACs       int64 `json:"macs,omitempty"`
}

// Elements is the number of values of the layer's tensor.
func (n GraphNode) Elements() int { return n.Out[0] * n.Out[1] * n.Out[2] }

// Parameters is the number of trained values of the network.
func (g *Graph) Parameters() (n int) {
	for _, x := range g.Nodes {
		n += x.Parameters
	}
	return n
}

// MACs is the number of multiply-accumulates for one picture.
func (g *Graph) MACs() (n int64) {
	for _, x := range g.Nodes {
		n += x.MACs
	}
	return n
}

// Values is the number of values of all tensors together, and Peak the most that
// are needed at once when layers run in network order and each writes a tensor of
// its own, which is kept until its last reader has run.
func (g *Graph) Values() (all, peak int) {
	last := make([]int, len(g.Nodes)) // reader of each tensor
	for i, x := range g.Nodes {
		last[i] = i
		for _, f := range x.From {
			last[f] = i
		}
	}
	live := 0
	for i, x := range g.Nodes {
		all, live = all+x.Elements(), live+x.Elements()
		peak = max(peak, live)
		for j := range i + 1 {
			if last[j] == i {
				live -= g.Nodes[j].Elements()
			}
		}
	}
	return all, peak
}
