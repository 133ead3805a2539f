package harness

import (
	"encoding/binary"
	"fmt"
	"math"

	"quantbench/harness/runtime"
	"quantbench/harness/runtime/fp32"
	"quantbench/harness/runtime/nvdla"
	"quantbench/harness/runtime/nvdla/lower"
	"quantbench/harness/runtime/tensorrt"
)

// newRuntime is the runtime of a point.
func (e *Experiment) newRuntime(p Point) (runtime.Runtime, error) {
	switch p.Runtime {
	case FP32:
		return fp32.Runtime{Winograd: e.modelSpec(p.Model).Winograd}, nil
	case TensorRT:
		return tensorrt.Runtime{}, nil
	case NVDLA:
		return nvdla.Runtime{Target: p.Target, Mode: lower.Mode(p.Mode), Profile: lower.Profile(p.Profile), Input: nvdla.InputMode(p.Input)}, nil
	}
	return nil, fmt.Errorf("no runtime is called %q", p.Runtime)
}

// floatBytes are the bits of a list of float32.
func floatBytes(v []float32) []byte {
	var b []byte
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return b
}
