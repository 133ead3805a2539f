// Package runtime says what a runtime is: something that prepares one
// quantized (or float) network and then scores pictures with it.
//
// The runtimes themselves are the packages below this one. The harness knows
// these interfaces only.
package runtime

import (
	"quantbench/datasets"
	"quantbench/models"
)

// Model is what a runtime prepares.
type Model struct {
	Network    *models.Network
	Preprocess datasets.Preprocess
	// Scales holds the calibrated scale of each layer's output tensor, by
	// Layer.Index (real = scale * integer). Nil for the float reference.
	Scales []float32
}

// Runtime prepares networks. Implementations are values without state.
type Runtime interface {
	// Name is the runtime's name in configurations and reports: "fp32",
	// "tensorrt-int8", "nvdla-int8".
	Name() string
	// Prepare does all work that does not depend on a picture: fusing,
	// quantizing, packing. It fails where the real thing would refuse.
	Prepare(m Model) (Program, error)
}

// Program is one prepared network; it is immutable and safe for concurrent use.
type Program interface {
	// NewWorker makes an executor with buffers of its own.
	NewWorker() Worker
	// Warnings tell what a user should know of this program (a layer that
	// saturates, a fault of the real compiler that was reproduced).
	Warnings() []error
}

// Worker scores pictures; it is not safe for concurrent use.
type Worker interface {
	// Score runs len(scores)/classes pictures. pixels holds them one after the
	// other, C x H x W bytes each, in the network's channel order
	// (Preprocess.Bytes made them). scores receives the output layer's values,
	// as real numbers, picture by picture.
	Score(pixels []byte, scores []float32) error
}

// Tracer is a Worker that can also show what its layers produced.
type Tracer interface {
	// Trace runs one picture and calls see for every layer output that exists in
	// this runtime (layers fused into a later one have none), with real values
	// in C x H x W order, valid during the call only. clipped is how many of
	// the elements sit at the largest or smallest integer; 0 for floats.
	Trace(pixels []byte, see func(l *models.Layer, values []float32, clipped int)) error
}

// GroupTracer is a Tracer that runs up to 16 pictures at once, which takes
// hardly longer than one.
type GroupTracer interface {
	// TraceGroup is Trace of every picture; see gets the picture's number, and the
	// pictures of one layer output in order.
	TraceGroup(pixels []byte, see func(l *models.Layer, picture int, values []float32, clipped int)) error
}
