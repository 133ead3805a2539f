package caffe

import (
	"bytes"
	"encoding/binary"
	"math"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"quantbench/models"
)

// Parts to build .caffemodel files of every form by hand.

func sub(number protowire.Number, parts ...[]byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, number, protowire.BytesType), bytes.Join(parts, nil))
}

func text(number protowire.Number, s string) []byte { return sub(number, []byte(s)) }

func integer(number protowire.Number, v uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(nil, number, protowire.VarintType), v)
}

func legacy(dims ...uint64) []byte {
	var b []byte
	for i, d := range dims {
		b = append(b, integer(protowire.Number(i+1), d)...)
	}
	return b
}

func unpacked(values ...float32) []byte {
	var b []byte
	for _, v := range values {
		b = protowire.AppendFixed32(protowire.AppendTag(b, 5, protowire.Fixed32Type), math.Float32bits(v))
	}
	return b
}

func packed(number protowire.Number, values ...any) []byte {
	var b []byte
	for _, v := range values {
		b, _ = binary.Append(b, binary.LittleEndian, v)
	}
	return sub(number, b)
}

const twoByThree = `input: "x" input_dim: [1, 3, 1, 1]
layer { name: "ip" type: "InnerProduct" bottom: "x" top: "ip" inner_product_param { num_output: 2 bias_term: false } }`

func TestBlobForms(t *testing.T) {
	values := []float32{1, -2, 0.5, 4, 5, 65504}
	halves := packed(12, []uint16{0x3c00, 0xc000, 0x3800, 0x4400, 0x4500, 0x7bff})
	shape := sub(7, sub(1, []byte{2, 3}))
	v2 := func(blob ...[]byte) []byte { return sub(100, text(1, "ip"), text(2, "InnerProduct"), sub(7, blob...)) }
	for name, data := range map[string][]byte{
		"packed":          v2(shape, packed(5, values)),
		"unpacked":        v2(shape, unpacked(values...)),
		"mixed":           v2(packed(5, values[:2]), shape, unpacked(values[2:]...)),
		"unpacked shape":  v2(sub(7, integer(1, 2), integer(1, 3), integer(9, 1)), packed(5, values)),
		"double":          v2(shape, packed(8, []float64{1, -2, 0.5, 4, 5, 65504})),
		"unpacked double": v2(sub(7, sub(1, []byte{2, 1})), protowire.AppendFixed64(protowire.AppendTag(nil, 8, protowire.Fixed64Type), math.Float64bits(1)), packed(8, []float64{2})),
		"half":            v2(shape, integer(10, 2), halves),
		"raw float":       v2(shape, integer(10, 1), packed(12, values)),
		"raw double":      v2(shape, packed(12, []float64{1, -2, 0.5, 4, 5, 65504})),
		"V1 legacy":       sub(2, text(4, "ip"), integer(5, 14), sub(6, legacy(1, 1, 2, 3), packed(5, values))),
		"diff and group":  v2(shape, packed(5, values), packed(6, values), []byte{0x9b, 0x01, 0x9c, 0x01}),
	} {
		net, err := ParseNetwork("f", []byte(twoByThree))
		if err != nil {
			t.Fatal(err)
		}
		err = ReadWeights(net, "w", data)
		if name == "unpacked double" {
			if err == nil || !strings.Contains(err.Error(), "must have shape [2 3], but in w (byte 0) it has [2 1]") {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		b := net.Layer("ip").Weights[0]
		for i, v := range values {
			if b.Data[i] != v || len(b.Data) != 6 || len(b.Shape) != 2 {
				t.Errorf("%s: %v", name, b)
				break
			}
		}
	}
}

func TestWeightErrors(t *testing.T) {
	values := []float32{1, 2, 3, 4, 5, 6}
	shape := sub(7, sub(1, []byte{2, 3}))
	good := sub(100, text(1, "ip"), sub(7, shape, packed(5, values)))
	layer := func(blob ...[]byte) []byte { return sub(100, text(1, "ip"), sub(7, blob...)) }
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"empty":        {nil, "the file is empty"},
		"hdf5":         {[]byte("\x89HDF\r\n"), "HDF5"},
		"lfs":          {[]byte("version https://git-lfs.github.com/spec/v1"), "git lfs pull"},
		"html":         {[]byte("<!DOCTYPE html>"), "web page"},
		"prototxt":     {[]byte("name: \"LeNet\""), "a text file"},
		"no blobs":     {sub(100, text(1, "ip")), "no layer has weights"},
		"cut":          {good[:len(good)-3], "w: byte 0: field 100 has 38 bytes but only 35 are left; the file is cut off"},
		"bad tag":      {append(bytes.Clone(good), 0x00), "byte 41: no valid field begins here"},
		"bad varint":   {append(bytes.Clone(good), 0x08, 0x80), "byte 41: field 1 is cut off"},
		"twice":        {append(bytes.Clone(good), good...), "byte 41: layer \"ip\" has weights twice, before at byte 0"},
		"inner":        {layer(shape, []byte{0x2a, 0x7f}), "layer \"ip\": byte 15: field 5 has 127 bytes but only 0 are left"},
		"odd floats":   {layer(shape, sub(5, []byte{1, 2, 3})), "no multiple of 4"},
		"odd doubles":  {layer(shape, sub(8, []byte{1, 2, 3})), "no multiple of 8"},
		"odd halves":   {layer(shape, integer(10, 2), sub(12, []byte{1, 2, 3})), "no multiple of 2"},
		"raw type":     {layer(shape, integer(10, 3), sub(12, []byte{1, 2, 3})), "element type 3"},
		"data type":    {layer(shape, integer(5, 1)), "data (field 5) has wire type 0, expected 2"},
		"double type":  {layer(shape, integer(8, 1)), "double_data (field 8) has wire type 0"},
		"blob type":    {sub(100, integer(7, 1)), "blobs (field 7)"},
		"layer type":   {integer(100, 1), "layer (field 100)"},
		"dim type":     {layer(sub(7, text(1, "\x80"))), "dim is cut off"},
		"dim wire":     {layer(sub(7, protowire.AppendFixed32(protowire.AppendTag(nil, 1, protowire.Fixed32Type), 1))), "dim (field 1)"},
		"negative dim": {layer(sub(7, integer(1, 1<<63))), "at most 32 dimensions"},
		"legacy dim":   {layer(legacy(1, 1<<40, 1, 1)), "at most 32 dimensions"},
		"many dims":    {layer(sub(7, sub(1, bytes.Repeat([]byte{1}, 33)))), "at most 32 dimensions"},
		"huge":         {layer(sub(7, integer(1, 1<<30), integer(1, 4))), "more than 2^31-1 elements"},
		"few":          {layer(shape, packed(5, values[:5])), "blob of shape [2 3] needs 6 values but has 5"},
		"shape":        {layer(sub(7, sub(1, []byte{3, 2})), packed(5, values)), "f:2: layer \"ip\" (InnerProduct): blob 0 must have shape [2 3], but in w (byte 0) it has [3 2]"},
		"extra blob":   {sub(100, text(1, "ip"), sub(7, shape, packed(5, values)), sub(7, shape, packed(5, values))), "needs 1 blobs [[2 3]], but w has 2 [[2 3] [2 3]]"},
		"missing":      {sub(100, text(1, "ip2"), sub(7, shape, packed(5, values))), "w has no weights of that name; did you mean ip2?"},
	} {
		net, err := ParseNetwork("f", []byte(twoByThree))
		if err != nil {
			t.Fatal(err)
		}
		err = ReadWeights(net, "w", c.data)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v\nwant %s", name, err, c.want)
		}
		if net.Layer("ip").Weights != nil {
			t.Errorf("%s: weights attached in spite of the error", name)
		}
	}
	net, err := ParseNetwork("f", []byte(twoByThree))
	if err != nil {
		t.Fatal(err)
	}
	other := sub(100, text(1, "aux"), text(2, "Scale"), sub(7, sub(7, sub(1, []byte{1})), unpacked(1)))
	if err := ReadWeights(net, "w", append(other, good...)); err != nil || len(net.Warnings) != 1 || !strings.Contains(net.Warnings[0].Error(), `layer "aux" (Scale) has 1 blobs`) {
		t.Errorf("%v, warnings %v", err, net.Warnings)
	}
}

// TestTruncation cuts a good file everywhere: no cut may pass as whole, except
// between two fields at the end, and none may panic.
func TestTruncation(t *testing.T) {
	data := written(t, withWeights(t, allLayers))
	for n := range data {
		net := withWeights(t, allLayers)
		if err := ReadWeights(net, "w", data[:n]); err == nil && n < len(data)-60 {
			t.Errorf("cut at %d of %d: no error", n, len(data))
		}
	}
}

func TestHalf(t *testing.T) {
	for bits, want := range map[uint16]float32{0: 0, 1: 5.9604644775390625e-08, 0x03ff: 6.097555160522461e-05, 0x0400: 6.103515625e-05, 0x3555: 0.333251953125, 0xfbff: -65504, 0x7c00: float32(math.Inf(1)), 0xfc00: float32(math.Inf(-1))} {
		if got := half(bits); got != want {
			t.Errorf("%#04x: %v, want %v", bits, got, want)
		}
	}
	if nan := half(0x7e00); nan == nan {
		t.Error("0x7e00 is no NaN")
	}
	if z := half(0x8000); z != 0 || !math.Signbit(float64(z)) {
		t.Errorf("0x8000: %v", z)
	}
}

func TestWriteErrors(t *testing.T) {
	net := withWeights(t, twoByThree)
	net.Layer("ip").Weights[0].Data = nil
	if err := WriteWeights(&bytes.Buffer{}, net); err == nil || !strings.Contains(err.Error(), "has 0 values") {
		t.Error(err)
	}
	net.Layers[0].Op = models.ReLU{}
	if err := WriteNetwork(&bytes.Buffer{}, net); err == nil {
		t.Error("an implicit layer that is no input was written")
	}
}

func FuzzCaffemodel(f *testing.F) {
	net := withWeights(f, twoByThree)
	var b bytes.Buffer
	if err := WriteWeights(&b, net); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add(sub(2, text(4, "ip"), integer(5, 14), sub(6, legacy(1, 1, 2, 3), unpacked(1, 2, 3, 4, 5, 6))))
	f.Add(sub(100, text(1, "ip"), sub(7, sub(7, sub(1, []byte{2, 3})), integer(10, 2), packed(12, []uint16{1, 2, 3, 4, 5, 6}))))
	f.Fuzz(func(t *testing.T, data []byte) {
		net, err := ParseNetwork("f", []byte(twoByThree))
		if err != nil {
			t.Fatal(err)
		}
		if ReadWeights(net, "w", data) != nil {
			return
		}
		sameAfterWriting(t, net)
	})
}

func FuzzPrototxt(f *testing.F) {
	f.Add(allLayers)
	f.Add(trickyText)
	f.Add(conv)
	f.Add(`layers { name: "c" type: 4 convolution_param < num_output: 1; kernel_size: [1, 1] > }`)
	f.Fuzz(func(t *testing.T, text string) {
		net, err := ParseNetwork("f", []byte(text))
		if err != nil {
			return
		}
		sameAfterWriting(t, net)
	})
}

// BenchmarkRead45MB reads a .caffemodel of 45 MB, the size of ResNet-18.
func BenchmarkRead45MB(b *testing.B) {
	net := withWeights(b, `input: "x" input_dim: [1, 1024, 1, 1]
layer { name: "ip" type: "InnerProduct" bottom: "x" top: "ip" inner_product_param { num_output: 11520 } }`)
	var data bytes.Buffer
	if err := WriteWeights(&data, net); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(data.Len()))
	b.ReportAllocs()
	for b.Loop() {
		if err := ReadWeights(net, "w", data.Bytes()); err != nil {
			b.Fatal(err)
		}
	}
}
