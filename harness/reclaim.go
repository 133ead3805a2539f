package harness

import "runtime"

// reclaimAbove is the heap, in bytes, from which on reclaim does something: the
// buffers of small networks are below.
const reclaimAbove = 256 << 20

// reclaim frees the buffers of what ran before, calibration or another cell, before
// the next are made: those of a network of ImageNet's size are hundreds of
// megabytes a job, and the collector alone would let two generations of them live
// side by side.
func reclaim() {
	var m runtime.MemStats
	if runtime.ReadMemStats(&m); m.HeapAlloc > reclaimAbove {
		runtime.GC()
	}
}
