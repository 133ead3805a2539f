// Package compute runs whole networks, in fp32 and in exact int8, 16 pictures
// to a vector.
//
// A Builder collects layers and makes an immutable Program, with the weights
// packed once. Each goroutine takes a Worker of its own from it: the buffers
// belong to the worker, nothing is allocated in a call, and workers never wait
// for each other.
//
//	b := compute.NewBuilder()
//	in := b.Input(compute.Int8, 1, 28, 28)
//	x := b.Conv(in, compute.Conv{Out: 20, KernelH: 5, KernelW: 5, Int8: weights,
//		TensorRT: &compute.TensorRT{Mul: mul, Bias: bias, OutMul: 1 / scale}})
//	x = b.Pool(x, compute.Pool{Max: true, KernelH: 2, KernelW: 2, StrideH: 2, StrideW: 2})
//	y := b.FullyConnected(x, compute.Conv{Out: 10, Int8: weights2, NVDLA: &compute.NVDLA{...}})
//	b.Keep(y)
//	program, err := b.Build()
//	...
//	worker := program.NewWorker()
//	for pictures of up to worker.Batch() {
//		err := worker.RunBytes(pixels, lut) // C x H x W bytes a picture
//		worker.Int8(y, i, scores)           // tensor y of picture i, C x H x W
//	}
//
// A tensor that is not kept lives until its last reader has run; Watch shows
// every tensor while it lives, which is how calibration sees a whole network
// without keeping it.
//
// Layout: [C, or C/4 in int8][H+halo][W+halo][16 pictures], 4 bytes each (see
// package kernel). The halo of a tensor is as wide as its convolutions' padding
// and holds zeros, so that no convolution knows borders and none needs im2col.
//
// int8 is exact: sums are int32, and a layer whose sums could leave int32 is
// refused when the network is built (ErrRange). The two requantizations,
// TensorRT and NVDLA, are defined by their types.
//
// Float convolutions are direct sums, so that results are reproducible.
// Builder.Winograd makes most 3x3 ones faster and a little different.
package compute
