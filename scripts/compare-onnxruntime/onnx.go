package main

import (
	"encoding/binary"
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"quantbench/harness/runtime/tensorrt"
	"quantbench/models"
)

// The element types of an ONNX tensor (onnx.proto, TensorProto.DataType).
const (
	onnxFloat = 1
	onnxUint8 = 2
	onnxInt8  = 3
	onnxInt32 = 6
)

// exporter writes one network as an ONNX model, in float or, with scales, with
// QuantizeLinear and DequantizeLinear around every layer: unsigned activations
// and signed weights with a scale a channel, the form that ONNX Runtime turns
// into integer kernels.
type exporter struct {
	scales []float32 // by layer index; nil for float
	nodes  [][]byte
	consts [][]byte
	names  []string // by layer index: the value that later layers read
	ranges []steps  // by layer index
}

// steps is how a tensor is quantized: real = scale * (integer - zero).
type steps struct {
	scale float32
	zero  uint8
}

// export gives the bytes of the model.
func export(net *models.Network, scales []float32) ([]byte, error) {
	e := &exporter{scales: scales, names: make([]string, len(net.Layers)), ranges: make([]steps, len(net.Layers))}
	consumers := net.Consumers()
	for _, l := range net.Layers {
		if err := e.layer(l); err != nil {
			return nil, err
		}
		// A ReLU is fused only if nothing stands between it and its layer.
		next := consumers[l.Index]
		_, relu := l.Op.(models.ReLU)
		if len(next) == 1 && !relu {
			if _, fused := next[0].Op.(models.ReLU); fused {
				continue
			}
		}
		e.quantize(l)
	}
	in, out := net.Input(), net.Output()
	graph := join(repeated(1, e.nodes), text(2, net.Name), repeated(5, e.consts),
		bytesField(11, valueInfo(in.Name, in.Out.C, in.Out.H, in.Out.W)), bytesField(12, valueInfo(e.names[out.Index], out.Out.C)))
	return join(varint(1, 8), text(2, "quantbench"), bytesField(7, graph), bytesField(8, join(text(1, ""), varint(2, 13)))), nil
}

// layer adds the node of a layer, on float values.
func (e *exporter) layer(l *models.Layer) error {
	var in []string
	for _, f := range l.From {
		in = append(in, e.names[f.Index])
	}
	switch op := l.Op.(type) {
	case models.Input:
	case models.Convolution:
		e.node("Conv", append(in, e.weights(l)...), l.Name, ints("kernel_shape", op.KernelH, op.KernelW), ints("strides", op.StrideH, op.StrideW),
			ints("pads", op.PadH, op.PadW, op.PadH, op.PadW))
	case models.ReLU:
		e.node("Relu", in, l.Name)
	case models.Eltwise:
		e.node("Add", in, l.Name)
	case models.Pooling:
		e.pooling(l, op, in)
	case models.InnerProduct:
		e.node("Flatten", in, l.Name+"_flat", number("axis", 1))
		flat := e.quantized(l.Name+"_flat", e.ranges[l.From[0].Index])
		e.node("Gemm", append([]string{flat}, e.weights(l)...), l.Name, number("transB", 1))
	default:
		return l.Errorf("is not exported to ONNX")
	}
	e.names[l.Index] = l.Name
	return nil
}

// pooling pads behind the picture where Caffe's last window reaches beyond it.
func (e *exporter) pooling(l *models.Layer, op models.Pooling, in []string) {
	if op.Global {
		e.node("GlobalAveragePool", in, l.Name)
		return
	}
	s := l.In()
	beyond := func(out, stride, kernel, pad, size int) int { return max(0, (out-1)*stride+kernel-pad-size) }
	e.node("MaxPool", in, l.Name, ints("kernel_shape", op.KernelH, op.KernelW), ints("strides", op.StrideH, op.StrideW),
		ints("pads", op.PadH, op.PadW, beyond(l.Out.H, op.StrideH, op.KernelH, op.PadH, s.H), beyond(l.Out.W, op.StrideW, op.KernelW, op.PadW, s.W)))
}

// quantize rounds a layer's tensor to 8 bits. A maximum keeps its input's steps,
// and what a ReLU wrote has no negative half.
func (e *exporter) quantize(l *models.Layer) {
	if e.scales == nil {
		return
	}
	r := steps{e.scales[l.Index], 128}
	switch op := l.Op.(type) {
	case models.ReLU:
		r = steps{r.scale * 127 / 255, 0}
	case models.Pooling:
		if op.Method == models.PoolMax {
			r = e.ranges[l.From[0].Index]
		}
	}
	e.ranges[l.Index] = r
	e.names[l.Index] = e.quantized(l.Name, r)
}

// quantized sends a value through 8 bits; without scales it stays as it is.
func (e *exporter) quantized(name string, r steps) string {
	if e.scales == nil {
		return name
	}
	e.constant(name+"_scale", onnxFloat, floats(r.scale))
	e.constant(name+"_zero", onnxUint8, []byte{r.zero})
	e.node("QuantizeLinear", []string{name, name + "_scale", name + "_zero"}, name+"_q")
	e.node("DequantizeLinear", []string{name + "_q", name + "_scale", name + "_zero"}, name+"_real")
	return name + "_real"
}

// weights adds the weights and the bias of a layer.
func (e *exporter) weights(l *models.Layer) []string {
	w, b := l.Weights[0], l.Weights[1]
	weights, bias := l.Name+"_weights", l.Name+"_bias"
	if e.scales == nil {
		e.constant(weights, onnxFloat, floats(w.Data...), w.Shape...)
		e.constant(bias, onnxFloat, floats(b.Data...), b.Shape...)
		return []string{weights, bias}
	}
	out := len(b.Data)
	q, scales := tensorrt.QuantizeWeights(w.Data, out)
	var wBytes, bBytes []byte
	for _, v := range q {
		wBytes = append(wBytes, byte(v))
	}
	sums := make([]float32, out)
	for k, v := range b.Data {
		sums[k] = scales[k] * e.ranges[l.From[0].Index].scale
		bBytes = binary.LittleEndian.AppendUint32(bBytes, uint32(int32(math.RoundToEven(float64(v/sums[k])))))
	}
	e.dequantize(weights, onnxInt8, wBytes, scales, make([]byte, out), w.Shape)
	e.dequantize(bias, onnxInt32, bBytes, sums, make([]byte, 4*out), b.Shape)
	return []string{weights, bias}
}

// dequantize adds a constant in integers with a scale a channel.
func (e *exporter) dequantize(name string, kind int, data []byte, scales []float32, zeros []byte, shape []int) {
	e.constant(name+"_q", kind, data, shape...)
	e.constant(name+"_scale", onnxFloat, floats(scales...), len(scales))
	e.constant(name+"_zero", kind, zeros, len(scales))
	e.node("DequantizeLinear", []string{name + "_q", name + "_scale", name + "_zero"}, name, number("axis", 0))
}

// node adds a NodeProto.
func (e *exporter) node(op string, in []string, out string, attributes ...[]byte) {
	var b []byte
	for _, name := range in {
		b = append(b, text(1, name)...)
	}
	e.nodes = append(e.nodes, join(b, text(2, out), text(3, out+"_node"), text(4, op), repeated(5, attributes)))
}

// constant adds a TensorProto.
func (e *exporter) constant(name string, kind int, data []byte, shape ...int) {
	var b []byte
	for _, d := range shape {
		b = append(b, varint(1, d)...)
	}
	e.consts = append(e.consts, join(b, varint(2, kind), text(8, name), bytesField(9, data)))
}

// ints and number are AttributeProtos.
func ints(name string, values ...int) []byte {
	b := text(1, name)
	for _, v := range values {
		b = append(b, varint(8, v)...)
	}
	return join(b, varint(20, 7))
}

func number(name string, v int) []byte { return join(text(1, name), varint(3, v), varint(20, 2)) }

// valueInfo is a float tensor of any batch.
func valueInfo(name string, dims ...int) []byte {
	shape := bytesField(1, text(2, "N"))
	for _, d := range dims {
		shape = append(shape, bytesField(1, varint(1, d))...)
	}
	tensor := join(varint(1, onnxFloat), bytesField(2, shape))
	return join(text(1, name), bytesField(2, bytesField(1, tensor)))
}

func floats(values ...float32) (b []byte) {
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}

func varint(field protowire.Number, v int) []byte {
	return protowire.AppendVarint(protowire.AppendTag(nil, field, protowire.VarintType), uint64(v))
}

func bytesField(field protowire.Number, data []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, field, protowire.BytesType), data)
}

func text(field protowire.Number, s string) []byte { return bytesField(field, []byte(s)) }

func repeated(field protowire.Number, messages [][]byte) (b []byte) {
	for _, m := range messages {
		b = append(b, bytesField(field, m)...)
	}
	return b
}

func join(parts ...[]byte) (b []byte) {
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}
