package datasets

import (
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// blobProto writes a BlobProto: the old dimensions or a shape, then the values.
func blobProto(legacy []uint64, shape []uint64, packed bool, values ...float32) []byte {
	var b, inner []byte
	for i, d := range legacy {
		b = protowire.AppendVarint(protowire.AppendTag(b, protowire.Number(i+1), protowire.VarintType), d)
	}
	for _, d := range shape {
		inner = protowire.AppendVarint(inner, d)
	}
	if shape != nil {
		b = protowire.AppendBytes(protowire.AppendTag(b, 7, protowire.BytesType), protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), inner))
	}
	var raw []byte
	for _, v := range values {
		if !packed {
			b = protowire.AppendFixed32(protowire.AppendTag(b, 5, protowire.Fixed32Type), math.Float32bits(v))
		}
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	if packed {
		b = protowire.AppendBytes(protowire.AppendTag(b, 5, protowire.BytesType), raw)
	}
	return b
}

func TestParseMean(t *testing.T) {
	loose := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), 1)
	loose = protowire.AppendVarint(protowire.AppendTag(loose, 1, protowire.VarintType), 1)
	loose = protowire.AppendVarint(protowire.AppendTag(loose, 1, protowire.VarintType), 2)
	doubles := protowire.AppendBytes(protowire.AppendTag(nil, 7, protowire.BytesType), loose)
	for _, v := range []float64{1, 2} {
		doubles = protowire.AppendFixed64(protowire.AppendTag(doubles, 8, protowire.Fixed64Type), math.Float64bits(v))
	}
	for name, data := range map[string][]byte{
		"old": blobProto([]uint64{1, 1, 1, 2}, nil, true, 1, 2), "unpacked": blobProto([]uint64{1, 1, 1, 2}, nil, false, 1, 2),
		"shape of 3": blobProto(nil, []uint64{1, 1, 2}, true, 1, 2), "shape of 4": blobProto(nil, []uint64{1, 1, 1, 2}, true, 1, 2), "doubles": doubles,
	} {
		m, err := ParseMean("f", data)
		if err != nil || m.C != 1 || m.H != 1 || m.W != 2 || len(m.Values) != 2 || m.Values[1] != 2 {
			t.Errorf("%s: %+v %v", name, m, err)
		}
	}
	good := blobProto([]uint64{1, 1, 1, 2}, nil, true, 1, 2)
	for want, data := range map[string][]byte{
		"needs 1 values, the file has 0": nil,
		"f: byte 8: field 5 is cut off":  good[:len(good)-1],
		"no protobuf field":              []byte("\x00PNG"),
		"no mean image":                  blobProto([]uint64{2, 1, 1, 2}, nil, true, 1, 2),
		"this is no mean image":          blobProto([]uint64{1, 0, 1, 2}, nil, true, 1, 2),
		"needs 2 values, the file has 3": blobProto([]uint64{1, 1, 1, 2}, nil, true, 1, 2, 3),
		"value 0 is NaN":                 blobProto([]uint64{1, 1, 1, 1}, nil, true, float32(math.NaN())),
		"no multiple of 4":               protowire.AppendBytes(protowire.AppendTag(nil, 5, protowire.BytesType), []byte{1}),
		"wire type 0":                    protowire.AppendVarint(protowire.AppendTag(nil, 5, protowire.VarintType), 1),
		"shape is damaged":               protowire.AppendBytes(protowire.AppendTag(nil, 7, protowire.BytesType), []byte{0x12, 0}),
		"shape is cut off":               protowire.AppendBytes(protowire.AppendTag(nil, 7, protowire.BytesType), []byte{0x0a, 5}),
	} {
		if _, err := ParseMean("f", data); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	many := blobProto(nil, []uint64{1, 1, 1, 1, 1, 1, 1, 1, 1}, true, 1)
	if _, err := ParseMean("f", many); err == nil {
		t.Error("9 dimensions")
	}
}

func TestMeanCenter(t *testing.T) {
	m := Mean{1, 3, 4, []float32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}}
	if v, err := m.Center(1, 2, 1); err != nil || v[0] != 1 || v[1] != 5 {
		t.Errorf("%v %v", v, err)
	}
	for _, s := range [][3]int{{3, 3, 4}, {1, 4, 4}, {1, 3, 5}} {
		if _, err := m.Center(s[0], s[1], s[2]); err == nil {
			t.Errorf("%v accepted", s)
		}
	}
	if c := m.Channels(); len(c) != 1 || c[0] != 5.5 {
		t.Errorf("%v", c)
	}
}

// The averages of Caffe's ImageNet mean are its well-known 104, 117, 123.
func TestRealMean(t *testing.T) {
	dir := os.Getenv("BENCH_DATA")
	if dir == "" {
		t.Skip("BENCH_DATA is not set: Caffe's mean image is not part of the repository")
	}
	data, err := os.ReadFile(filepath.Join(dir, "imagenet/ilsvrc_2012_mean.binaryproto"))
	if err != nil {
		t.Fatal(err)
	}
	m, err := ParseMean("mean", data)
	if err != nil || m.C != 3 || m.H != 256 || m.W != 256 {
		t.Fatalf("%dx%dx%d %v", m.C, m.H, m.W, err)
	}
	for c, v := range m.Channels() {
		if want := []float64{104, 117, 123}[c]; math.Abs(math.Round(float64(v))-want) > 0 {
			t.Errorf("channel %d: %v, want %v when rounded", c, v, want)
		}
	}
}

func FuzzParseMean(f *testing.F) {
	f.Add(blobProto([]uint64{1, 1, 1, 2}, nil, true, 1, 2))
	f.Add(blobProto(nil, []uint64{1, 1, 2}, false, 1, 2))
	f.Fuzz(func(t *testing.T, data []byte) {
		if m, err := ParseMean("f", data); err == nil && len(m.Values) != m.C*m.H*m.W {
			t.Fatal("sizes")
		}
	})
}
