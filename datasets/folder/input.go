package folder

import (
	"context"
	"fmt"

	"quantbench/datasets"
	"quantbench/datasets/jpeg"
)

// reader is the memory to decode one picture after the other into.
type reader struct {
	planes jpeg.Planes
	rgb    []byte
	// resizer is that of rule for pictures of a side; its weights are kept.
	resizer *jpeg.Resizer
	rule    datasets.Resize
	side    int
}

// Input writes picture i as a c x h x w network takes it into dst, c*h*w bytes. A
// JPEG file whose rule says so is resized plane by plane straight from the file:
// only the crop is computed. Else it is what p.Bytes makes of the picture.
func (s *Set) Input(ctx context.Context, i int, p datasets.Preprocess, c, h, w int, dst []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if i < 0 || i >= len(s.entries) {
		return s.outside(i)
	}
	id, data, err := s.read(i)
	if err != nil {
		return err
	}
	r, _ := s.readers.Get().(*reader)
	if r == nil {
		r = &reader{}
	}
	defer s.readers.Put(r)
	pic, err := r.decode(data, &p, h, w)
	if err != nil {
		return fmt.Errorf("%s: %w", id, err)
	}
	pic.ID = id
	return p.Bytes(s.finish(pic, i), c, h, w, dst)
}

// decode decodes a file into the reader's memory. What it has done of the rule p
// it takes out of p.
func (r *reader) decode(data []byte, p *datasets.Preprocess, h, w int) (datasets.Picture, error) {
	jpg, err := inspect(data)
	if err != nil {
		return datasets.Picture{}, err
	}
	if !jpg {
		return decodePNG(data)
	}
	if p.Planar {
		return r.resized(data, p, h, w)
	}
	pic, err := decodeJPEG(data, &r.planes, r.rgb)
	if err == nil {
		r.rgb = pic.Pixels
	}
	return pic, err
}

// resized decodes only what the crop needs, and resizes it.
func (r *reader) resized(data []byte, p *datasets.Preprocess, h, w int) (datasets.Picture, error) {
	if r.resizer == nil || r.rule != p.Resize || r.side != h {
		resizer, err := p.Resizer(h, w)
		if err != nil {
			return datasets.Picture{}, err
		}
		r.resizer, r.rule, r.side = resizer, p.Resize, h
	}
	if cap(r.rgb) < 3*h*w {
		r.rgb = make([]byte, 3*h*w)
	}
	r.rgb = r.rgb[:3*h*w]
	if err := r.resizer.Decode(data, &r.planes, r.rgb); err != nil {
		return datasets.Picture{}, damaged(len(data), err)
	}
	*p = p.Fitted()
	pic := datasets.Picture{Channels: 3, Height: h, Width: w, Pixels: r.rgb}
	if r.planes.Model == jpeg.Grey {
		pic.Channels, pic.Pixels = 1, r.rgb[:h*w]
	}
	return pic, nil
}
