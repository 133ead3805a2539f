// Package fashionmnist is Fashion-MNIST as it ships inside the program: all
// 10,000 test pictures, and the first 2,000 training pictures for calibration.
//
// The data is by Zalando SE under the MIT licence (file LICENSE), taken from
// Debian's package dataset-fashion-mnist.
package fashionmnist

import (
	_ "embed" // the data
	"fmt"

	"quantbench/datasets"
	"quantbench/datasets/idx"
)

//go:generate go run ./gen -from /usr/share/datasets/fashion-mnist -to .

//go:embed t10k-images-idx3-ubyte.gz
var testImages []byte

//go:embed t10k-labels-idx1-ubyte.gz
var testLabels []byte

//go:embed train2000-images-idx3-ubyte.gz
var trainImages []byte

//go:embed train2000-labels-idx1-ubyte.gz
var trainLabels []byte

// Licence is the licence of the pictures.
//
//go:embed LICENSE
var Licence string

// Classes are the class names by label.
func Classes() []string {
	return []string{"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"}
}

// Open is the split "test" (10,000 pictures) or "train" (the first 2,000).
func Open(split string) (datasets.Dataset, error) {
	switch split {
	case "test":
		return idx.Decode("fashion-mnist", split, idx.File{Name: "t10k-images-idx3-ubyte.gz", Data: testImages},
			idx.File{Name: "t10k-labels-idx1-ubyte.gz", Data: testLabels}, Classes())
	case "train":
		return idx.Decode("fashion-mnist", split, idx.File{Name: "train2000-images-idx3-ubyte.gz", Data: trainImages},
			idx.File{Name: "train2000-labels-idx1-ubyte.gz", Data: trainLabels}, Classes())
	}
	return nil, fmt.Errorf("fashion-mnist: split %q is unknown; write test or train", split)
}
