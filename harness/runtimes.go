package harness

import (
	"encoding/binary"
	"math"

	"quantbench/harness/runtime"
	"quantbench/harness/runtime/fp32"
	"quantbench/harness/runtime/tensorrt"
)

// newRuntime is the runtime of a point; its fields were validated with the
// configuration.
func newRuntime(p Point) runtime.Runtime {
	switch p.Runtime {
	case TensorRT:
		return tensorrt.Runtime{}
	}
	return fp32.Runtime{}
}

// floatBytes are the bits of a list of float32.
func floatBytes(v []float32) []byte {
	var b []byte
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return b
}
