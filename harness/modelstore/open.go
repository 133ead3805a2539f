package modelstore

import (
	"fmt"

	"quantbench/harness/diagnose"
	"quantbench/models"
	"quantbench/models/caffe"
	"quantbench/models/catalogue"
)

// Source names a network: one of the catalogue, or Caffe files. Without a
// Caffemodel the layers have no weights.
type Source struct {
	Name                 string
	Prototxt, Caffemodel string
}

// Open reads a network, a catalogue one with its weights only if weights are
// wanted: its layers are known from the prototxt alone.
func (s Source) Open(dirs []string, weights bool) (*models.Network, error) {
	if s.Name == "" {
		return caffe.Read(s.Prototxt, s.Caffemodel)
	}
	e, ok := catalogue.Named(s.Name)
	if !ok {
		return nil, fmt.Errorf("no network is called %q%s", s.Name, diagnose.DidYouMean(s.Name, catalogue.Names()))
	}
	if e.Shipped {
		return e.Open(nil, "", "")
	}
	prototxt, err := Locate(e, e.Prototxt, dirs)
	if err != nil {
		return nil, err
	}
	caffemodel := ""
	if weights {
		if caffemodel, err = Locate(e, e.Caffemodel, dirs); err != nil {
			return nil, err
		}
	}
	return caffe.Read(prototxt, caffemodel)
}

// Title is how a source is called in a heading.
func (s Source) Title() string {
	if s.Name != "" {
		return s.Name
	}
	return s.Prototxt
}
