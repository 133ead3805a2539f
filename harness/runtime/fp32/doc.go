// Package fp32 is the reference runtime: Caffe's layers in float32, on package
// compute.
//
// Scoring fuses convolution, BatchNorm, Scale, Eltwise sum and ReLU into one
// pass, which changes results by rounding only. Calibration must see every
// layer's tensor as the prototxt has it, so PrepareUnfused keeps all layers
// apart. Reference computes single pictures the plain way, with float64 sums:
// it is what both are tested against.
//
// Convolutions are direct sums, so that scores are reproducible; Runtime.Winograd
// makes scoring faster and leaves calibration as it is.
//
// The package does not train.
package fp32
