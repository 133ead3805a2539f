package catalogue

import (
	"path"

	"quantbench/models"
)

// others are networks of other people.
func others() []Entry {
	const bsd = "BSD 2-clause (Caffe's)"
	const meanFile = "it was trained with a mean image that its makers did not publish: make one with Caffe's compute_image_mean and give preprocess: {mean_file: FILE}"
	return []Entry{
		{
			Name: "squeezenet-v1.1", Title: "SqueezeNet v1.1 on ImageNet, weights rounded to half precision", Dataset: "imagenet", Classes: 1000, Input: models.Shape{C: 3, H: 227, W: 227},
			Licence: "BSD 2-clause", Source: "https://github.com/forresti/SqueezeNet",
			Preprocess: Preprocess{Order: "bgr", Mean: []float32{104, 117, 123}, Resize: "squash"},
			Prototxt: File{Name: "deploy.prototxt", Size: 9678, SHA256: "d041bfb2ab4b32fda4ff6c6966684132f2924e329916aa5bfe9285c6b23e3d1c",
				Mirrors: []string{"https://raw.githubusercontent.com/forresti/SqueezeNet/a47b6f13d30985279789d08053d37013d67d131b/SqueezeNet_v1.1/deploy.prototxt"}, Places: []string{"models/squeezenet/deploy.prototxt"}},
			Caffemodel: File{Name: "squeezenet_v1.1_fp16.caffemodel", Size: 4946938, SHA256: "f8102e034ac1db91ceb339ba1d64fc402f0be5c41d97652ee8273c1bba393abc",
				Manual: "it is squeezenet_v1.1.caffemodel of https://github.com/forresti/SqueezeNet with weights rounded to half precision; to use the unrounded file name it with prototxt and caffemodel",
				Places: []string{"models/squeezenet/squeezenet_v1.1_fp16.caffemodel"}},
			Known: []Accuracy{{Dataset: "imagenet", Correct: 946, Images: 1300, By: "OpenCV dnn, fp32, on the 1,300 squashed pictures of a sample"}},
		},
		{
			Name: "resnet20-cifar10", Title: "ResNet-20 on CIFAR-10, standard deviation folded into first_conv", Dataset: "cifar10", Classes: 10, Input: small,
			Licence: "BSD 2-clause", Source: "https://github.com/akamaster/pytorch_resnet_cifar10", Preprocess: Preprocess{Order: "rgb", Mean: []float32{123.675, 116.28, 103.53}},
			Prototxt: File{Name: "resnet20-cifar10.prototxt", Size: 14148, SHA256: "2c35532f1ae1de2ac082f4f874f62e7b5aeac3a068b4de1ce9acc829e58dc412",
				Manual: converted, Places: []string{"models/resnet20-cifar10/resnet20-cifar10.prototxt"}},
			Caffemodel: File{Name: "resnet20-cifar10.caffemodel", Size: 1102940, SHA256: "b9991f23717a23e2af126ae7ed0426a1e554a8cba8e1be3e4853cb6d5bad802f",
				Manual: converted, Places: []string{"models/resnet20-cifar10/resnet20-cifar10.caffemodel"}},
			Known: []Accuracy{{Dataset: "cifar10", Correct: 932, Images: 1017, By: "fp32"}},
		},
		{
			Name: "lenet-bvlc", Title: "LeNet on MNIST, of Caffe's makers", Dataset: "mnist", Classes: 10, Input: grey,
			Licence: "BSD 2-clause", Source: "https://github.com/ethereon/caffe-tensorflow", Preprocess: Preprocess{Scale: 1.0 / 256},
			Prototxt: File{Name: "lenet.prototxt", Size: 1738, SHA256: "c0455d92682937813a6ab5f6bbe9ae3753b454eba00686eddab0335de9712beb",
				Mirrors: []string{"https://raw.githubusercontent.com/BVLC/caffe/master/examples/mnist/lenet.prototxt"}, Places: []string{"models/lenet-bvlc/lenet.prototxt"}},
			Caffemodel: File{Name: "lenet_iter_10000.caffemodel", Size: 1725006, SHA256: "846f9133807d2314ca63382069646ec8c11ac87881825efc6b5145339351f967",
				Mirrors: []string{"https://raw.githubusercontent.com/ethereon/caffe-tensorflow/4f7c4f671369a7b4337f4a7575a70facb519e45d/examples/mnist/lenet_iter_10000.caffemodel"}, Places: []string{"models/lenet-bvlc/lenet_iter_10000.caffemodel"}},
			Known: []Accuracy{{Dataset: "mnist", Correct: 9914, Images: 10000, By: "fp32, pixel/256"}},
		},
		{
			Name: "lenet-v1", Title: "LeNet on MNIST in Caffe's old format", Dataset: "mnist", Classes: 10, Input: grey,
			Licence: bsd, Source: "https://github.com/everpeace/caffe", Preprocess: Preprocess{Scale: 1.0 / 256},
			Prototxt:   example("c91ae9185eecdf25d97a493165bc8eb121e5ca9e", "mnist/lenet.prototxt", 1566, "4e8abfcf50e205d4a85d00f27adc13691a3add5096a8cfeedf404790df522127"),
			Caffemodel: example("c91ae9185eecdf25d97a493165bc8eb121e5ca9e", "mnist/lenet_iter_10000.caffemodel", 1724895, "26860c66fcbf72d7275ac90dd8ec68cefe5b2fcb489881f895954cfb8319c74d"),
			Known:      []Accuracy{{Dataset: "mnist", Correct: 9905, Images: 10000, By: "fp32, pixel/256"}},
		},
		{
			Name: "cifar10-full", Title: "Caffe's cifar10_full in the old format", Dataset: "cifar10", Classes: 10, Input: small,
			Licence: bsd, Source: "https://github.com/everpeace/caffe", Unknown: meanFile, Preprocess: Preprocess{Order: "rgb"},
			Prototxt:   example("91cb3b5e6fff4994616ada73c68c83801fcfd862", "cifar10/cifar10_full.prototxt", 2026, "9366b6d3fcf518d32cc65be0a3692e84260ae94b8d8eb301fb9e934cb68870ba"),
			Caffemodel: example("91cb3b5e6fff4994616ada73c68c83801fcfd862", "cifar10/cifar10_full_iter_70000.caffemodel", 359142, "66fb3c17b97fc33c47d88229db1d5ab0e1c2973ea485801c59bc913905c494ea"),
			Known:      []Accuracy{{Dataset: "cifar10", Correct: 841, Images: 1017, By: "fp32, with a mean image of 8,068 training pictures"}},
		},
		{
			Name: "cifar10-quick", Title: "Caffe's cifar10_quick in the old format", Dataset: "cifar10", Classes: 10, Input: small,
			Licence: bsd, Source: "https://github.com/everpeace/caffe", Unknown: meanFile, Preprocess: Preprocess{Order: "rgb"},
			Prototxt:   example("bb29c5f1ba5314878febb3f98134bb6b170105f4", "cifar10/cifar10_quick.prototxt", 1715, "b5744d25b837d81722230f5376f334d7f9d1287bf858d347d728d07396d553ed"),
			Caffemodel: example("bb29c5f1ba5314878febb3f98134bb6b170105f4", "cifar10/cifar10_quick_iter_5000.caffemodel", 583151, "970a5edcfc2a2eb115e63820fe720d8be3f174f313c8935cce04a0b5a7f32252"),
			Known:      []Accuracy{{Dataset: "cifar10", Correct: 759, Images: 1017, By: "fp32, with a mean image of 8,068 training pictures"}},
		},
	}
}

const converted = "it was made from resnet20 of https://github.com/akamaster/pytorch_resnet_cifar10 and is not published; a conversion of your own has other bytes: name its files with prototxt and caffemodel"

// example is a file of Caffe's examples, as they were at a commit.
func example(commit, name string, size int64, sum string) File {
	return File{Name: path.Base(name), Size: size, SHA256: sum, Mirrors: []string{caffeV1 + commit + "/examples/" + name}, Places: []string{"models/caffe-v1/examples/" + name}}
}
