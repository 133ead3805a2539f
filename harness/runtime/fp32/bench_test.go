package fp32

import (
	"testing"

	"quantbench/datasets"
)

// BenchmarkResNet20 measures scoring and watching of a real network; watching is
// what calibration does, without its histograms.
func BenchmarkResNet20(b *testing.B) {
	m := model(b, "resnet20-cifar10/resnet20-cifar10.prototxt", "resnet20-cifar10/resnet20-cifar10.caffemodel", datasets.Preprocess{Mean: []float32{123.675, 116.28, 103.53}})
	fused, err := Runtime{}.Prepare(m)
	if err != nil {
		b.Fatal(err)
	}
	unfused, err := PrepareUnfused(m)
	if err != nil {
		b.Fatal(err)
	}
	const n = 64
	pixels := randomPixels(n * m.Network.Input().Out.Len())
	b.Run("score", func(b *testing.B) {
		w := fused.NewWorker()
		scores := make([]float32, n*10)
		for b.Loop() {
			if err := w.Score(pixels, scores); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "images/s")
	})
	b.Run("watch", func(b *testing.B) {
		w := unfused.Worker()
		values := 0
		for b.Loop() {
			if err := w.Watch(pixels, func(v View) { v.Visit(func(f []float32) { values += len(f) }) }); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "images/s")
	})
}
