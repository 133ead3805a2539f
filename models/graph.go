package models

import (
	"fmt"
	"strings"
)

// Errorf makes an error about the layer: its place in the prototxt, its name
// and type, then the message.
func (l *Layer) Errorf(format string, args ...any) error {
	at := l.Pos.String()
	if at != "" {
		at += ": "
	}
	return fmt.Errorf("%slayer %q (%s): %w", at, l.Name, l.Type, fmt.Errorf(format, args...))
}

// Link numbers the layers and joins each bottom to the layer that last wrote
// the blob (Index and From), as Caffe does when it builds a net. It refuses
// names used twice, bottoms that no earlier layer writes, blobs written twice
// other than in place, and wrong numbers of bottoms and tops.
func (n *Network) Link() error {
	names := make(map[string]*Layer, len(n.Layers))
	writer := make(map[string]*Layer, len(n.Layers))
	for i, l := range n.Layers {
		l.Index = i
		if first := names[l.Name]; first != nil {
			return l.Errorf("the name is already used by the %s layer at %s; layers are found by name, give each its own", first.Type, first.Pos)
		}
		names[l.Name] = l
		if err := checkArity(l); err != nil {
			return err
		}
		if err := l.join(writer); err != nil {
			return err
		}
	}
	return nil
}

// join fills From and enters the layer's tops into writer.
func (l *Layer) join(writer map[string]*Layer) error {
	l.From = nil
	for _, b := range l.Bottoms {
		f := writer[b]
		if f == nil {
			return l.Errorf("reads blob %q, which no earlier layer writes%s", b, suggest(b, writer))
		}
		l.From = append(l.From, f)
	}
	for i, t := range l.Tops {
		f := writer[t]
		inPlace := i < len(l.Bottoms) && l.Bottoms[i] == t
		if f != nil && !inPlace {
			return l.Errorf("writes blob %q, which the layer %q at %s already writes; rename one of them", t, f.Name, f.Pos)
		}
		if inPlace && !worksInPlace(l.Op) {
			return l.Errorf("cannot write its own bottom %q; give its top another name", t)
		}
	}
	for _, t := range l.Tops {
		writer[t] = l
	}
	return nil
}

// worksInPlace tells whether Caffe runs the operation with top and bottom the
// same blob.
func worksInPlace(op Op) bool {
	switch op.(type) {
	case ReLU, PReLU, BatchNorm, Scale, Dropout, Power, Sigmoid, TanH, ELU, AbsVal, Softmax, Eltwise:
		return true
	}
	return false
}

// checkArity compares the numbers of bottoms and tops with what the operation
// takes.
func checkArity(l *Layer) error {
	low, high := 1, 1
	switch l.Op.(type) {
	case nil:
		return l.Errorf("has no operation")
	case Input:
		low, high = 0, 0
	case Eltwise:
		low, high = 2, len(l.Bottoms)
	case Concat:
		high = len(l.Bottoms)
	}
	if got := len(l.Bottoms); got < low || got > max(low, high) {
		return l.Errorf("has %d bottoms, takes %s", got, count(low, high))
	}
	got := len(l.Tops)
	if _, split := l.Op.(Split); got == 0 || got > 1 && !split {
		return l.Errorf("has %d tops, takes 1", got)
	}
	return nil
}

func count(low, high int) string {
	if low == high {
		return fmt.Sprint(low)
	}
	return fmt.Sprintf("at least %d", low)
}

// suggest lists the blobs that differ from name in case or by one of the usual
// separators, as the end of an error message.
func suggest(name string, writer map[string]*Layer) string {
	fold := func(s string) string {
		return strings.NewReplacer("_", "", "-", "", "/", "", " ", "").Replace(strings.ToLower(s))
	}
	best := ""
	for blob := range writer {
		if fold(blob) == fold(name) && (best == "" || blob < best) {
			best = blob
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}
