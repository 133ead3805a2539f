package lower

import (
	"quantbench/harness/runtime/nvdla/hardware"
	"quantbench/models"
)

// kind is an engine operation of the compiler's graph.
type kind uint8

const (
	kConv    kind = iota
	kBias         // SDP: x + add
	kScale        // SDP: x * mul
	kNorm         // SDP: (x + add) * mul
	kEltwise      // SDP: x + y
	kAct          // SDP: max(x, 0)
	kSuper        // SDP: X1 and X2 together, made by fusing
	kPool
	kConcat
	kRubik
	kLRN
	kSoftmax
	kPower
)

func (k kind) sdp() bool { return k >= kBias && k <= kSuper }

// tensor is one edge of the graph: a cube in memory, or the stream from a
// convolution to its SDP operation.
type tensor struct {
	layer     *models.Layer // whose output it is
	shape     models.Shape
	scale     float32
	order     int // of creation, which is network order
	producer  *node
	consumers []*node // each once, in network order

	region int // 0: not placed yet; else index + 1
	offset int
	parent *tensor // Concat's result of which this is a part
}

// node is one engine operation.
type node struct {
	kind  kind
	layer *models.Layer
	in    []*tensor
	out   *tensor

	conv   *convolution
	pool   models.Pooling
	table  int    // of kLRN: its look-up table
	stride [2]int // of kRubik, horizontal first
	whole  bool   // a kConcat whose parts fill whole atoms on purpose

	// SDP operations: the real operands, then their integers.
	add, mul       []float32
	addInt, mulInt []int16
	perLayer       bool // operands in registers instead of memory
	unit           bool // a scale by one that only rescales
	relu           bool
	both           bool // a bias that also multiplies (per-filter)
	shift          uint8
	truncate       uint8
	out1           hardware.Converter // output converter

	x1, x2 *node   // of kSuper
	after  []*node // must be emitted later than this one, beyond data flow
	before []*node
}

// convolution holds the weights on their way from float to bytes.
type convolution struct {
	window    models.Window
	k, c      int // kernels, channels
	r, s      int // rows, columns
	weights   []float32
	merged    int // leading weights that the compiler merges and quantizes: all, but for groups
	quantized []int8
	scales    []float32 // one for each kernel
	// inputScale is the scale of a deconvolution's input: the compiler copies it
	// before sums change scales. 0 for other convolutions.
	inputScale float32
	image      bool    // reads the picture, not feature data
	strips     []strip // nil: in one piece
	lines      int     // of an image: kernel lines stored together, 1, 2 or 4
}

// fused is the convolution whose result streams into the SDP operation n.
func (n *node) fused() *node {
	if p := n.in[0].producer; p != nil && p.kind == kConv {
		return p
	}
	return nil
}

// inScale is the scale of what n computes on: of the convolution's input, if it
// is fused to one.
func (n *node) inScale() float32 {
	c := n.fused()
	switch {
	case c == nil:
		return n.in[0].scale
	case c.conv.inputScale != 0:
		return c.conv.inputScale
	}
	return c.in[0].scale
}

// sources are the nodes that n reads, each once. A network input is no node.
func (n *node) sources() []*node {
	var s []*node
	for _, t := range n.in {
		if t.producer != nil && !contains(s, t.producer) {
			s = append(s, t.producer)
		}
	}
	return s
}

func contains(list []*node, n *node) bool {
	for _, m := range list {
		if m == n {
			return true
		}
	}
	return false
}

// graph is the state that the passes work on.
type graph struct {
	net     *models.Network
	opt     Options
	nodes   []*node
	input   *tensor
	of      []*tensor // by Layer.Index
	tensors int
	tables  []models.LRN // the look-up tables: equal layers share one
	warned  []error
	table   []float32
}

func (g *graph) warn(l *models.Layer, k Kind, text string) {
	g.warned = append(g.warned, &Warning{Layer: l, Kind: k, Text: text})
}

func (g *graph) newTensor(l *models.Layer, s models.Shape, scale float32) *tensor {
	g.tensors++
	return &tensor{layer: l, shape: s, scale: scale, order: g.tensors}
}

// add appends n, reading in and writing out.
func (g *graph) add(n *node, out *tensor, in ...*tensor) *node {
	n.in, n.out = in, out
	out.producer = n
	for _, t := range in {
		if !contains(t.consumers, n) {
			t.consumers = append(t.consumers, n)
		}
	}
	g.nodes = append(g.nodes, n)
	return n
}

func (g *graph) remove(n *node) {
	for i, m := range g.nodes {
		if m == n {
			g.nodes = append(g.nodes[:i], g.nodes[i+1:]...)
			return
		}
	}
}

// absorb removes next, the only consumer of n: n writes next's result.
func (g *graph) absorb(n, next *node) {
	n.out = next.out
	n.out.producer = n
	g.remove(next)
}

// bypass removes n: its consumers read what n read.
func (g *graph) bypass(n *node) {
	t := n.in[0]
	var kept []*node
	for _, c := range t.consumers {
		if c != n {
			kept = append(kept, c)
			continue
		}
		kept = append(kept, n.out.consumers...)
	}
	t.consumers = kept
	for _, c := range n.out.consumers {
		for i := range c.in {
			if c.in[i] == n.out {
				c.in[i] = t
			}
		}
	}
	g.remove(n)
}
