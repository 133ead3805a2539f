package compute_test

import (
	"fmt"

	"quantbench/harness/compute"
)

// A network of one convolution (3x3, one channel to two), max pooling and a
// fully connected layer, in int8 with TensorRT's rounding.
func Example() {
	b := compute.NewBuilder()
	in := b.Input(compute.Int8, 1, 4, 4)
	x := b.Conv(in, compute.Conv{
		Out: 2, KernelH: 3, KernelW: 3, PadH: 1, PadW: 1, ReLU: true,
		Int8: []int8{
			0, 0, 0, 0, 1, 0, 0, 0, 0, // the picture itself
			0, 0, 0, 1, 0, -1, 0, 0, 0, // left minus right
		},
		TensorRT: &compute.TensorRT{Mul: []float32{1, 1}, OutMul: 0.5},
	})
	x = b.Pool(x, compute.Pool{Max: true, KernelH: 2, KernelW: 2, StrideH: 2, StrideW: 2})
	y := b.FullyConnected(x, compute.Conv{
		Out:      1,
		Int8:     []int8{1, 1, 1, 1, 0, 0, 0, 0},
		TensorRT: &compute.TensorRT{Mul: []float32{1}, OutMul: 1},
	})
	b.Keep(x)
	b.Keep(y)
	program, err := b.Build()
	if err != nil {
		fmt.Println(err)
		return
	}

	worker := program.NewWorker() // one a goroutine
	picture := []int8{
		1, 2, 3, 4,
		5, 6, 7, 8,
		9, 10, 11, 12,
		13, 14, 15, 16,
	}
	if err := worker.RunInt8(picture); err != nil {
		fmt.Println(err)
		return
	}
	pooled, sum := make([]int8, 8), make([]int8, 1)
	worker.Int8(x, 0, pooled)
	worker.Int8(y, 0, sum)
	fmt.Println(pooled, sum)
	// Output: [3 4 7 8 0 4 0 8] [22]
}
