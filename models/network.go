// Package models describes the networks that are measured: a list of layers in
// the order of their prototxt, joined into a graph, with shapes and weights.
//
// The package knows no file format and no arithmetic. Package models/caffe
// reads and writes networks; the runtimes under harness/runtime execute them.
package models

import "fmt"

// Shape is the size of what one layer writes for one picture; the batch is
// never part of it. Vectors (the output of InnerProduct) are C x 1 x 1.
type Shape struct{ C, H, W int }

// Len is the number of elements, C*H*W.
func (s Shape) Len() int { return s.C * s.H * s.W }

// String renders the shape as CxHxW, "16x28x28".
func (s Shape) String() string { return fmt.Sprintf("%dx%dx%d", s.C, s.H, s.W) }

// Pos is a place in a source file, for error messages. Line counts from 1; 0
// means that the thing is written nowhere (it was implied).
type Pos struct {
	File string
	Line int
}

// String renders the place as file:line, or the file alone without a line.
func (p Pos) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d", p.File, p.Line)
}

// Blob is one array of trained parameters, in Caffe's order and layout: the
// last dimension varies fastest.
type Blob struct {
	Shape []int
	Data  []float32
}

// Layer is one layer of a network, and at the same time the one tensor that it
// writes: a layer that works in place (ReLU on its own bottom) is a Layer, and
// so a tensor, of its own. This is what calibration tables count by.
type Layer struct {
	// Index is the layer's place in Network.Layers.
	Index int
	// Name is the layer's name in the prototxt; NVDLA's tables are keyed by it.
	Name string
	// Type is Caffe's name of the layer type, "Convolution", also where the file
	// says it in the old enum form (CONVOLUTION).
	Type string
	// Op holds the layer's parameters with Caffe's defaults filled in.
	Op Op
	// Pos is where the layer begins in the prototxt.
	Pos Pos
	// Bottoms and Tops are the names of the blobs read and written.
	Bottoms, Tops []string
	// From are the layers that wrote the bottoms, in the order of Bottoms.
	From []*Layer
	// Out is the shape of the layer's tensor.
	Out Shape
	// Weights are the trained blobs: for a convolution weights and bias, for
	// BatchNorm mean, variance and moving-average factor. Nil without a model.
	Weights []Blob
	// Implicit marks an Input layer that the file does not contain: it stands
	// for an old "input:" header and is named after its blob.
	Implicit bool
}

// Top is the name of the blob that the layer writes.
func (l *Layer) Top() string { return l.Tops[0] }

// In is the shape of the layer's first bottom; the zero Shape for an Input.
func (l *Layer) In() Shape {
	if len(l.From) == 0 {
		return Shape{}
	}
	return l.From[0].Out
}

// Network is a network as its prototxt describes it, without the layers of the
// training phase.
type Network struct {
	// Name is the network's name in the prototxt; it may be empty.
	Name string
	// File is the prototxt's path, as given by the caller.
	File string
	// Layers are in the order of the file, Input layers included. A layer reads
	// only layers before it.
	Layers []*Layer
	// Batch is the number of pictures that the prototxt declares (the first
	// dimension of its input). bench runs any number; NVDLA's compiler does not.
	Batch int
	// Warnings tell of what was read but has no effect, such as unknown fields.
	Warnings []error
}

// Inputs are the network's Input layers.
func (n *Network) Inputs() []*Layer {
	var in []*Layer
	for _, l := range n.Layers {
		if _, ok := l.Op.(Input); ok {
			in = append(in, l)
		}
	}
	return in
}

// Input is the first input layer; networks that classify pictures have one.
func (n *Network) Input() *Layer { return n.Inputs()[0] }

// Output is the network's last layer.
func (n *Network) Output() *Layer { return n.Layers[len(n.Layers)-1] }

// Layer finds a layer by its name; nil if there is none.
func (n *Network) Layer(name string) *Layer {
	for _, l := range n.Layers {
		if l.Name == name {
			return l
		}
	}
	return nil
}

// Consumers are, for each layer index, the layers that read its tensor, in
// network order. A layer that reads a tensor twice is listed twice.
func (n *Network) Consumers() [][]*Layer {
	c := make([][]*Layer, len(n.Layers))
	for _, l := range n.Layers {
		for _, f := range l.From {
			c[f.Index] = append(c[f.Index], l)
		}
	}
	return c
}
