package caffe

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"

	"quantbench/models"
)

// schema describes the messages by name, type and number of each field; * marks
// a repeated one, ! a packed one.
var schema = map[string]string{
	"NetParameter": "name string 1, layers V1LayerParameter* 2, input string* 3, input_dim int32* 4, input_shape BlobShape* 8, layer LayerParameter* 100",
	"LayerParameter": `name string 1, type string 2, bottom string* 3, top string* 4, param ParamSpec* 6, blobs BlobProto* 7,
		include NetStateRule* 8, concat_param ConcatParameter 104, convolution_param ConvolutionParameter 106, dropout_param DropoutParameter 108,
		eltwise_param EltwiseParameter 110, inner_product_param InnerProductParameter 117, lrn_param LRNParameter 118,
		pooling_param PoolingParameter 121, power_param PowerParameter 122, relu_param ReLUParameter 123, softmax_param SoftmaxParameter 125,
		prelu_param PReLUParameter 131, reshape_param ReshapeParameter 133, flatten_param FlattenParameter 135,
		batch_norm_param BatchNormParameter 139, elu_param ELUParameter 140, scale_param ScaleParameter 142, input_param InputParameter 143`,
	"V1LayerParameter": `bottom string* 2, top string* 3, name string 4, type LayerType 5, blobs BlobProto* 6, blobs_lr float* 7, weight_decay float* 8,
		convolution_param ConvolutionParameter 10, dropout_param DropoutParameter 12, inner_product_param InnerProductParameter 17, lrn_param LRNParameter 18, pooling_param PoolingParameter 19`,
	"BlobProto":             "num int32 1, channels int32 2, height int32 3, width int32 4, data float! 5, shape BlobShape 7, double_data double! 8",
	"BlobShape":             "dim int64! 1",
	"ParamSpec":             "name string 1, lr_mult float 3, decay_mult float 4",
	"FillerParameter":       "type string 1, value float 2, min float 3, max float 4, mean float 5, std float 6",
	"NetStateRule":          "phase Phase 1",
	"ConcatParameter":       "concat_dim uint32 1, axis int32 2",
	"ConvolutionParameter":  "num_output uint32 1, bias_term bool 2, pad uint32* 3, kernel_size uint32* 4, group uint32 5, stride uint32* 6, weight_filler FillerParameter 7, bias_filler FillerParameter 8, pad_h uint32 9, pad_w uint32 10, kernel_h uint32 11, kernel_w uint32 12, stride_h uint32 13, stride_w uint32 14, axis int32 16, dilation uint32* 18",
	"DropoutParameter":      "dropout_ratio float 1",
	"EltwiseParameter":      "operation EltwiseOp 1, coeff float* 2, stable_prod_grad bool 3",
	"InnerProductParameter": "num_output uint32 1, bias_term bool 2, weight_filler FillerParameter 3, bias_filler FillerParameter 4, axis int32 5, transpose bool 6",
	"LRNParameter":          "local_size uint32 1, alpha float 2, beta float 3, norm_region NormRegion 4, k float 5",
	"PoolingParameter":      "pool PoolMethod 1, kernel_size uint32 2, stride uint32 3, pad uint32 4, kernel_h uint32 5, kernel_w uint32 6, stride_h uint32 7, stride_w uint32 8, pad_h uint32 9, pad_w uint32 10, global_pooling bool 12, round_mode RoundMode 13",
	"PowerParameter":        "power float 1, scale float 2, shift float 3",
	"ReLUParameter":         "negative_slope float 1",
	"ELUParameter":          "alpha float 1",
	"PReLUParameter":        "filler FillerParameter 1, channel_shared bool 2",
	"ReshapeParameter":      "shape BlobShape 1, axis int32 2, num_axes int32 3",
	"FlattenParameter":      "axis int32 1, end_axis int32 2",
	"SoftmaxParameter":      "axis int32 2",
	"BatchNormParameter":    "use_global_stats bool 1, moving_average_fraction float 2, eps float 3",
	"ScaleParameter":        "axis int32 1, num_axes int32 2, filler FillerParameter 3, bias_term bool 4, bias_filler FillerParameter 5",
	"InputParameter":        "shape BlobShape* 1",
}

var enums = map[string][]string{
	"Phase": {"TRAIN", "TEST"}, "EltwiseOp": {"PROD", "SUM", "MAX"}, "NormRegion": {"ACROSS_CHANNELS", "WITHIN_CHANNEL"},
	"PoolMethod": {"MAX", "AVE", "STOCHASTIC"}, "RoundMode": {"CEIL", "FLOOR"},
}

var scalars = map[string]descriptorpb.FieldDescriptorProto_Type{
	"string": descriptorpb.FieldDescriptorProto_TYPE_STRING, "int32": descriptorpb.FieldDescriptorProto_TYPE_INT32,
	"int64": descriptorpb.FieldDescriptorProto_TYPE_INT64, "uint32": descriptorpb.FieldDescriptorProto_TYPE_UINT32,
	"float": descriptorpb.FieldDescriptorProto_TYPE_FLOAT, "double": descriptorpb.FieldDescriptorProto_TYPE_DOUBLE,
	"bool": descriptorpb.FieldDescriptorProto_TYPE_BOOL,
}

// netDescriptor builds the schema at run time.
func netDescriptor(t testing.TB) protoreflect.MessageDescriptor {
	t.Helper()
	file := &descriptorpb.FileDescriptorProto{Name: proto.String("oracle.proto"), Package: proto.String("o")}
	for name, fields := range schema {
		m := &descriptorpb.DescriptorProto{Name: proto.String(name)}
		for _, text := range strings.Split(fields, ",") {
			m.Field = append(m.Field, fieldDescriptor(t, text))
		}
		file.MessageType = append(file.MessageType, m)
	}
	for name, values := range enums {
		e := &descriptorpb.EnumDescriptorProto{Name: proto.String(name)}
		for i, v := range values { // enum values share the package's scope
			e.Value = append(e.Value, &descriptorpb.EnumValueDescriptorProto{Name: &v, Number: proto.Int32(int32(i))})
		}
		file.MessageType = append(file.MessageType, &descriptorpb.DescriptorProto{Name: proto.String("In" + name), EnumType: []*descriptorpb.EnumDescriptorProto{e}})
	}
	types := &descriptorpb.EnumDescriptorProto{Name: proto.String("LayerType")}
	for _, o := range oldTypes {
		types.Value = append(types.Value, &descriptorpb.EnumValueDescriptorProto{Name: &o.name, Number: proto.Int32(int32(o.number))})
	}
	file.MessageType = append(file.MessageType, &descriptorpb.DescriptorProto{Name: proto.String("InLayerType"), EnumType: []*descriptorpb.EnumDescriptorProto{types}})
	d, err := protodesc.NewFile(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	return d.Messages().ByName("NetParameter")
}

func fieldDescriptor(t testing.TB, text string) *descriptorpb.FieldDescriptorProto {
	var name, kind string
	var number int32
	if _, err := fmt.Sscan(text, &name, &kind, &number); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	f := &descriptorpb.FieldDescriptorProto{Name: &name, Number: &number, Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum()}
	base := strings.TrimRight(kind, "*!")
	if base != kind {
		f.Label = descriptorpb.FieldDescriptorProto_LABEL_REPEATED.Enum()
	}
	if strings.HasSuffix(kind, "!") {
		f.Options = &descriptorpb.FieldOptions{Packed: proto.Bool(true)}
	}
	switch s, ok := scalars[base]; {
	case ok:
		f.Type = s.Enum()
	case schema[base] != "":
		f.Type, f.TypeName = descriptorpb.FieldDescriptorProto_TYPE_MESSAGE.Enum(), proto.String(".o."+base)
	default:
		f.Type, f.TypeName = descriptorpb.FieldDescriptorProto_TYPE_ENUM.Enum(), proto.String(".o.In"+base+"."+base)
	}
	return f
}

// compareText compares what the oracle read with our tree, field by field.
func compareText(t *testing.T, path string, got *message, want protoreflect.Message) {
	t.Helper()
	want.Range(func(d protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		name := path + "." + string(d.Name())
		var have []value
		for _, f := range got.all(string(d.Name())) {
			have = append(have, f.values...)
		}
		list := []protoreflect.Value{v}
		if d.IsList() {
			list = nil
			for i := range v.List().Len() {
				list = append(list, v.List().Get(i))
			}
		}
		if len(have) != len(list) {
			t.Errorf("%s: %d values, want %d", name, len(have), len(list))
			return true
		}
		for i, w := range list {
			compareValue(t, fmt.Sprintf("%s[%d]", name, i), d, have[i], w)
		}
		return true
	})
}

func compareValue(t *testing.T, name string, d protoreflect.FieldDescriptor, have value, want protoreflect.Value) {
	t.Helper()
	var got any
	var err error
	w := want.Interface()
	switch d.Kind() {
	case protoreflect.MessageKind:
		compareText(t, name, have.message, want.Message())
		return
	case protoreflect.StringKind:
		got = have.text
	case protoreflect.EnumKind:
		got = have.text
		ev := d.Enum().Values().ByNumber(want.Enum())
		w = string(ev.Name())
	case protoreflect.BoolKind:
		got, err = have.boolean()
	case protoreflect.FloatKind:
		got, err = have.float()
	default:
		got, err = have.integer()
		w = fmt.Sprint(w)
		got = fmt.Sprint(got)
	}
	if err != nil || got != w {
		t.Errorf("%s: %v (%v), want %v", name, got, err, w)
	}
}

const trickyText = "\ufeff" + `# comment
name: "a\tb" 'c\'d' "\x41\101\u00e9" ; input: ["x", 'y'], input_dim: 0x10 input_dim: 010 input_dim: -1
input_shape < dim: 1 dim: [2, 3] > input_shape: { dim: 4; dim: 5 }
layer { name: "l" power_param { power: 1.5f scale: 2F shift: -.5e-3 } eltwise_param { operation: MAX coeff: [1, -0.25, 3.] }
 pooling_param { global_pooling: 1 pool: AVE } batch_norm_param: < use_global_stats: t eps: 1e-45 >
 scale_param { bias_term: False } inner_product_param { transpose: 0 bias_term: True } lrn_param { alpha: inf beta: -inf k: 16777217 } }
layers { type: INNER_PRODUCT blobs_lr: 1e40 blobs_lr: -0 weight_decay: 1.e-1 # end
}`

func TestTextOracle(t *testing.T) {
	d := netDescriptor(t)
	texts := map[string][]byte{"tricky": []byte(trickyText)}
	if dir := os.Getenv("BENCH_DATA"); dir != "" {
		for _, pattern := range []string{"models/*/*.prototxt", "models/*/*/*.prototxt", "models/*/*/*/*.prototxt", "nvdla-cases/*/deploy.prototxt"} {
			files, _ := filepath.Glob(filepath.Join(dir, pattern))
			for _, f := range files {
				text, err := os.ReadFile(f)
				if err != nil {
					t.Fatal(err)
				}
				texts[f] = text
			}
		}
	}
	for name, text := range texts {
		t.Run(filepath.ToSlash(name), func(t *testing.T) {
			want := dynamicpb.NewMessage(d)
			plain := bytes.TrimPrefix(text, []byte("\ufeff"))
			if err := (prototext.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(plain, want); err != nil {
				t.Fatal(err)
			}
			got, err := parseText(name, string(text))
			if err != nil {
				t.Fatal(err)
			}
			compareText(t, "net", got, want)
		})
	}
}

// TestWireOracle reads every real .caffemodel with protobuf's own decoder, and
// what WriteWeights makes of it.
func TestWireOracle(t *testing.T) {
	d := netDescriptor(t)
	for _, m := range realModels {
		if m.caffemodel == "" {
			continue
		}
		t.Run(m.caffemodel, func(t *testing.T) {
			net := openReal(t, m)
			data, err := os.ReadFile(filepath.Join(dataDir(t), "models", m.caffemodel))
			if err != nil {
				t.Fatal(err)
			}
			compareWire(t, d, net, data)
			compareWire(t, d, net, written(t, net))
		})
	}
}

func TestWireOracleSmall(t *testing.T) {
	net := withWeights(t, allLayers)
	compareWire(t, netDescriptor(t), net, written(t, net))
}

// TestTextWriterOracle lets protobuf read what WriteNetwork writes, without
// any unknown field.
func TestTextWriterOracle(t *testing.T) {
	d := netDescriptor(t)
	net := withWeights(t, allLayers)
	var text bytes.Buffer
	if err := WriteNetwork(&text, net); err != nil {
		t.Fatal(err)
	}
	if err := prototext.Unmarshal(text.Bytes(), dynamicpb.NewMessage(d)); err != nil {
		t.Errorf("%v\n%s", err, text.String())
	}
}

func written(t *testing.T, net *models.Network) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := WriteWeights(&b, net); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func compareWire(t *testing.T, d protoreflect.MessageDescriptor, net *models.Network, data []byte) {
	t.Helper()
	m := dynamicpb.NewMessage(d)
	if err := proto.Unmarshal(data, m); err != nil {
		t.Fatal(err)
	}
	blobs := map[string][][]float32{}
	for _, field := range []protoreflect.Name{"layer", "layers"} {
		layers := m.Get(d.Fields().ByName(field)).List()
		for i := range layers.Len() {
			l := layers.Get(i).Message()
			fs := l.Descriptor().Fields()
			stored := l.Get(fs.ByName("blobs")).List()
			for j := range stored.Len() {
				b := stored.Get(j).Message()
				list := b.Get(b.Descriptor().Fields().ByName("data")).List()
				values := make([]float32, list.Len())
				for k := range values {
					values[k] = float32(list.Get(k).Float())
				}
				name := l.Get(fs.ByName("name")).String()
				blobs[name] = append(blobs[name], values)
			}
		}
	}
	for _, l := range net.Layers {
		if len(l.Weights) != len(blobs[l.Name]) {
			t.Errorf("layer %q: %d blobs, want %d", l.Name, len(l.Weights), len(blobs[l.Name]))
			continue
		}
		for i, b := range l.Weights {
			for k, v := range blobs[l.Name][i] {
				if math.Float32bits(v) != math.Float32bits(b.Data[k]) {
					t.Fatalf("layer %q blob %d value %d: %v, want %v", l.Name, i, k, b.Data[k], v)
				}
			}
		}
	}
}
