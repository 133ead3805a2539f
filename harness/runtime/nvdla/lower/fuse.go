package lower

import "fmt"

// fuse is the compiler's fuseSDPSubEngineOps: two SDP operations in a row
// become one, the first in X1, the second in X2. The first must not rescale in
// the output converter, so in per-kernel mode convolutions with bias stay
// alone. Between X1 and X2 values have 32 bits: nothing saturates there.
func fuse(g *graph) {
	if !g.opt.mergesMaths() {
		return
	}
	order := g.ordered()
	for i := 0; i < len(order); i++ {
		next := g.onlyNext(order[i])
		if next == nil || !g.fusible(order, i, next) {
			continue
		}
		g.fusePair(order[i], next)
		order = g.ordered()
		i = -1
	}
}

// fusible tells whether next can be the X2 stage of order[at].
func (g *graph) fusible(order []*node, at int, next *node) bool {
	n := order[at]
	switch {
	case !n.kind.sdp() || n.kind == kSuper || n.kind == kAct || n.kind == kEltwise:
		return false
	case next.kind == kSuper || next.kind == kAct || len(next.sources()) > 2:
		return false
	case n.out1.Enable && (n.out1.Scale != 1 || n.out1.Truncate != 0):
		return false
	}
	return next.kind != kEltwise || g.fusibleSum(order, at, next)
}

// fusibleSum decides which of its two sources a sum goes to: the one that
// depends on the other; of two independent ones, the later.
func (g *graph) fusibleSum(order []*node, at int, next *node) bool {
	sources := next.sources()
	if len(sources) != 2 {
		return false
	}
	n, peer := order[at], sources[0]
	if peer == n {
		peer = sources[1]
	}
	if n.dependsOn(peer) {
		return true
	}
	return !peer.dependsOn(n) && indexOf(order, peer) < at
}

// dependsOn tells whether n computes on data that other wrote.
func (n *node) dependsOn(other *node) bool {
	seen := map[*node]bool{}
	for open := n.sources(); len(open) > 0; {
		s := open[len(open)-1]
		open = open[:len(open)-1]
		if s == other {
			return true
		}
		if !seen[s] {
			seen[s] = true
			open = append(open, s.sources()...)
		}
	}
	return false
}

// fusePair makes one operation of n and next.
func (g *graph) fusePair(n, next *node) {
	super := &node{kind: kSuper, layer: next.layer, x1: n, x2: next, out: next.out, out1: unset}
	super.in = []*tensor{n.in[0]}
	if next.kind == kEltwise {
		peer := next.in[0]
		if peer == n.out {
			peer = next.in[1]
		}
		super.in = append(super.in, peer)
		super.out1 = next.out1
		replaceConsumer(peer, next, super)
		if conv := n.fused(); conv != nil {
			peer.producer.after = append(peer.producer.after, conv)
			conv.before = append(conv.before, peer.producer)
		}
	}
	g.checkMultiplier(n)
	replaceConsumer(n.in[0], n, super)
	super.out.producer = super
	for i, m := range g.nodes {
		if m == n {
			g.nodes[i] = super
		}
	}
	g.remove(next)
}

// checkMultiplier warns of the compiler's constant: a fused X1 stage that
// multiplies by one factor for all channels gets 1 as its factor.
func (g *graph) checkMultiplier(n *node) {
	if !n.perLayer || g.opt.fixed(FixConstantMultiplier) {
		return
	}
	g.warn(n.layer, ConstantMultiplier, fmt.Sprintf("fused with the operation behind it, the compiler programs the factor 1 instead of %d, with a shift of %d: the result is almost always 0. Use per-filter or give the layer a bias of zeros", n.mulInt, n.truncate))
}

func replaceConsumer(t *tensor, old, new *node) {
	for i, c := range t.consumers {
		if c == old {
			t.consumers[i] = new
		}
	}
}
