package lower_test

import (
	"path/filepath"
	"testing"

	"quantbench/harness/runtime/nvdla/hardware"
	"quantbench/harness/runtime/nvdla/lower"
	"quantbench/models/caffe"
)

// TestPublicNetworks lowers whole public networks, with a made-up table, for
// every target, mode and profile: nothing that the compiler takes is refused.
func TestPublicNetworks(t *testing.T) {
	dir := filepath.Join(benchData(t), "models")
	for _, files := range [][2]string{
		{"resnet20-cifar10/resnet20-cifar10.prototxt", "resnet20-cifar10/*.caffemodel"},
		{"squeezenet/deploy.prototxt", "squeezenet/*.caffemodel"},
		{"lenet-bvlc/lenet.prototxt", "lenet-bvlc/*.caffemodel"},
	} {
		model, _ := filepath.Glob(filepath.Join(dir, files[1]))
		net, err := caffe.Read(filepath.Join(dir, files[0]), model[0])
		if err != nil {
			t.Fatal(err)
		}
		scales := make([]float32, len(net.Layers))
		for i := range scales {
			scales[i] = 0.5 + float32(i)/100
		}
		for _, target := range hardware.Targets {
			for _, mode := range []lower.Mode{lower.PerKernel, lower.PerFilter} {
				for _, profile := range []lower.Profile{lower.Basic, lower.Default, lower.FastMath} {
					p, warnings, err := lower.Lower(net, scales, lower.Options{Target: target, Mode: mode, Profile: profile})
					if err != nil {
						t.Errorf("%s %s %s %s: %v", files[0], target.Name, mode, profile, err)
						continue
					}
					t.Logf("%s %s %s %s: %d operations, %d warnings", filepath.Dir(files[0]), target.Name, mode, profile, len(p.Operations), len(warnings))
				}
			}
		}
	}
}
