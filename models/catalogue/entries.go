package catalogue

import (
	"quantbench/models"
	"quantbench/models/zoo"
)

// Addresses of files, and of their makers.
const (
	loadables = "https://github.com/LeiWang1999/nvdla_loadables"
	article   = "https://raw.githubusercontent.com/LeiWang1999/nvdla_loadables/74c182271cdcee17864aae4a389eb525cd9a36f8/"
	caffeV1   = "https://raw.githubusercontent.com/everpeace/caffe/"
)

var (
	grey     = models.Shape{C: 1, H: 28, W: 28}
	small    = models.Shape{C: 3, H: 32, W: 32}
	imageNet = Preprocess{Order: "bgr", Mean: []float32{104, 117, 123}, Resize: "shorter", Size: 256, Crop: "center"}
)

// List are the known networks, in the order in which they are shown.
func List() []Entry {
	return append(append(shipped(), articles()...), others()...)
}

// shipped are the networks of package zoo.
func shipped() []Entry {
	facts := map[string]Entry{
		"lenet5": {Title: "Caffe's LeNet on Fashion-MNIST",
			Prototxt:   File{Size: 1089, SHA256: "c981253b5e3275217d06c56dc41d00cc1d5832ff6170c8403379be85c1778c34"},
			Caffemodel: File{Size: 1724711, SHA256: "df5fc595d79392bba26fe1fc1ac90dfd55dd86ca76b029a14f0cbd94c0ba91dd"},
			Known:      []Accuracy{{Correct: 9256, Images: 10000, By: "fp32, pixel/256"}}},
		"resnet18": {Title: "ResNet-18 of 3-3-2 blocks (16, 32, 64 channels) on Fashion-MNIST",
			Prototxt:   File{Size: 12789, SHA256: "4e8e7cc04d2018fc0812f9b363ed5ded53e8f890167b532ec8e95ed2ceaebc5a"},
			Caffemodel: File{Size: 808751, SHA256: "a90dfd676914f93334e6f3aa5f19e96c0de95cf81366701be5814865225324ac"},
			Known:      []Accuracy{{Correct: 9496, Images: 10000, By: "fp32, pixel/256"}}},
	}
	var list []Entry
	for _, m := range zoo.Models {
		e := facts[m.Name]
		e.Name, e.Dataset, e.Shipped, e.Classes, e.Input = m.Name, m.Dataset, true, 10, grey
		e.Licence, e.Source = "Apache-2.0", "trained by this project: models/zoo"
		e.Prototxt.Name, e.Caffemodel.Name = m.Prototxt, m.Caffemodel
		e.Preprocess = Preprocess{Scale: m.Scale}
		for i := range e.Known {
			e.Known[i].Dataset = m.Dataset
		}
		list = append(list, e)
	}
	return list
}

// articles are the networks of the article that the program checks.
func articles() []Entry {
	return []Entry{
		{
			Name: "lenet-mnist", Title: "LeNet on MNIST, of the article", Dataset: "mnist", Classes: 10, Input: grey,
			Licence: "none stated by its maker", Source: loadables, Preprocess: Preprocess{Scale: 1.0 / 256},
			Prototxt: File{Name: "lenet.prototxt", Size: 1737, SHA256: "8804be8c51926d134bd54af1a03683df6aab211159b5162cc475a2ed63363c74",
				Mirrors: []string{article + "lenet-mnist-caffe/lenet/lenet.prototxt"}, Places: []string{"models/article/lenet-mnist-caffe/lenet/lenet.prototxt"}},
			Caffemodel: File{Name: "lenet.caffemodel", Size: 1725006, SHA256: "8839f1f9b2689448322a913dc3ef94495e4a93afd6d7e5f38b3be1895c22833f",
				Mirrors: []string{article + "lenet-mnist-caffe/lenet/lenet.caffemodel"}, Places: []string{"models/article/lenet-mnist-caffe/lenet/lenet.caffemodel"}},
			Known: []Accuracy{{Dataset: "mnist", Correct: 9731, Images: 10000, By: "fp32, pixel/256"}},
		},
		{
			Name: "resnet18-cifar10", Title: "ResNet-18 of 3-3-2 blocks on CIFAR-10, of the article", Dataset: "cifar10", Classes: 10, Input: small,
			Licence: "none stated by its maker", Source: loadables, Preprocess: Preprocess{Order: "rgb", Mean: []float32{128}},
			Prototxt: File{Name: "deploy.prototxt", Size: 15480, SHA256: "17923ea1246d4dd381ba81cccf466aba4e74cf6595b046e814ba0c420f737104",
				Mirrors: []string{article + "resnet18-cifar10-caffe/deploy.prototxt"}, Places: []string{"models/article/resnet18-cifar10-caffe/deploy.prototxt"}},
			Caffemodel: File{Name: "resnet-18.caffemodel", Size: 813477, SHA256: "1e2c0b17742e856bf60449b9b75f5cab7df98f0ea3618045ab97b21151f23feb",
				Mirrors: []string{article + "resnet18-cifar10-caffe/resnet-18.caffemodel"}, Places: []string{"models/article/resnet18-cifar10-caffe/resnet-18.caffemodel"}},
			Train: File{Name: "trainval.prototxt", Size: 16197, SHA256: "c70a3ec96dd321342311fc27644dedd8d450e37d0a16bd352de6e8fc1fe96c31",
				Mirrors: []string{article + "resnet18-cifar10-caffe/trainval.prototxt"}, Places: []string{"models/article/resnet18-cifar10-caffe/trainval.prototxt"}},
			Known: []Accuracy{{Dataset: "cifar10", Correct: 853, Images: 1017, By: "fp32, pixel - 128"}, {Dataset: "cifar10", Images: 10000, Percent: 88.37, By: "its maker, TensorRT int8"}},
		},
		{
			Name: "resnet18-imagenet", Title: "ResNet-18 on ImageNet, of the article", Dataset: "imagenet", Classes: 1000, Input: models.Shape{C: 3, H: 224, W: 224},
			Licence: "none stated by its maker", Source: loadables, Preprocess: imageNet,
			Prototxt: File{Name: "deploy.prototxt", Size: 17602, SHA256: "ebf277202897012f201c0a71eb96af9ae7baf2464742a9533c9083d828b8942c",
				Manual: "it is the deploy.prototxt of the caffemodel's own distribution", Places: []string{"models/article/resnet18-imagenet-caffe/deploy.prototxt"}},
			Caffemodel: File{Name: "resnet-18.caffemodel", MD5: "0904d601fc930d4f0c62a2a95b3c3b93",
				Manual: "the article's maker links it from " + loadables + " (45 MB)", Places: []string{"models/article/resnet18-imagenet-caffe/resnet-18.caffemodel"}},
			Train: File{Name: "train.prototxt", Size: 18632, SHA256: "9563a1382c2cb4f1825178149bd4080b8f310b298818aae6ca1821f4ff3f721e",
				Manual: "it is the train.prototxt of the caffemodel's own distribution", Places: []string{"models/article/resnet18-imagenet-caffe/train.prototxt"}},
			Known: []Accuracy{{Dataset: "imagenet", Images: 50000, Percent: 68.4, By: "published, fp32 (others say up to 69.1)"}},
		},
	}
}
