package speed

import (
	"fmt"
	"math"
	"math/rand/v2"

	"quantbench/models"
)

// Shapes names the networks that Shape makes, the smallest first.
func Shapes() []string { return []string{"lenet5", "resnet20-cifar10", "resnet18-imagenet"} }

// Shape makes a well-known network without weights; ok is false for a name that
// Shapes does not list. BatchNorm is left out, as every runtime folds it.
func Shape(name string) (net *models.Network, ok bool) {
	s := &sketch{net: &models.Network{Name: name, File: name, Batch: 1}}
	switch name {
	case "lenet5":
		s.lenet5()
	case "resnet20-cifar10":
		s.resnet20()
	case "resnet18-imagenet":
		s.resnet18()
	default:
		return nil, false
	}
	if err := s.finish(); err != nil {
		panic(err) // a network above is wrong
	}
	return s.net, true
}

// sketch adds layers, each of which writes a blob of its own name.
type sketch struct{ net *models.Network }

func (s *sketch) finish() error {
	if err := s.net.Link(); err != nil {
		return err
	}
	return s.net.InferShapes()
}

func (s *sketch) add(name, kind string, op models.Op, bottoms ...string) string {
	s.net.Layers = append(s.net.Layers, &models.Layer{Name: name, Type: kind, Op: op, Bottoms: bottoms, Tops: []string{name}})
	return name
}

func (s *sketch) input(c, h, w int) string {
	return s.add("data", "Input", models.Input{Shape: models.Shape{C: c, H: h, W: w}})
}

func window(kernel, stride, pad int) models.Window {
	return models.Window{KernelH: kernel, KernelW: kernel, StrideH: stride, StrideW: stride, PadH: pad, PadW: pad, DilationH: 1, DilationW: 1}
}

func (s *sketch) conv(name, x string, out, kernel, stride, pad int) string {
	return s.add(name, "Convolution", models.Convolution{Window: window(kernel, stride, pad), Out: out, Groups: 1, Bias: true}, x)
}

func (s *sketch) relu(x string) string { return s.add(x+"_relu", "ReLU", models.ReLU{}, x) }

func (s *sketch) maximum(name, x string, kernel, stride int) string {
	return s.add(name, "Pooling", models.Pooling{Window: window(kernel, stride, 0), Method: models.PoolMax}, x)
}

func (s *sketch) average(x string) string {
	return s.add("average", "Pooling", models.Pooling{Window: window(0, 1, 0), Method: models.PoolAverage, Global: true}, x)
}

func (s *sketch) fc(name, x string, out int) string {
	return s.add(name, "InnerProduct", models.InnerProduct{Out: out, Bias: true}, x)
}

// lenet5 is Caffe's example for MNIST.
func (s *sketch) lenet5() {
	x := s.conv("conv1", s.input(1, 28, 28), 20, 5, 1, 0)
	x = s.conv("conv2", s.maximum("pool1", x, 2, 2), 50, 5, 1, 0)
	x = s.relu(s.fc("ip1", s.maximum("pool2", x, 2, 2), 500))
	s.fc("ip2", x, 10)
}

// resnet20 is He et al. 2015, section 4.2, with 1x1 convolutions as shortcuts
// where the shape changes.
func (s *sketch) resnet20() {
	x := s.relu(s.conv("conv1", s.input(3, 32, 32), 16, 3, 1, 1))
	s.fc("fc", s.average(s.stages(x, []int{16, 32, 64}, 3)), 10)
}

// resnet18 is He et al. 2015, table 1.
func (s *sketch) resnet18() {
	x := s.relu(s.conv("conv1", s.input(3, 224, 224), 64, 7, 2, 3))
	x = s.maximum("pool1", x, 3, 2)
	s.fc("fc", s.average(s.stages(x, []int{64, 128, 256, 512}, 2)), 1000)
}

// stages are groups of residual blocks; all but the first halve the size.
func (s *sketch) stages(x string, channels []int, blocks int) string {
	for i, c := range channels {
		for b := range blocks {
			stride := 1
			if i > 0 && b == 0 {
				stride = 2
			}
			x = s.block(fmt.Sprintf("stage%d_block%d", i+1, b+1), x, c, stride)
		}
	}
	return x
}

func (s *sketch) block(name, x string, channels, stride int) string {
	y := s.relu(s.conv(name+"_a", x, channels, 3, stride, 1))
	y = s.conv(name+"_b", y, channels, 3, 1, 1)
	if stride > 1 {
		x = s.conv(name+"_shortcut", x, channels, 1, stride, 0)
	}
	return s.relu(s.add(name+"_sum", "Eltwise", models.Eltwise{Operation: models.EltwiseSum}, x, y))
}

// Randomize gives weights to every layer that has none: of He's distribution
// for kernels, of no effect for BatchNorm and Scale. The same network gets the
// same weights every time.
func Randomize(net *models.Network) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, l := range net.Layers {
		if shapes := l.WeightShapes(); len(l.Weights) < len(shapes) {
			l.Weights = nil
			for i, shape := range shapes {
				l.Weights = append(l.Weights, blob(r, l, i, shape))
			}
		}
	}
}

func blob(r *rand.Rand, l *models.Layer, i int, shape []int) models.Blob {
	b := models.Blob{Shape: shape, Data: make([]float32, models.Elements(shape))}
	first := float32(1)
	switch l.Op.(type) {
	case models.Convolution, models.Deconvolution, models.InnerProduct:
		deviation := 0.01 // of a bias
		if i == 0 {
			deviation = math.Sqrt(2 / float64(len(b.Data)/l.Out.C))
		}
		for k := range b.Data {
			b.Data[k] = float32(r.NormFloat64() * deviation)
		}
		return b
	case models.BatchNorm:
		if i == 0 {
			first = 0 // the mean; variance and factor are 1
		}
	case models.Scale:
		if i > 0 {
			first = 0
		}
	case models.PReLU:
		first = 0.25
	}
	for k := range b.Data {
		b.Data[k] = first
	}
	return b
}
