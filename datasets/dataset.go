// Package datasets says what a network is measured on: labelled pictures, and
// the one rule (Preprocess) that turns a picture into a network's input.
package datasets

import "context"

// Picture is one decoded picture: planes of bytes, channel by channel (grey, or
// red, green, blue), each plane Height rows of Width bytes.
type Picture struct {
	// ID names the picture for good: "fashion-mnist/t10k/00042".
	ID       string
	Label    int // class index, from 0
	Channels int
	Height   int
	Width    int
	Pixels   []byte // Channels*Height*Width
}

// Dataset is an ordered, indexable set of labelled pictures.
type Dataset interface {
	// Info describes the whole set.
	Info() Info
	// Picture reads picture i, 0 <= i < Info().Len. The result shares no memory
	// that a later call changes. Safe for concurrent use.
	Picture(ctx context.Context, i int) (Picture, error)
}

// Info is what is known of a dataset before a picture is read.
type Info struct {
	Name  string // as written in a configuration: "fashion-mnist"
	Split string // "test", "train"
	Len   int    // pictures
	// Channels, Height and Width are the size of every picture; 0 if they differ.
	Channels, Height, Width int
	Classes                 []string // class names, by label
	Digest                  string   // sha256 over the pictures (or their files) and labels in order, in hex
}
