package caffe

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Transform is what the data layer of a train prototxt says about its pictures;
// the fields are called as there.
type Transform struct {
	// Layer is the data layer, Line where it begins.
	Layer string
	Line  int
	// Type is the layer's: "Data", "ImageData", ...
	Type  string
	Scale float32 // 1 if not given
	// CropSize is the side of a square crop; 0 for none.
	CropSize  int
	MeanValue []float32
	MeanFile  string
	// NewHeight and NewWidth are image_data_param's; 0 for none.
	NewHeight, NewWidth int
	// Colour is force_color or force_gray; empty for neither.
	Colour string
	// Source is the database or list that the layer reads.
	Source string
	// Warnings tell what was read but has no part in a test, such as mirror.
	Warnings []error
}

// sources are the data layers whose pictures transform_param prepares.
var sources = []string{"Data", "ImageData", "MemoryData"}

// ReadTransform reads the transform_param of a prototxt: that of the data layer of
// the test phase, or of the training phase if there is no other. The fields of the
// old form (data_param { scale: ... }) are read, too. It returns nil, without an
// error, if no data layer has pictures.
func ReadTransform(file string, text []byte) (*Transform, error) {
	m, err := parseText(file, string(text))
	if err != nil {
		return nil, err
	}
	b := &builder{reader: &reader{file: file}}
	var test, train *Transform
	for _, f := range m.fields {
		for _, v := range f.values {
			if f.name != "layer" && f.name != "layers" || v.kind != block {
				continue
			}
			layer := fields{reader: b.reader, message: v.message, owner: f.name}
			t := b.dataLayer(layer, f.at.line, f.name == "layers")
			switch {
			case b.err != nil:
				return nil, b.err
			case t == nil:
			case b.included(layer):
				test = cmp.Or(test, t)
			default:
				train = cmp.Or(train, t)
			}
		}
	}
	if b.err != nil {
		return nil, b.err
	}
	return chosen(file, test, train), nil
}

// dataLayer reads a layer if it is one that feeds pictures; else it is nil.
func (b *builder) dataLayer(l fields, line int, old bool) *Transform {
	kind := b.layerType(l, line, old)
	if b.err != nil || !slices.Contains(sources, kind) {
		return nil
	}
	return b.transform(l, line, kind)
}

// chosen is the test phase's rule, with a warning where training has another one.
func chosen(file string, test, train *Transform) *Transform {
	switch {
	case test == nil:
		return train
	case train != nil && (train.Scale != test.Scale || train.MeanFile != test.MeanFile || !slices.Equal(train.MeanValue, test.MeanValue) || train.CropSize != test.CropSize):
		test.Warnings = append(test.Warnings, fmt.Errorf("%s:%d: layer %q prepares the pictures of the training phase in another way than the one in line %d does for the test phase; the latter is used", file, train.Line, train.Layer, test.Line))
	}
	return test
}

// transform reads one data layer.
func (b *builder) transform(l fields, line int, kind string) *Transform {
	p := l.block("transform_param")
	data := l.block(map[string]string{"Data": "data_param", "ImageData": "image_data_param", "MemoryData": "memory_data_param"}[kind])
	t := &Transform{Layer: l.text("name"), Line: line, Type: kind, Source: data.text("source")}
	for _, f := range []fields{data, p} { // the newer form wins
		t.Scale = f.float("scale", cmp.Or(t.Scale, 1))
		t.CropSize = f.integer("crop_size", 0, t.CropSize)
		if name := f.text("mean_file"); name != "" {
			t.MeanFile = name
		}
		if f.boolean("mirror", false) {
			b.warn(line, "layer %q: mirror has no part in a test and is ignored", t.Layer)
		}
	}
	t.MeanValue = p.floats("mean_value")
	if kind == "ImageData" {
		t.NewHeight, t.NewWidth = data.integer("new_height", 0, 0), data.integer("new_width", 0, 0)
	}
	switch color, gray := p.boolean("force_color", false), p.boolean("force_gray", false); {
	case color && gray:
		b.fail(line, "layer %q: force_color and force_gray exclude each other", t.Layer)
	case color:
		t.Colour = "color"
	case gray:
		t.Colour = "gray"
	}
	if t.MeanFile != "" && len(t.MeanValue) > 0 {
		b.fail(line, "layer %q: mean_file and mean_value are both given; Caffe takes one of them", t.Layer)
	}
	if kind == "MemoryData" && p.message == nil {
		b.warn(line, "layer %q (MemoryData) has no transform_param: its pictures are taken as they are", t.Layer)
	}
	t.Warnings, b.warnings = b.warnings, nil
	return t
}

// Order is the channel order of the layer's colour pictures: Caffe's image tools
// store blue, green, red; its converter for CIFAR-10 keeps red, green, blue. The
// prototxt does not say which made a database, so its name is looked at.
func (t *Transform) Order() string {
	if t.Type == "Data" && strings.Contains(strings.ToLower(t.Source), "cifar") {
		return "rgb"
	}
	return "bgr"
}
