// Package zoo holds the networks that ship with bench: Caffe files with weights
// that the project trained itself (recipe: train/train.py; what it printed:
// training.log beside each network).
package zoo

import (
	"embed"
	"io/fs"
)

//go:embed lenet5 resnet18
var files embed.FS

// Files holds the shipped networks, one folder each, named like the network.
func Files() fs.FS { return files }

// Model is one shipped network.
type Model struct {
	Name string
	// Prototxt and Caffemodel are paths in Files.
	Prototxt, Caffemodel string
	// Dataset is what the network was trained on.
	Dataset string
	// Scale is the preprocessing it was trained with: input = pixel * Scale.
	Scale float32
}

// Models are the shipped networks, the smaller one first.
var Models = []Model{
	{Name: "lenet5", Prototxt: "lenet5/deploy.prototxt", Caffemodel: "lenet5/lenet5.caffemodel", Dataset: "fashion-mnist", Scale: 1.0 / 256},
	{Name: "resnet18", Prototxt: "resnet18/deploy.prototxt", Caffemodel: "resnet18/resnet18.caffemodel", Dataset: "fashion-mnist", Scale: 1.0 / 256},
}

// Named finds a shipped network by its name.
func Named(name string) (Model, bool) {
	for _, m := range Models {
		if m.Name == name {
			return m, true
		}
	}
	return Model{}, false
}
