package caffe

import (
	"io/fs"
	"os"

	"quantbench/models"
)

// Read reads a network and its weights from two files. With an empty
// caffemodelPath the network has no weights.
func Read(prototxtPath, caffemodelPath string) (*models.Network, error) {
	return read(os.ReadFile, prototxtPath, caffemodelPath)
}

// ReadFS is Read from a file system, such as embedded files.
func ReadFS(fsys fs.FS, prototxtPath, caffemodelPath string) (*models.Network, error) {
	return read(func(name string) ([]byte, error) { return fs.ReadFile(fsys, name) }, prototxtPath, caffemodelPath)
}

func read(open func(string) ([]byte, error), prototxt, caffemodel string) (*models.Network, error) {
	text, err := open(prototxt)
	if err != nil {
		return nil, err
	}
	net, err := ParseNetwork(prototxt, text)
	if err != nil || caffemodel == "" {
		return net, err
	}
	data, err := open(caffemodel)
	if err != nil {
		return nil, err
	}
	if err := ReadWeights(net, caffemodel, data); err != nil {
		return nil, err
	}
	return net, nil
}
