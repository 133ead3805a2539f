// Package jpeg decodes JPEG pictures of a dataset fast enough that decoding is
// not what an accuracy study waits for.
//
// Its opinion: nearly every picture of a dataset is a sequential Huffman file of
// 8 bits with one or three components, so that kind has a decoder of its own,
// written for speed in plain Go; everything else (progressive, CMYK, unusual
// sampling) goes through image/jpeg and says so (Planes.Path). The inverse DCT
// is the 13-bit integer transform that the IJG library calls islow, bit for
// bit, and Fancy is that library's default upsampling: the pixels are those
// that most training pipelines saw. A damaged file is an error, never a
// half-grey picture, and never a panic.
//
// Non-goals: encoding, metadata, pictures larger than memory, showing what is
// left of a damaged file.
package jpeg
