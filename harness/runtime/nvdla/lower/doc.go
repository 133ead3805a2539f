// Package lower turns a Caffe network, its weights and a calibration table into
// NVDLA's hardware operations, exactly as nvdla_compiler does it in int8.
//
// The package repeats the compiler's passes, one a file, on a graph of engine
// operations: canonical (one engine operation or more a layer), merge (float
// arithmetic between neighbours), scaling (the Eltwise override), quantize
// (weights and biases to integers), rescale (factors to scale and shift), fuse
// (SDP sub-engines), order and emit. All arithmetic is the compiler's, in its
// order and its precision (float32 unless a comment says otherwise).
//
// The compiler's faults are kept, each with a warning that says what it costs,
// because a device that runs the compiler's file has them too. A Fix lowers as
// it should have been. What the compiler refuses is refused here, in words that
// name the layer and its line.
//
// Sources: nvdla/sw, umd/core/src/compiler (engine-ast/*.cpp, LowPrecision.h,
// WeightTranslationUnit.h), and dumps of what its output programs.
package lower
