package caffe

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"quantbench/models"
)

// WriteNetwork writes the network as a prototxt in the new form ("layer").
// Only fields that differ from Caffe's defaults are written. Read back, it
// gives an equal network, places and warnings aside.
func WriteNetwork(w io.Writer, net *models.Network) error {
	t := &textWriter{}
	if net.Name != "" {
		t.line("name: %s", quote(net.Name))
	}
	for _, l := range net.Layers {
		if !l.Implicit {
			continue
		}
		in, ok := l.Op.(models.Input)
		if !ok || l.Top() != l.Name {
			return l.Errorf("is implicit but no Input named after its blob")
		}
		t.line("input: %s", quote(l.Name))
		t.block("input_shape", func() { t.dims(max(net.Batch, 1), in.Shape) })
	}
	for _, l := range net.Layers {
		if l.Implicit {
			continue
		}
		t.block("layer", func() { t.layer(l, max(net.Batch, 1)) })
	}
	_, err := io.WriteString(w, t.String())
	return err
}

// textWriter writes protobuf's text format with two blanks a level.
type textWriter struct {
	strings.Builder
	depth int
}

func (t *textWriter) line(format string, args ...any) {
	t.WriteString(strings.Repeat("  ", t.depth))
	fmt.Fprintf(t, format, args...)
	t.WriteByte('\n')
}

func (t *textWriter) block(name string, inner func()) {
	t.line("%s {", name)
	t.depth++
	inner()
	t.depth--
	t.line("}")
}

func (t *textWriter) dims(batch int, s models.Shape) {
	for _, d := range []int{batch, s.C, s.H, s.W} {
		t.line("dim: %d", d)
	}
}

func (t *textWriter) layer(l *models.Layer, batch int) {
	t.line("name: %s", quote(l.Name))
	t.line("type: %s", quote(l.Type))
	for _, b := range l.Bottoms {
		t.line("bottom: %s", quote(b))
	}
	for _, b := range l.Tops {
		t.line("top: %s", quote(b))
	}
	if in, ok := l.Op.(models.Input); ok {
		t.block("input_param", func() { t.block("shape", func() { t.dims(batch, in.Shape) }) })
		return
	}
	if name, set := parameters(l.Op); len(set) > 0 {
		t.block(name, func() {
			for _, s := range set {
				t.line("%s", s)
			}
		})
	}
}

// parameters is the name of the operation's parameter message, and its fields
// that differ from the defaults.
func parameters(op models.Op) (string, []string) {
	var s settings
	switch op := op.(type) {
	case models.Convolution:
		s.convolution(op)
		return "convolution_param", s
	case models.Deconvolution:
		s.convolution(models.Convolution(op))
		return "convolution_param", s
	case models.Pooling:
		s.pooling(op)
		return "pooling_param", s
	case models.InnerProduct:
		s.add("num_output", op.Out, 0)
		s.add("bias_term", op.Bias, true)
		s.add("transpose", op.Transpose, false)
		return "inner_product_param", s
	case models.ReLU:
		s.add("negative_slope", op.NegativeSlope, float32(0))
		return "relu_param", s
	case models.PReLU:
		s.add("channel_shared", op.Shared, false)
		return "prelu_param", s
	case models.ELU:
		s.add("alpha", op.Alpha, float32(1))
		return "elu_param", s
	case models.BatchNorm:
		s.add("use_global_stats", true, nil)
		s.add("eps", op.Eps, float32(1e-5))
		return "batch_norm_param", s
	case models.Scale:
		s.add("bias_term", op.Bias, false)
		return "scale_param", s
	case models.Eltwise:
		s.eltwise(op)
		return "eltwise_param", s
	case models.LRN:
		s.lrn(op)
		return "lrn_param", s
	case models.Power:
		s.add("power", op.Power, float32(1))
		s.add("scale", op.Scale, float32(1))
		s.add("shift", op.Shift, float32(0))
		return "power_param", s
	case models.Reshape:
		s = append(s, fmt.Sprintf("shape { dim: 0 dim: %d dim: %d dim: %d }", op.Shape.C, op.Shape.H, op.Shape.W))
		return "reshape_param", s
	}
	return "", nil
}

// settings are lines of a parameter message.
type settings []string

// add adds a field unless it has its default. Zero's sign is kept.
func (s *settings) add(name string, v, missing any) {
	f, isFloat := v.(float32)
	if v == missing && !(isFloat && f == 0 && math.Signbit(float64(f))) {
		return
	}
	text := fmt.Sprint(v)
	if isFloat {
		text = strings.TrimPrefix(strings.ToLower(strconv.FormatFloat(float64(f), 'g', -1, 32)), "+")
	}
	*s = append(*s, name+": "+text)
}

func (s *settings) convolution(op models.Convolution) {
	s.add("num_output", op.Out, 0)
	s.add("bias_term", op.Bias, true)
	s.add("group", op.Groups, 1)
	s.window(op.Window)
	if op.DilationH == op.DilationW {
		s.add("dilation", op.DilationH, 1)
		return
	}
	s.add("dilation", op.DilationH, nil)
	s.add("dilation", op.DilationW, nil)
}

// window writes kernel, stride and pad, the short way if both axes agree.
func (s *settings) window(w models.Window) {
	for _, p := range []struct {
		both, axis     string
		h, w, fallback int
	}{
		{"kernel_size", "kernel", w.KernelH, w.KernelW, 0},
		{"stride", "stride", w.StrideH, w.StrideW, 1},
		{"pad", "pad", w.PadH, w.PadW, 0},
	} {
		if p.h == p.w {
			s.add(p.both, p.h, p.fallback)
			continue
		}
		s.add(p.axis+"_h", p.h, nil)
		s.add(p.axis+"_w", p.w, nil)
	}
}

func (s *settings) pooling(op models.Pooling) {
	*s = append(*s, "pool: "+[]string{"MAX", "AVE"}[op.Method])
	if op.Global {
		s.add("global_pooling", true, false)
	} else {
		s.window(op.Window)
	}
	if op.Floor {
		*s = append(*s, "round_mode: FLOOR")
	}
}

func (s *settings) eltwise(op models.Eltwise) {
	*s = append(*s, "operation: "+[]string{"PROD", "SUM", "MAX"}[op.Operation])
	for _, c := range op.Coeff {
		s.add("coeff", c, nil)
	}
}

func (s *settings) lrn(op models.LRN) {
	s.add("local_size", op.Size, 5)
	s.add("alpha", op.Alpha, float32(1))
	s.add("beta", op.Beta, float32(0.75))
	s.add("k", op.K, float32(1))
	if op.WithinChannel {
		*s = append(*s, "norm_region: WITHIN_CHANNEL")
	}
}

// quote writes a string in double quotes, bytes other than printable ASCII as
// octal escapes, which every reader of the format knows.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ' || c > '~':
			fmt.Fprintf(&b, "\\%03o", c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String() + `"`
}

// WriteWeights writes the network's layers with their weights as a
// .caffemodel: V2 layers, BlobShape, packed floats.
func WriteWeights(w io.Writer, net *models.Network) error {
	out := bufio.NewWriter(w)
	if net.Name != "" {
		out.Write(appendBytes(nil, netName, net.Name))
	}
	for _, l := range net.Layers {
		if l.Implicit {
			continue
		}
		m, err := appendLayer(nil, l)
		if err != nil {
			return err
		}
		head := protowire.AppendTag(nil, netLayer, protowire.BytesType)
		out.Write(protowire.AppendVarint(head, uint64(len(m))))
		out.Write(m)
	}
	return out.Flush() // a bufio.Writer keeps its first error
}

func appendBytes(b []byte, number protowire.Number, s string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, number, protowire.BytesType), s)
}

func appendLayer(b []byte, l *models.Layer) ([]byte, error) {
	b = appendBytes(b, layerName, l.Name)
	b = appendBytes(b, layerType, l.Type)
	for _, s := range l.Bottoms {
		b = appendBytes(b, layerBottom, s)
	}
	for _, s := range l.Tops {
		b = appendBytes(b, layerTop, s)
	}
	for i, blob := range l.Weights {
		if models.Elements(blob.Shape) != len(blob.Data) {
			return nil, l.Errorf("blob %d of shape %v has %d values", i, blob.Shape, len(blob.Data))
		}
		m := appendBlob(nil, blob)
		b = protowire.AppendTag(b, layerBlobs, protowire.BytesType)
		b = protowire.AppendBytes(b, m)
	}
	return b, nil
}

func appendBlob(b []byte, blob models.Blob) []byte {
	var dims []byte
	for _, d := range blob.Shape {
		dims = protowire.AppendVarint(dims, uint64(d))
	}
	var shape []byte
	if len(dims) > 0 {
		shape = appendBytes(nil, shapeDim, string(dims))
	}
	b = appendBytes(b, blobShape, string(shape))
	b = protowire.AppendTag(b, blobData, protowire.BytesType)
	b = protowire.AppendVarint(b, uint64(4*len(blob.Data)))
	for _, v := range blob.Data {
		b = protowire.AppendFixed32(b, math.Float32bits(v))
	}
	return b
}
