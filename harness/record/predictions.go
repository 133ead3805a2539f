package record

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"

	"quantbench/harness/stats"
)

// Prediction is what a cell says of one picture.
type Prediction struct {
	// Class is the class with the best score, the lowest index among equals.
	Class uint16
	// Tied is how many classes share the best score, 1 if none does.
	Tied uint16
	// Best tells whether the picture's label is among the classes with the best score.
	Best bool
	// Margin is the best score less the second best (0 if tied).
	Margin float32
}

// Correct reports whether the prediction is the label: the rule of Correct in Cell.
func (p Prediction) Correct(label int) bool { return p.Best && int(p.Class) == label }

// Outcome is the prediction in the form that package stats counts.
func (p Prediction) Outcome() stats.Outcome {
	o := stats.Outcome{Predicted: int(p.Class), Tied: int(p.Tied)}
	if p.Best {
		o.Share = 1 / float64(p.Tied)
	}
	return o
}

const predictionsMagic = "QBPRED1\n"

// predictionSize is the bytes of one encoded prediction.
const predictionSize = 9

// EncodePredictions writes a compact, fixed-size binary form: a magic line, the
// count, then class, tied, best and margin of each picture, little endian.
func EncodePredictions(p []Prediction) []byte {
	b := make([]byte, 0, len(predictionsMagic)+4+predictionSize*len(p))
	b = append(b, predictionsMagic...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(p)))
	for _, x := range p {
		b = appendPrediction(b, x)
	}
	return b
}

// appendPrediction writes one prediction in predictionSize bytes.
func appendPrediction(b []byte, x Prediction) []byte {
	b = binary.LittleEndian.AppendUint16(b, x.Class)
	b = binary.LittleEndian.AppendUint16(b, x.Tied)
	best := byte(0)
	if x.Best {
		best = 1
	}
	b = append(b, best)
	return binary.LittleEndian.AppendUint32(b, math.Float32bits(x.Margin))
}

// decodePrediction reads what appendPrediction wrote.
func decodePrediction(r []byte) Prediction {
	return Prediction{
		Class:  binary.LittleEndian.Uint16(r),
		Tied:   binary.LittleEndian.Uint16(r[2:]),
		Best:   r[4] != 0,
		Margin: math.Float32frombits(binary.LittleEndian.Uint32(r[5:])),
	}
}

// DecodePredictions reads what EncodePredictions wrote.
func DecodePredictions(b []byte) ([]Prediction, error) {
	rest, ok := bytes.CutPrefix(b, []byte(predictionsMagic))
	if !ok || len(rest) < 4 {
		return nil, fmt.Errorf("not a predictions file: it does not begin with %q", predictionsMagic)
	}
	n := int(binary.LittleEndian.Uint32(rest))
	rest = rest[4:]
	if len(rest) != n*predictionSize {
		return nil, fmt.Errorf("a predictions file of %d pictures has %d bytes of them, found %d", n, n*predictionSize, len(rest))
	}
	p := make([]Prediction, n)
	for i := range p {
		p[i] = decodePrediction(rest[i*predictionSize:])
	}
	return p, nil
}
