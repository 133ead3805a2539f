package lower

// ordered is the compiler's order of nodes between passes: depth first along a
// list of pointers; the first whose sources are all done goes on to its
// consumers (ast::ScoredGraphOrdering).
func (g *graph) ordered() []*node {
	var order []*node
	done := make(map[*node]bool, len(g.nodes))
	pointers := append([]*node(nil), g.input.consumers...)
	for len(pointers) > 0 {
		at := -1
		kept := pointers[:0]
		for _, p := range pointers {
			if done[p] {
				continue
			}
			if at < 0 && ready(p, done) {
				at = len(kept)
			}
			kept = append(kept, p)
		}
		pointers = kept
		if at < 0 {
			break
		}
		n := pointers[at]
		done[n] = true
		order = append(order, n)
		pointers = advance(pointers, at, n.out.consumers)
	}
	return order
}

// advance replaces the pointer by its consumers: the first in place, the others
// behind it, last first.
func advance(pointers []*node, at int, next []*node) []*node {
	out := append([]*node(nil), pointers[:at]...)
	for i := range next {
		if i == 0 {
			out = append(out, next[0])
		} else {
			out = append(out, next[len(next)-i])
		}
	}
	return append(out, pointers[at+1:]...)
}

func ready(n *node, done map[*node]bool) bool {
	for _, t := range n.in {
		if t.producer != nil && !done[t.producer] {
			return false
		}
	}
	for _, p := range n.before {
		if !done[p] {
			return false
		}
	}
	return true
}

// schedule is the order of execution: depth first with a stack, data edges
// before the edges that fusing adds (EngineGraph.cpp, topologicalSort). A node
// that is pushed over both kinds of edge from one node makes the compiler stop
// with "Can't resolve a non-acyclic graph"; so it does here.
func (g *graph) schedule() ([]*node, error) {
	var order, stack []*node
	done := make(map[*node]bool, len(g.nodes))
	push := func(list []*node) {
		for i := len(list) - 1; i >= 0; i-- {
			if ready(list[i], done) {
				stack = append(stack, list[i])
			}
		}
	}
	push(g.input.consumers)
	for len(stack) > 0 {
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if done[n] {
			return nil, n.layer.Errorf("reads the tensor that is also added to its own result; with per-filter and fast-math nvdla_compiler fuses the sum and then stops with \"Can't resolve a non-acyclic graph\". Use per-kernel or another profile, or put more than one convolution into the residual branch")
		}
		order = append(order, n)
		done[n] = true
		push(n.after)
		push(n.out.consumers)
	}
	return order, nil
}
