package main

import (
	"errors"
	"os"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"quantbench/models"
	"quantbench/models/caffe"
)

// weights gives a network weights, "weights PROTOTXT CAFFEMODEL [LAYER BLOB
// FROM:TO OPERATION]...": in [-1, 1] and the same on every run, those of scales and
// variances positive. An operation sets values (=-300) or multiplies them (*1e-6).
func weights(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args)%4 != 2 {
		ts.Fatalf("usage: weights PROTOTXT CAFFEMODEL [LAYER BLOB FROM:TO OPERATION]...")
	}
	net, err := caffe.Read(ts.MkAbs(args[0]), "")
	ts.Check(err)
	state := uint32(1)
	for _, l := range net.Layers {
		for i, shape := range l.WeightShapes() {
			b := models.Blob{Shape: shape, Data: make([]float32, models.Elements(shape))}
			for k := range b.Data {
				state = state*1664525 + 1013904223
				b.Data[k] = float32(int32(state)) / (1 << 31)
				if positive(l, i) {
					b.Data[k] = 1 + b.Data[k]*b.Data[k]
				}
			}
			if _, ok := l.Op.(models.BatchNorm); ok && i == 2 {
				b.Data[0] = 1 // what mean and variance are divided by
			}
			l.Weights = append(l.Weights, b)
		}
	}
	for at := 2; at < len(args); at += 4 {
		ts.Check(change(net, args[at:at+4]))
	}
	f, err := os.Create(ts.MkAbs(args[1]))
	ts.Check(err)
	ts.Check(errors.Join(caffe.WriteWeights(f, net), f.Close()))
}

func positive(l *models.Layer, blob int) bool {
	switch l.Op.(type) {
	case models.BatchNorm:
		return blob > 0
	case models.Scale:
		return blob == 0
	}
	return false
}

// change applies one operation to a range of a layer's blob.
func change(net *models.Network, args []string) error {
	blob, err := strconv.Atoi(args[1])
	from, to, _ := strings.Cut(args[2], ":")
	first, err1 := strconv.Atoi(from)
	last, err2 := strconv.Atoi(to)
	v, err3 := strconv.ParseFloat(args[3][1:], 32)
	if err := errors.Join(err, err1, err2, err3); err != nil {
		return err
	}
	data := net.Layer(args[0]).Weights[blob].Data
	for i := first; i < last; i++ {
		if args[3][0] == '=' {
			data[i] = float32(v)
		} else {
			data[i] *= float32(v)
		}
	}
	return nil
}
