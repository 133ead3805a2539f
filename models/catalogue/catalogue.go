// Package catalogue knows the networks by name: what they are, who made them, on
// which terms, which files they need (size, checksum, address), how they want
// their pictures, and what they are known to score. Two ship with the program;
// the others must be on the machine.
//
// It reads and downloads nothing: package harness/modelstore finds, checks and
// fetches the files.
package catalogue

import (
	"fmt"
	"io/fs"

	"quantbench/models"
	"quantbench/models/caffe"
	"quantbench/models/zoo"
)

// File is one file of a network.
type File struct {
	Name string `json:"name"`           // base name
	Size int64  `json:"size,omitempty"` // bytes; 0 if not known
	// MD5 and SHA256 are in lower-case hex; at least one is known.
	MD5     string   `json:"md5,omitempty"`
	SHA256  string   `json:"sha256,omitempty"`
	Mirrors []string `json:"mirrors,omitempty"` // addresses, in the order to try
	// Manual says in words how to get a file that no mirror has.
	Manual string `json:"manual,omitempty"`
	// Places are where the file lies in a data folder that somebody else filled,
	// with slashes. models/NAME/ of the network's own name is always looked at.
	Places []string `json:"-"`
}

// Preprocess is how a network wants its pictures, with the words of
// datasets.Preprocess.
type Preprocess struct {
	Order  string    `json:"order,omitempty"`  // "rgb" or "bgr"; empty for grey pictures
	Mean   []float32 `json:"mean,omitempty"`   // in pixels, in the network's channel order
	Scale  float32   `json:"scale,omitempty"`  // multiplies after the mean; 0 is 1
	Resize string    `json:"resize,omitempty"` // "squash", "shorter", or empty
	Size   int       `json:"size,omitempty"`   // a side in pixels; 0 is the network's own
	Crop   string    `json:"crop,omitempty"`   // "center", or empty
}

// Accuracy is a count of right answers, or a published share.
type Accuracy struct {
	Dataset string  `json:"dataset"`
	Correct int     `json:"correct,omitempty"` // 0 if only Percent is known
	Images  int     `json:"images"`
	Percent float64 `json:"percent,omitempty"` // top-1
	By      string  `json:"by"`                // who says so, and with which arithmetic
}

// String is the accuracy in words: "9731 of 10000 on mnist (fp32, pixel/256)".
func (a Accuracy) String() string {
	if a.Correct > 0 {
		return fmt.Sprintf("%d of %d on %s (%s)", a.Correct, a.Images, a.Dataset, a.By)
	}
	return fmt.Sprintf("%.2f %% of %d on %s (%s)", a.Percent, a.Images, a.Dataset, a.By)
}

// Entry is what is known of a network.
type Entry struct {
	Name    string       `json:"name"` // as written in a configuration
	Title   string       `json:"title"`
	Licence string       `json:"licence"`
	Source  string       `json:"source"`  // address of its makers' page
	Dataset string       `json:"dataset"` // what it was trained on, as datasets are called
	Classes int          `json:"classes"`
	Input   models.Shape `json:"input"`
	// Prototxt and Caffemodel are what a run needs; of a shipped network they are
	// paths in zoo.Files.
	Prototxt   File `json:"prototxt"`
	Caffemodel File `json:"caffemodel"`
	// Train is the network's train prototxt, whose transform_param says how it
	// wants its pictures; empty if there is none.
	Train      File       `json:"train,omitzero"`
	Preprocess Preprocess `json:"preprocess"`
	// Unknown says what is missing of Preprocess, and what to do; empty if nothing.
	Unknown string     `json:"unknown,omitempty"`
	Known   []Accuracy `json:"known,omitempty"`
	// Shipped says that the network is part of the program.
	Shipped bool `json:"shipped,omitempty"`
}

// Files are what a run needs, the prototxt first.
func (e Entry) Files() []File { return []File{e.Prototxt, e.Caffemodel} }

// Named is the entry of a network.
func Named(name string) (Entry, bool) {
	for _, e := range List() {
		if e.Name == name {
			return e, true
		}
	}
	return Entry{}, false
}

// Names are the known networks, in the order of List.
func Names() []string {
	var names []string
	for _, e := range List() {
		names = append(names, e.Name)
	}
	return names
}

// Open reads a network with its weights from a prototxt and a caffemodel of
// fsys; a shipped one from zoo.Files, whatever fsys is.
func (e Entry) Open(fsys fs.FS, prototxt, caffemodel string) (*models.Network, error) {
	if e.Shipped {
		return caffe.ReadFS(zoo.Files(), e.Prototxt.Name, e.Caffemodel.Name)
	}
	return caffe.ReadFS(fsys, prototxt, caffemodel)
}
