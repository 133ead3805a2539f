package caffe

import (
	"slices"
	"strings"
	"testing"
)

const trainTest = `name: "n"
layer { name: "d" type: "Data" top: "data" top: "label" include { phase: TRAIN }
  transform_param { mirror: true crop_size: 24 mean_value: 104 mean_value: 117 mean_value: 123 } data_param { source: "x/train_lmdb" batch_size: 8 } }
layer { name: "d" type: "Data" top: "data" top: "label" include { phase: TEST }
  transform_param { mirror: false scale: 0.017 crop_size: 24 mean_value: [104, 117, 123] } data_param { source: "x/val_lmdb" } }
`

func TestReadTransform(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       Transform
		warnings   string
	}{
		{"test phase wins", trainTest, Transform{Layer: "d", Line: 4, Type: "Data", Scale: 0.017, CropSize: 24, MeanValue: []float32{104, 117, 123}, Source: "x/val_lmdb"}, "f:2: layer \"d\" prepares"},
		{"training alone", `layer { name: "d" type: "Data" top: "x" include { phase: TRAIN } transform_param { mirror: 1 mean_file: "m.binaryproto" } }`,
			Transform{Layer: "d", Line: 1, Type: "Data", Scale: 1, MeanFile: "m.binaryproto"}, "mirror has no part"},
		{"any phase", `layer { name: "i" type: "ImageData" top: "x" transform_param { force_gray: true } image_data_param { source: "l.txt" new_height: 32 new_width: 32 } }`,
			Transform{Layer: "i", Line: 1, Type: "ImageData", Scale: 1, NewHeight: 32, NewWidth: 32, Colour: "gray", Source: "l.txt"}, ""},
		{"old form", `layers { name: "mnist" type: DATA top: "data" data_param { source: "t" scale: 0.00390625 mirror: true crop_size: 5 } }`,
			Transform{Layer: "mnist", Line: 1, Type: "Data", Scale: 0.00390625, CropSize: 5, Source: "t"}, "mirror"},
		{"nothing said", `layer { name: "d" type: "Data" top: "x" }`, Transform{Layer: "d", Line: 1, Type: "Data", Scale: 1}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := ReadTransform("f", []byte(c.text))
			if err != nil || got == nil {
				t.Fatal(got, err)
			}
			if (len(got.Warnings) > 0) != (c.warnings != "") || len(got.Warnings) > 0 && !strings.Contains(got.Warnings[0].Error(), c.warnings) {
				t.Errorf("warnings %v", got.Warnings)
			}
			mean := got.MeanValue
			if !slices.Equal(mean, c.want.MeanValue) {
				t.Errorf("mean %v", mean)
			}
			got.MeanValue, got.Warnings, c.want.MeanValue = nil, nil, nil
			if !equalTransform(*got, c.want) {
				t.Errorf("%+v\nwant %+v", *got, c.want)
			}
		})
	}
	if got, err := ReadTransform("f", []byte(conv)); got != nil || err != nil {
		t.Error(got, err)
	}
	for text, want := range map[string]string{
		`layer { name: "d" type: "Data" transform_param { mean_value: 1 mean_file: "m" } }`:          "f:1: layer \"d\": mean_file and mean_value",
		`layer { name: "d" type: "Data" transform_param { force_color: true force_gray: true } }`:    "exclude each other",
		`layer { name: "d" type: "Data" transform_param { crop_size: -1 } }`:                         "crop_size: -1 is not between",
		`layer { name: "d" type: "Data" transform_param { mirror: perhaps } }`:                       "mirror: expected true or false",
		`layer { name: "d" type: "Data" transform_param: 3 }`:                                        "transform_param must be a block",
		`layer { name: "d" type: "Data" include { phase: TEST } exclude { phase: TRAIN } top: "x" }`: "both include and exclude",
		`layer { name: "d" }`: "has no type",
		`layer { `:            "f:1",
	} {
		if _, err := ReadTransform("f", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

func equalTransform(a, b Transform) bool {
	return a.Layer == b.Layer && a.Line == b.Line && a.Type == b.Type && a.Scale == b.Scale && a.CropSize == b.CropSize &&
		a.MeanFile == b.MeanFile && a.NewHeight == b.NewHeight && a.NewWidth == b.NewWidth && a.Colour == b.Colour && a.Source == b.Source
}

func TestOrder(t *testing.T) {
	for _, c := range []struct {
		t    Transform
		want string
	}{
		{Transform{Type: "Data", Source: "examples/CIFAR10/cifar10_test_lmdb"}, "rgb"}, {Transform{Type: "Data", Source: "ilsvrc"}, "bgr"}, {Transform{Type: "ImageData", Source: "cifar"}, "bgr"},
	} {
		if got := c.t.Order(); got != c.want {
			t.Errorf("%+v: %s", c.t, got)
		}
	}
}

func FuzzTransform(f *testing.F) {
	f.Add(trainTest)
	f.Add(`layers { type: IMAGE_DATA image_data_param { mean_file: "x" new_height: 4 } }`)
	f.Add(`layer { type: "Data" transform_param { scale: 1e39 mean_value: nan } }`)
	f.Fuzz(func(t *testing.T, text string) {
		got, err := ReadTransform("f", []byte(text))
		if err == nil && got != nil && (got.CropSize < 0 || got.Order() == "" || got.MeanFile != "" && len(got.MeanValue) > 0) {
			t.Errorf("%+v", got)
		}
	})
}
