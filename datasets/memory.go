package datasets

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
)

// Memory is a Dataset whose pictures, all of one size, lie in memory.
type Memory struct {
	info    Info
	c, h, w int
	pixels  []byte
	labels  []byte
}

var _ Dataset = (*Memory)(nil)

// NewMemory makes a dataset of len(labels) pictures of c x h x w bytes. It keeps
// both slices, which must not change any more, and fills in info.Len and
// info.Digest. A label outside info.Classes is an error.
func NewMemory(info Info, c, h, w int, pixels, labels []byte) (*Memory, error) {
	if c < 1 || h < 1 || w < 1 || len(pixels) != len(labels)*c*h*w {
		return nil, fmt.Errorf("%s: %d bytes are not %d pictures of %dx%dx%d", info.Name, len(pixels), len(labels), c, h, w)
	}
	for i, l := range labels {
		if int(l) >= len(info.Classes) {
			return nil, fmt.Errorf("%s: picture %d has label %d, but there are %d classes (0 to %d); the file is damaged or of another dataset",
				info.Name, i, l, len(info.Classes), len(info.Classes)-1)
		}
	}
	m := &Memory{info, c, h, w, pixels, labels}
	m.info.Len, m.info.Channels, m.info.Height, m.info.Width = len(labels), c, h, w
	digest, err := Digest(context.Background(), m, 0, m.info.Len)
	m.info.Digest = digest
	return m, err
}

// Info describes the set.
func (m *Memory) Info() Info { return m.info }

// Picture is picture i. Its pixels are the set's own memory: do not write to them.
func (m *Memory) Picture(ctx context.Context, i int) (Picture, error) {
	if err := ctx.Err(); err != nil {
		return Picture{}, err
	}
	if i < 0 || i >= m.info.Len {
		return Picture{}, outside(m.info, i)
	}
	n := m.c * m.h * m.w
	return Picture{
		ID:    fmt.Sprintf("%s/%s/%05d", m.info.Name, m.info.Split, i),
		Label: int(m.labels[i]), Channels: m.c, Height: m.h, Width: m.w,
		Pixels: m.pixels[i*n : (i+1)*n : (i+1)*n],
	}, nil
}

// Label is the class of picture i.
func (m *Memory) Label(i int) (int, error) {
	if i < 0 || i >= m.info.Len {
		return 0, outside(m.info, i)
	}
	return int(m.labels[i]), nil
}

func outside(info Info, i int) error {
	return fmt.Errorf("%s/%s: picture %d does not exist; the set has %d (0 to %d)", info.Name, info.Split, i, info.Len, info.Len-1)
}

// Digest is the sha256, in hex, over the pictures from (included) to to
// (excluded): for each its pixels, then its label as a little-endian uint32. A
// dataset with a RangeDigest of its own, over files, gives that instead.
func Digest(ctx context.Context, d Dataset, from, to int) (string, error) {
	if r, ok := d.(interface {
		RangeDigest(ctx context.Context, from, to int) (string, error)
	}); ok {
		return r.RangeDigest(ctx, from, to)
	}
	h := sha256.New()
	var label [4]byte
	for i := from; i < to; i++ {
		p, err := d.Picture(ctx, i)
		if err != nil {
			return "", err
		}
		h.Write(p.Pixels)
		binary.LittleEndian.PutUint32(label[:], uint32(p.Label))
		h.Write(label[:])
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// view is a run of another dataset's pictures.
type view struct {
	Dataset
	from int
	info Info
}

// Range is the pictures from (included) to to (excluded) of d, counted from 0.
// They keep their IDs; the digest is that of the range.
func Range(d Dataset, from, to int) (Dataset, error) {
	info := d.Info()
	if from < 0 || to > info.Len || from >= to {
		return nil, fmt.Errorf("%s/%s: pictures %d up to %d are no part of a set of %d", info.Name, info.Split, from, to, info.Len)
	}
	if from == 0 && to == info.Len {
		return d, nil
	}
	digest, err := Digest(context.Background(), d, from, to)
	info.Len, info.Digest = to-from, digest
	return view{d, from, info}, err
}

// Info describes the range.
func (v view) Info() Info { return v.info }

// Picture is picture i of the range.
func (v view) Picture(ctx context.Context, i int) (Picture, error) {
	if i < 0 || i >= v.info.Len {
		return Picture{}, outside(v.info, i)
	}
	return v.Dataset.Picture(ctx, v.from+i)
}

// Label is the class of picture i of the range.
func (v view) Label(i int) (int, error) {
	if i < 0 || i >= v.info.Len {
		return 0, outside(v.info, i)
	}
	return Label(context.Background(), v.Dataset, v.from+i)
}

// ID is the name of picture i.
func (v view) ID(i int) (string, error) {
	if i < 0 || i >= v.info.Len {
		return "", outside(v.info, i)
	}
	return ID(context.Background(), v.Dataset, v.from+i)
}

// Input is picture i of the range as a network takes it.
func (v view) Input(ctx context.Context, i int, p Preprocess, c, h, w int, dst []byte) error {
	if i < 0 || i >= v.info.Len {
		return outside(v.info, i)
	}
	return Input(ctx, v.Dataset, v.from+i, p, c, h, w, dst)
}
