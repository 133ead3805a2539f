package lower

import "fmt"

// equalizeSums is the compiler's updateScalingFactors, which makes the two
// operands of every sum have one scale, because SDP adds integers.
//
// The rule, for each sum in order: if the scales of the two operand tensors
// differ, the tensor that the network creates FIRST (its input is the first of
// all) takes the scale of the other. The order of the bottom lines plays no
// part, nor does who else reads the tensor: the checks for other readers that
// the source contains never see any, as a tensor is a single edge of the graph.
//
// What this costs: the earlier tensor, in a residual network the trunk, is
// produced with the scale of a branch. If that is smaller, its large values
// saturate; if it is the network's input, which the caller still quantizes with
// the table's scale, all its values are misread.
func equalizeSums(g *graph) {
	if g.opt.fixed(FixEltwiseScale) {
		g.tieSums()
		return
	}
	for _, n := range g.ordered() {
		if n.kind != kEltwise {
			continue
		}
		first, second := n.in[0], n.in[1]
		if first.scale == second.scale {
			continue
		}
		g.warn(n.layer, EltwiseOverride, overrideCost(g, first, second))
		first.scale = second.scale
	}
}

// overrideCost says what happens to the values of the overwritten tensor.
func overrideCost(g *graph, first, second *tensor) string {
	names := fmt.Sprintf("the compiler gives %q the scale of %q (%.4g instead of %.4g)", first.layer.Name, second.layer.Name, second.scale, first.scale)
	switch {
	case first == g.input:
		return fmt.Sprintf("%s, but the input is still quantized with its own: its values count %.3g times what they are", names, second.scale/first.scale)
	case second.scale < first.scale:
		return fmt.Sprintf("%s: it saturates at %.4g, its range is %.4g", names, 127*second.scale, 127*first.scale)
	}
	return fmt.Sprintf("%s: its steps are %.3g times as coarse", names, second.scale/first.scale)
}

// tieSums gives tensors that are added, and tensors that pooling or Concat copy
// unscaled from them, one scale: the largest among them.
func (g *graph) tieSums() {
	group := map[*tensor]*tensor{}
	var root func(t *tensor) *tensor
	root = func(t *tensor) *tensor {
		if p := group[t]; p != nil && p != t {
			return root(p)
		}
		return t
	}
	tied := map[*tensor]bool{}
	for _, n := range g.ordered() {
		switch n.kind {
		case kEltwise:
			group[root(n.in[0])] = root(n.in[1])
			tied[n.in[0]], tied[n.in[1]] = true, true
		case kPool, kConcat, kRubik:
			for _, t := range n.in {
				group[root(t)] = root(n.out)
			}
		}
	}
	g.levelScales(tied, root)
}

// levelScales raises the scales of every group that holds a tied tensor to the
// group's largest.
func (g *graph) levelScales(tied map[*tensor]bool, root func(*tensor) *tensor) {
	all := []*tensor{g.input}
	for _, n := range g.nodes {
		all = append(all, n.out)
	}
	level := map[*tensor]float32{}
	touched := map[*tensor]bool{}
	for _, t := range all {
		level[root(t)] = max(level[root(t)], t.scale)
		touched[root(t)] = touched[root(t)] || tied[t]
	}
	for _, t := range all {
		if touched[root(t)] {
			t.scale = level[root(t)]
		}
	}
	for _, n := range g.nodes {
		if n.kind == kConv && n.conv.inputScale != 0 {
			n.conv.inputScale = n.in[0].scale
		}
	}
}

// checkCopies warns where integers pass from one scale to another unchanged.
func checkCopies(g *graph) {
	for _, n := range g.nodes {
		if n.kind != kPool && n.kind != kConcat && n.kind != kRubik {
			continue
		}
		for _, t := range n.in {
			if t.scale != n.out.scale {
				g.warn(n.layer, NoRescale, fmt.Sprintf("the device does not rescale here: %q arrives with scale %.4g and is read as %.4g, so its values count %.3g times what they are; give both the same scale in the table",
					t.layer.Name, t.scale, n.out.scale, n.out.scale/t.scale))
			}
		}
	}
}
