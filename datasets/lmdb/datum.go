package lmdb

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"

	"quantbench/datasets"
	"quantbench/datasets/folder"
)

// Datum is Caffe's message for one picture.
type Datum struct {
	Channels, Height, Width int
	// Data are planes of bytes, or the picture's file if Encoded.
	Data    []byte
	Label   int
	Encoded bool
	floats  bool
}

// Fields of Datum.
const (
	datumChannels, datumHeight, datumWidth, datumData = 1, 2, 3, 4
	datumLabel, datumFloats, datumEncoded             = 5, 6, 7
)

// ParseDatum reads a Datum. Data is part of the input's memory.
func ParseDatum(b []byte) (Datum, error) {
	var d Datum
	for rest := b; len(rest) > 0; {
		number, kind, n := protowire.ConsumeTag(rest)
		if n < 0 {
			return d, fmt.Errorf("byte %d of the Datum begins no protobuf field; the database is damaged or not Caffe's", len(b)-len(rest))
		}
		m := protowire.ConsumeFieldValue(number, kind, rest[n:])
		if m < 0 {
			return d, fmt.Errorf("field %d of the Datum is cut off", number)
		}
		d.set(number, kind, rest[n:n+m])
		rest = rest[n+m:]
	}
	return d, nil
}

func (d *Datum) set(number protowire.Number, kind protowire.Type, value []byte) {
	if number == datumFloats {
		d.floats = true
		return
	}
	switch kind {
	case protowire.BytesType:
		if number == datumData {
			d.Data, _ = protowire.ConsumeBytes(value)
		}
	case protowire.VarintType:
		v, _ := protowire.ConsumeVarint(value)
		switch number {
		case datumChannels:
			d.Channels = int(int32(v))
		case datumHeight:
			d.Height = int(int32(v))
		case datumWidth:
			d.Width = int(int32(v))
		case datumLabel:
			d.Label = int(int32(v))
		case datumEncoded:
			d.Encoded = v != 0
		}
	}
}

// maxPixels bounds a picture.
const maxPixels = 1 << 27

// Picture is the datum as a picture whose planes are red, green and blue, or
// grey. bgr says that the planes of a colour picture are stored blue first.
func (d Datum) Picture(id string, bgr bool) (datasets.Picture, error) {
	if d.Encoded {
		p, err := folder.Decode(id, d.Data)
		p.Label = d.Label
		return p, err
	}
	p := datasets.Picture{ID: id, Label: d.Label, Channels: d.Channels, Height: d.Height, Width: d.Width, Pixels: d.Data}
	switch n := int64(d.Height) * int64(d.Width); {
	case d.floats:
		return p, fmt.Errorf("%s: the values are floats; only bytes are pictures", id)
	case d.Channels != 1 && d.Channels != 3 || d.Height < 1 || d.Width < 1 || n > maxPixels:
		return p, fmt.Errorf("%s: %d channels of %dx%d pixels are no picture", id, d.Channels, d.Height, d.Width)
	case n*int64(d.Channels) != int64(len(d.Data)):
		return p, fmt.Errorf("%s: %d bytes instead of %dx%dx%d; the database is damaged", id, len(d.Data), d.Channels, d.Height, d.Width)
	}
	if bgr && d.Channels == 3 {
		n := d.Height * d.Width
		p.Pixels = make([]byte, 0, 3*n)
		for c := 2; c >= 0; c-- {
			p.Pixels = append(p.Pixels, d.Data[c*n:(c+1)*n]...)
		}
	}
	return p, nil
}

// errEmpty says that a database has no key.
var errEmpty = errors.New("the database is empty")
