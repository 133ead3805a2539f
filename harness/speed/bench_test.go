package speed

import (
	"fmt"
	"testing"
)

// BenchmarkScore runs the well-known shapes on every runtime, for profiles:
//
//	go test ./harness/speed -bench 'Score/resnet18.*/fp32/1$' -cpuprofile cpu.prof
func BenchmarkScore(b *testing.B) {
	for _, name := range Shapes() {
		for _, runtime := range Runtimes() {
			for _, batch := range []int{1, 64} {
				b.Run(fmt.Sprintf("%s/%s/%d", name, runtime, batch), func(b *testing.B) {
					net, _ := Shape(name)
					Randomize(net)
					p, err := Prepare(net, runtime)
					if err != nil {
						b.Fatal(err)
					}
					w, pixels := p.NewWorker(), Pictures(net, batch)
					scores := make([]float32, batch*net.Output().Out.Len())
					b.ReportAllocs()
					start := cpuTime()
					for b.Loop() {
						if err := w.Score(pixels, scores); err != nil {
							b.Fatal(err)
						}
					}
					images := float64(b.N * batch)
					used := (cpuTime() - start).Seconds()
					b.ReportMetric(images/used, "images/cpu-s")
					b.ReportMetric(images*float64(net.MACs())/used/1e9, "GMAC/cpu-s")
				})
			}
		}
	}
}
