package caffe

import (
	"fmt"
	"math"
	"slices"

	"quantbench/models"
)

// MismatchKind says how prototxt and caffemodel disagree.
type MismatchKind int

// The kinds.
const (
	NoWeights    MismatchKind = iota // a layer finds none
	OtherShape                       // a blob has another shape, or there are too many or few
	NoLayer                          // weights that no layer takes
	UnusableData                     // infinite, no number, or a negative variance
)

// Mismatch is one disagreement of a prototxt and a caffemodel.
type Mismatch struct {
	Kind  MismatchKind
	Layer *models.Layer // nil for NoLayer
	Text  string        // what, with the numbers
}

// CompareWeights lists every disagreement of a network, which stays without
// weights, and a .caffemodel: where ReadWeights stops at the first. A file that
// cannot be read at all is an error.
func CompareWeights(net *models.Network, file string, data []byte) ([]Mismatch, error) {
	stored, err := readModel(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	found := map[string]*storedLayer{}
	var names []string
	for _, s := range stored {
		if found[s.name] != nil {
			return nil, fmt.Errorf("%s: byte %d: layer %q has weights twice, before at byte %d", file, s.at, s.name, found[s.name].at)
		}
		found[s.name] = s
		names = append(names, s.name)
	}
	var list []Mismatch
	for _, l := range net.Layers {
		if want := l.WeightShapes(); len(want) > 0 {
			list = append(list, compareLayer(l, want, file, found[l.Name], names)...)
			delete(found, l.Name)
		}
	}
	for _, s := range stored {
		if found[s.name] != nil {
			list = append(list, Mismatch{Kind: NoLayer, Text: fmt.Sprintf("%s: layer %q (%s) has %d blobs %v, which no layer of %s takes", file, s.name, s.kind, len(s.blobs), s.shapes(), net.File)})
		}
	}
	return list, nil
}

// compareLayer compares one layer with what is stored under its name.
func compareLayer(l *models.Layer, want [][]int, file string, s *storedLayer, names []string) []Mismatch {
	if s == nil {
		return []Mismatch{{NoWeights, l, fmt.Sprintf("%s has no weights of that name%s", file, didYouMean(l.Name, names))}}
	}
	if len(s.blobs) != len(want) {
		return []Mismatch{{OtherShape, l, fmt.Sprintf("needs %d blobs %v, but %s has %d %v", len(want), want, file, len(s.blobs), s.shapes())}}
	}
	var list []Mismatch
	for i, b := range s.blobs {
		if !sameShape(b.Shape, want[i]) {
			list = append(list, Mismatch{OtherShape, l, fmt.Sprintf("blob %d must have shape %v, but in %s (byte %d) it has %v", i, want[i], file, s.at, b.Shape)})
			continue
		}
		if at := unusable(l, i, b.Data); at >= 0 {
			list = append(list, Mismatch{UnusableData, l, fmt.Sprintf("blob %d has %v at element %d", i, b.Data[at], at)})
		}
	}
	return list
}

// unusable is the first element of a blob that cannot be right; -1 if there is none.
func unusable(l *models.Layer, blob int, data []float32) int {
	_, norm := l.Op.(models.BatchNorm)
	return slices.IndexFunc(data, func(v float32) bool {
		return math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) || norm && blob == 1 && v < 0
	})
}
