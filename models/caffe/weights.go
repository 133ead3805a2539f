package caffe

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"quantbench/models"
)

// ReadWeights attaches the blobs of a .caffemodel (V1 or V2 layers) to the
// network's layers by name; file is its name in messages. Every layer that is
// trained must find its blobs with the right shapes, else nothing is attached.
// Blobs of layers that the network does not have are told in Warnings.
func ReadWeights(net *models.Network, file string, data []byte) error {
	stored, err := readModel(data)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	found := make(map[string]*storedLayer, len(stored))
	for _, s := range stored {
		if first := found[s.name]; first != nil {
			return fmt.Errorf("%s: byte %d: layer %q has weights twice, before at byte %d", file, s.at, s.name, first.at)
		}
		found[s.name] = s
	}
	attached := make([][]models.Blob, len(net.Layers))
	for i, l := range net.Layers {
		if attached[i], err = match(l, file, found); err != nil {
			return err
		}
		if len(attached[i]) > 0 {
			delete(found, l.Name)
		}
	}
	for i, l := range net.Layers {
		l.Weights = attached[i]
	}
	for _, s := range stored {
		if found[s.name] != nil {
			net.Warnings = append(net.Warnings, fmt.Errorf("%s: layer %q (%s) has %d blobs, but %s has no such layer with weights; they are ignored", file, s.name, s.kind, len(s.blobs), net.File))
		}
	}
	return nil
}

// match takes the blobs of one layer and checks their shapes.
func match(l *models.Layer, file string, found map[string]*storedLayer) ([]models.Blob, error) {
	want := l.WeightShapes()
	if len(want) == 0 {
		return nil, nil
	}
	s := found[l.Name]
	if s == nil {
		var names []string
		for name := range found {
			names = append(names, name)
		}
		slices.Sort(names)
		return nil, l.Errorf("%s has no weights of that name%s; layers are matched by name, and a layer without weights cannot run", file, didYouMean(l.Name, names))
	}
	if len(s.blobs) != len(want) {
		return nil, l.Errorf("needs %d blobs %v, but %s has %d %v", len(want), want, file, len(s.blobs), s.shapes())
	}
	blobs := make([]models.Blob, len(want))
	for i, b := range s.blobs {
		if !sameShape(b.Shape, want[i]) {
			return nil, l.Errorf("blob %d must have shape %v, but in %s (byte %d) it has %v; do prototxt and caffemodel belong together?", i, want[i], file, s.at, b.Shape)
		}
		blobs[i] = models.Blob{Shape: slices.Clone(want[i]), Data: b.Data}
	}
	return blobs, nil
}

// sameShape compares shapes; ones before and after count only between shapes
// of equally many dimensions: the old format has always four, 1x1xNxK for the
// weights of an InnerProduct.
func sameShape(have, want []int) bool {
	if len(have) == len(want) {
		return slices.Equal(have, want)
	}
	return slices.Equal(core(have), core(want))
}

// core is the shape without its leading and trailing ones.
func core(s []int) []int {
	for len(s) > 0 && s[0] == 1 {
		s = s[1:]
	}
	for len(s) > 0 && s[len(s)-1] == 1 {
		s = s[:len(s)-1]
	}
	return s
}

// storedLayer is a layer of a .caffemodel that has blobs.
type storedLayer struct {
	name, kind string
	blobs      []models.Blob
	at         int // its first byte in the file
}

func (s *storedLayer) shapes() [][]int {
	var out [][]int
	for _, b := range s.blobs {
		out = append(out, b.Shape)
	}
	return out
}

// Field numbers of Caffe's messages that are read and written.
const (
	netName, netLayersV1, netLayer = 1, 2, 100

	layerName, layerType, layerBottom, layerTop, layerBlobs = 1, 2, 3, 4, 7
	v1Name, v1Type, v1Blobs                                 = 4, 5, 6

	blobNum, blobWidth                  = 1, 4 // num, channels, height, width
	blobData, blobShape, blobDouble     = 5, 7, 8
	blobRawType, blobRaw, shapeDim      = 10, 12, 1
	maxDimensions, maxElements      int = 32, math.MaxInt32
)

// readModel walks a NetParameter and returns its layers that have blobs.
func readModel(data []byte) ([]*storedLayer, error) {
	if err := sniff(data); err != nil {
		return nil, err
	}
	var out []*storedLayer
	err := walk(data, 0, func(f wireField) error {
		if f.number != netLayer && f.number != netLayersV1 {
			return nil
		}
		if err := f.expect(protowire.BytesType, "layer"); err != nil {
			return err
		}
		s, err := readLayer(f, f.number == netLayersV1)
		if err == nil && len(s.blobs) > 0 {
			out = append(out, s)
		}
		return err
	})
	if err == nil && len(out) == 0 {
		err = errors.New("no layer has weights; is this a .caffemodel?")
	}
	return out, err
}

// sniff recognises files that are something else.
func sniff(data []byte) error {
	for _, other := range []struct{ start, what string }{
		{"\x89HDF", "an HDF5 file; save the model in Caffe's binary format (snapshot_format: BINARYPROTO)"},
		{"version https://git-lfs", "a Git LFS pointer, not the file itself; run git lfs pull"},
		{"<", "a web page or XML, not a download of the model"},
		{"name:", "a text file; the weights are in the .caffemodel"},
		{"layer", "a text file; the weights are in the .caffemodel"},
	} {
		if bytes.HasPrefix(data, []byte(other.start)) {
			return errors.New("this is " + other.what)
		}
	}
	if len(data) == 0 {
		return errors.New("the file is empty")
	}
	return nil
}

func readLayer(f wireField, old bool) (*storedLayer, error) {
	s := &storedLayer{at: f.at}
	name, kind, blobs := protowire.Number(layerName), protowire.Number(layerType), protowire.Number(layerBlobs)
	if old {
		name, kind, blobs = v1Name, v1Type, v1Blobs
	}
	err := walk(f.bytes, f.inside, func(f wireField) error {
		switch f.number {
		case name:
			s.name = string(f.bytes)
			return f.expect(protowire.BytesType, "name")
		case kind:
			s.kind = string(f.bytes)
			if old {
				s.kind = oldType("", int64(f.bits))
			}
		case blobs:
			if err := f.expect(protowire.BytesType, "blobs"); err != nil {
				return err
			}
			b, err := readBlob(f)
			s.blobs = append(s.blobs, b)
			return err
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("layer %q: %w", s.name, err)
	}
	return s, nil
}

// rawBlob is a BlobProto before its parts are put together.
type rawBlob struct {
	legacy   [4]uint64 // num, channels, height, width
	isLegacy bool
	shape    []int
	hasShape bool
	data     []float32
	raw      []byte
	rawType  uint64
}

func readBlob(f wireField) (models.Blob, error) {
	var b rawBlob
	if err := walk(f.bytes, f.inside, b.read); err != nil {
		return models.Blob{}, err
	}
	if b.raw != nil {
		var err error
		if b.data, err = rawFloats(b.raw, b.rawType, f.at); err != nil {
			return models.Blob{}, err
		}
	}
	shape, err := b.dimensions(f.at)
	if err != nil {
		return models.Blob{}, err
	}
	if n := models.Elements(shape); n != len(b.data) {
		return models.Blob{}, wireError(f.at, "blob of shape %v needs %d values but has %d", shape, n, len(b.data))
	}
	return models.Blob{Shape: shape, Data: b.data}, nil
}

func (b *rawBlob) read(f wireField) (err error) {
	switch {
	case f.number >= blobNum && f.number <= blobWidth:
		b.isLegacy, b.legacy[f.number-1] = true, f.bits
		return f.expect(protowire.VarintType, "size")
	case f.number == blobData:
		b.data, err = f.floats(b.data)
	case f.number == blobDouble:
		b.data, err = f.doubles(b.data)
	case f.number == blobShape:
		b.hasShape = true
		if err = f.expect(protowire.BytesType, "shape"); err == nil {
			err = walk(f.bytes, f.inside, b.readDim)
		}
	case f.number == blobRawType:
		b.rawType = f.bits
	case f.number == blobRaw:
		b.raw = f.bytes
		return f.expect(protowire.BytesType, "raw_data")
	}
	return err
}

// readDim appends the sizes of a BlobShape, packed or not.
func (b *rawBlob) readDim(f wireField) error {
	if f.number != shapeDim {
		return nil
	}
	if f.kind == protowire.VarintType {
		return b.addDim(f.bits, f.at)
	}
	if err := f.expect(protowire.BytesType, "dim"); err != nil {
		return err
	}
	for rest := f.bytes; len(rest) > 0; {
		d, n := protowire.ConsumeVarint(rest)
		if n < 0 {
			return wireError(f.at, "dim is cut off or damaged")
		}
		rest = rest[n:]
		if err := b.addDim(d, f.at); err != nil {
			return err
		}
	}
	return nil
}

func (b *rawBlob) addDim(d uint64, at int) error {
	if d > uint64(maxElements) || len(b.shape) == maxDimensions {
		return wireError(at, "shape %v and %d: a blob has at most %d dimensions and 2^31-1 elements", b.shape, int64(d), maxDimensions)
	}
	b.shape = append(b.shape, int(d))
	return nil
}

// dimensions is the blob's shape, from shape or the four legacy fields.
func (b *rawBlob) dimensions(at int) ([]int, error) {
	if b.isLegacy && !b.hasShape {
		for _, d := range b.legacy {
			if err := b.addDim(d, at); err != nil {
				return nil, err
			}
		}
	}
	n := 1
	for _, d := range b.shape {
		if d > 0 && n > maxElements/d {
			return nil, wireError(at, "shape %s has more than 2^31-1 elements", strings.Trim(fmt.Sprint(b.shape), "[]"))
		}
		n *= d
	}
	return b.shape, nil
}
