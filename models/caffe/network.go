package caffe

import (
	"math"
	"slices"
	"strings"

	"quantbench/models"
)

// ParseNetwork reads a prototxt; file is its name in error messages. Layers of
// the training phase, data sources, losses and measurements are left out, the
// rest is linked and has shapes. Weights are nil. What was read but has no
// effect is in the network's Warnings.
func ParseNetwork(file string, text []byte) (*models.Network, error) {
	m, err := parseText(file, string(text))
	if err != nil {
		return nil, err
	}
	b := &builder{
		reader:  &reader{file: file},
		network: &models.Network{File: file, Batch: 1},
		dropped: map[string]*droppedLayer{},
	}
	b.reportUnknown(m, netMessage)
	b.read(fields{reader: b.reader, message: m, owner: netMessage})
	if b.err != nil {
		return nil, b.err
	}
	n := b.network
	if err := n.Link(); err != nil {
		return nil, err
	}
	if err := n.InferShapes(); err != nil {
		return nil, err
	}
	n.Warnings = b.warnings
	return n, nil
}

// builder collects the layers of one network.
type builder struct {
	*reader
	network *models.Network
	batched bool                     // Batch was set by an input
	dropped map[string]*droppedLayer // by blob
}

// droppedLayer is a layer that was left out, and why.
type droppedLayer struct {
	name, kind, why string
	line            int
}

func (b *builder) read(net fields) {
	b.network.Name = net.text("name")
	b.headers(net)
	old, modern := net.has("layers"), net.has("layer")
	if old && modern {
		b.fail(net.message.all("layer")[0].at.line, "both layer and layers are used; Caffe reads only one form")
	}
	for _, f := range net.message.fields {
		if f.name != "layer" && f.name != "layers" {
			continue
		}
		for _, v := range f.values {
			if v.kind != block {
				b.fail(v.at.line, "%s must be a block { ... }, found %s", f.name, v)
				return
			}
			b.layer(fields{reader: b.reader, message: v.message, owner: f.name}, f.at.line, f.name == "layers")
		}
		if b.err != nil {
			return
		}
	}
	if len(b.network.Layers) == 0 {
		b.fail(0, "%w", errEmpty)
	}
}

// headers makes Input layers of "input:" with its input_shape blocks or its
// input_dim fields, four an input.
func (b *builder) headers(net fields) {
	names := net.texts("input")
	var shapes [][]int
	net.each("input_shape", func(v value) error {
		inner := fields{reader: b.reader, message: v.message, owner: "input_shape"}
		shapes = append(shapes, inner.integers("dim", 1))
		return nil
	})
	if len(shapes) == 0 {
		for four := range slices.Chunk(net.integers("input_dim", 1), 4) {
			shapes = append(shapes, four)
		}
	}
	if b.err != nil || len(names) == 0 {
		return
	}
	lines := linesOf(net.message.all("input"))
	if len(names) != len(shapes) {
		b.fail(lines[0], "%d input names but %d shapes; give each input an input_shape or four input_dim", len(names), len(shapes))
		return
	}
	for i, name := range names {
		batch, s := b.pictures(lines[i], shapes[i])
		b.setBatch(batch)
		b.network.Layers = append(b.network.Layers, &models.Layer{
			Name: name, Type: "Input", Op: models.Input{Shape: s}, Tops: []string{name},
			Pos: models.Pos{File: b.file, Line: lines[i]}, Implicit: true,
		})
	}
}

func linesOf(fs []*field) []int {
	var out []int
	for _, f := range fs {
		for _, v := range f.values {
			out = append(out, v.at.line)
		}
	}
	return out
}

// setBatch takes the number of pictures of the first input.
func (b *builder) setBatch(n int) {
	if !b.batched {
		b.network.Batch, b.batched = n, true
	}
}

func (b *builder) layer(f fields, line int, old bool) {
	l := &models.Layer{
		Name: f.text("name"), Type: b.layerType(f, line, old),
		Bottoms: f.texts("bottom"), Tops: f.texts("top"),
		Pos: models.Pos{File: b.file, Line: line},
	}
	if b.err != nil {
		return
	}
	why := droppedTypes[l.Type]
	if !b.included(f) {
		why = "training layer"
	}
	if why != "" {
		b.drop(l, why)
		return
	}
	build := builders[l.Type]
	if build == nil {
		b.fail(line, "layer %q: type %q is not supported%s (supported: %s)", l.Name, l.Type,
			didYouMean(l.Type, supportedTypes()), strings.Join(supportedTypes(), ", "))
		return
	}
	if l.Type == "SoftmaxWithLoss" {
		b.unloss(l)
	}
	l.Op = build(f)
	if b.err == nil {
		b.add(l, f)
	}
}

// add checks the layer's bottoms against what was left out, and keeps it.
func (b *builder) add(l *models.Layer, f fields) {
	for _, blob := range l.Bottoms {
		if d := b.dropped[blob]; d != nil {
			b.fail(l.Pos.Line, "layer %q (%s) reads blob %q of the %s %q (%s, line %d), which has no part in inference; use the network's deploy.prototxt, or put in its place an Input layer with input_param { shape { dim: ... } }",
				l.Name, l.Type, blob, d.why, d.name, d.kind, d.line)
			return
		}
	}
	for _, blob := range l.Tops {
		delete(b.dropped, blob)
	}
	if _, ok := l.Op.(models.Input); ok {
		b.setBatch(f.block("input_param").block("shape").integers("dim", 1)[0])
	}
	b.network.Layers = append(b.network.Layers, l)
}

// drop leaves a layer out. Blobs that only it writes cannot be read.
func (b *builder) drop(l *models.Layer, why string) {
	for _, t := range l.Tops {
		if !b.written(t) {
			b.dropped[t] = &droppedLayer{l.Name, l.Type, why, l.Pos.Line}
		}
	}
	if why != "training layer" {
		b.warn(l.Pos.Line, "layer %q (%s) is a %s and is left out", l.Name, l.Type, why)
	}
}

func (b *builder) written(blob string) bool {
	return slices.ContainsFunc(b.network.Layers, func(l *models.Layer) bool { return slices.Contains(l.Tops, blob) })
}

// unloss makes a Softmax of a SoftmaxWithLoss: the labels are not read, and a
// missing top is named after the layer.
func (b *builder) unloss(l *models.Layer) {
	b.warn(l.Pos.Line, "layer %q (SoftmaxWithLoss) is read as Softmax", l.Name)
	l.Type = "Softmax"
	l.Bottoms = l.Bottoms[:min(1, len(l.Bottoms))]
	l.Tops = l.Tops[:min(1, len(l.Tops))]
	if len(l.Tops) == 0 {
		l.Tops = []string{l.Name}
	}
}

// layerType is today's name of the layer's type.
func (b *builder) layerType(f fields, line int, old bool) string {
	if f.has("layer") && old {
		b.fail(line, "layers { layer { ... } } is the form before V1; convert it with Caffe's upgrade_net_proto_text")
		return ""
	}
	v := f.one("type")
	if v == nil {
		b.fail(line, "layer %q has no type (supported: %s)", f.text("name"), strings.Join(supportedTypes(), ", "))
		return ""
	}
	if !old {
		return f.text("type")
	}
	n, err := v.integer()
	name := v.text
	if err == nil {
		name = ""
	}
	if v.kind == block || v.kind == quoted || oldType(name, n) == "" {
		var known []string
		for _, t := range oldTypes {
			known = append(known, t.name)
		}
		b.fail(v.at.line, "layer %q: %s is no type of the old form (layers)%s; a quoted type belongs to the new form (layer)", f.text("name"), v, didYouMean(v.text, known))
	}
	return oldType(name, n)
}

// included tells whether the layer is part of the test phase: with include
// rules one of them must hold, with exclude rules none may.
func (b *builder) included(f fields) bool {
	holds := false
	for _, list := range []string{"include", "exclude"} {
		f.each(list, func(v value) error {
			holds = b.rule(fields{reader: b.reader, message: v.message, owner: list}) || holds
			return nil
		})
	}
	include, exclude := f.has("include"), f.has("exclude")
	if include && exclude {
		b.fail(f.line(), "layer %q has both include and exclude; Caffe takes one of them", f.text("name"))
	}
	return holds == include
}

// rule tells whether a NetStateRule holds in the test phase, at level 0,
// without stages.
func (b *builder) rule(r fields) bool {
	test := r.enum("phase", 1, "TRAIN", "TEST") == 1
	return test && r.integer("min_level", math.MinInt32, 0) <= 0 &&
		r.integer("max_level", math.MinInt32, 0) >= 0 && !r.has("stage")
}
