package datasets

import (
	"fmt"

	"quantbench/datasets/jpeg"
)

// Resizer is what makes a network's h x w pixels of a JPEG file's planes; nil
// unless the rule is Planar. The network must take a square of at most the resized
// side.
func (p Preprocess) Resizer(h, w int) (*jpeg.Resizer, error) {
	if !p.Planar {
		return nil, nil
	}
	if h != w {
		return nil, fmt.Errorf("preprocess: planar makes squares, the network takes %dx%d; leave planar out", h, w)
	}
	mode, size := jpeg.ShorterSide, p.Resize.Size
	if p.Resize.Rule == Squash {
		mode = jpeg.Squash
		if size == 0 {
			size = h
		}
	}
	r, err := jpeg.NewResizer(mode, size, h)
	if err != nil {
		return nil, fmt.Errorf("preprocess: the picture is resized to %d pixels, the network takes %d: %w", size, h, err)
	}
	r.Floor = true
	return r, nil
}

// Fitted is the rule for pictures that have the network's size already: no resize
// and no crop, all else the same.
func (p Preprocess) Fitted() Preprocess {
	p.Resize, p.Crop, p.Planar = Resize{}, "", false
	return p
}

// fitPlanes is fit by the rule Planar for a picture whose planes all have the
// picture's resolution.
func (p Preprocess) fitPlanes(pic Picture, h, w int) (Picture, error) {
	r, err := p.Resizer(h, w)
	if err != nil {
		return pic, fmt.Errorf("%s: %w", pic.ID, err)
	}
	n := pic.Height * pic.Width
	planes := jpeg.Planes{Width: pic.Width, Height: pic.Height, Model: jpeg.RGB}
	if pic.Channels == 1 {
		planes.Model = jpeg.Grey
	}
	for c := range pic.Channels {
		planes.Plane[c] = jpeg.Plane{Pix: pic.Pixels[c*n : (c+1)*n], Stride: pic.Width, Width: pic.Width, Height: pic.Height, DX: 1, DY: 1}
	}
	out := make([]byte, 3*h*w)
	if err := r.Resize(&planes, out); err != nil {
		return pic, fmt.Errorf("%s: %w", pic.ID, err)
	}
	pic.Height, pic.Width, pic.Pixels = h, w, out[:pic.Channels*h*w]
	return pic, nil
}
