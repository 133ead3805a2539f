package jpeg

import "fmt"

// Mode says what becomes of a picture that is not square.
type Mode uint8

const (
	// ShorterSide keeps the shape: the shorter side becomes Size pixels and the
	// longer floor(Size * longer / shorter).
	ShorterSide Mode = iota
	// Squash makes both sides Size pixels.
	Squash
)

// Resizer resizes pictures and cuts out the square at their centre, straight
// from the decoded planes: each plane is filtered from its own resolution to the
// crop's (chroma is never upsampled first), and only the crop is computed. It
// keeps the weights of the sizes it has seen. Not for concurrent use.
type Resizer struct {
	// Mode, Size and Crop are what NewResizer was given.
	Mode       Mode
	Size, Crop int
	// Floor rounds halves of the crop's corner down, as Caffe does, instead of to
	// even.
	Floor bool

	axes map[axisKey]*axis
	mid  []uint64    // a row pair after the filter along columns
	rows [3][]uint64 // row pairs of the crop, for each plane
}

// maxAxes is the number of axes whose weights are kept, a few KB each.
const maxAxes = 256

// NewResizer makes a resizer to size pixels and a centre crop of crop x crop, 1
// <= crop <= size. The crop begins at (resized-crop)/2, halves rounded to even,
// as torchvision's CenterCrop, unless Floor is set.
//
// The filter is the antialiased triangle, called bilinear by PIL and
// torchvision. Along each axis of a plane with one sample for d pixels let f =
// pixels/resized/d and s = max(1, f). Output o has its centre at c = (o+1/2)*f
// and weighs the samples j from floor(c-s+1/2) to floor(c+s+1/2)-1, as far as
// they exist, with 1 - |j+1/2-c|/s, divided by the sum of the weights. In fixed
// point each weight is rounded to 1/2^15, and the largest (the first of equal
// ones) takes what is missing from a sum of 1. Columns are filtered first and
// rounded to 7 bits of fraction, then rows, exactly; luma and chroma are rounded
// to 6 bits for the colour conversion (factors of 14 bits), whose results are
// rounded once and clamped.
func NewResizer(mode Mode, size, crop int) (*Resizer, error) {
	if mode > Squash {
		return nil, fmt.Errorf("jpeg: resize mode %d is unknown; use ShorterSide or Squash", mode)
	}
	if crop < 1 || crop > size || size > 1<<14 {
		return nil, fmt.Errorf("jpeg: a crop of %d from %d pixels is impossible; give 1 <= crop <= size <= 16384", crop, size)
	}
	return &Resizer{Mode: mode, Size: size, Crop: crop, axes: map[axisKey]*axis{}}, nil
}

// Resized is the size that a picture of width x height has before the crop.
func (r *Resizer) Resized(width, height int) (w, h int) {
	if r.Mode == Squash || width == height {
		return r.Size, r.Size
	}
	if width < height {
		return r.Size, r.Size * height / width
	}
	return r.Size * width / height, r.Size
}

// offset is (resized-crop)/2 with halves rounded to even, or down.
func (r *Resizer) offset(resized int) int {
	d := resized - r.Crop
	if r.Floor {
		return d / 2
	}
	return d/2 + d&1*(d/2&1)
}

// Decode decodes a file and writes its crop into dst, 3*Crop*Crop bytes. It
// gives what Decode and Resize give, but reconstructs only the blocks that the
// crop needs: the planes' contents outside it are undefined.
func (r *Resizer) Decode(data []byte, p *Planes, dst []byte) error {
	if err := p.decode(data, r); err != nil {
		return err
	}
	return r.Resize(p, dst)
}

// Resize writes the crop of a decoded picture into dst, 3*Crop*Crop bytes: a
// red, a green and a blue plane (equal ones if the picture is grey). YCbCr is
// converted at the crop's resolution, rounding once.
func (r *Resizer) Resize(p *Planes, dst []byte) error {
	if len(dst) != 3*r.Crop*r.Crop {
		return fmt.Errorf("jpeg: the buffer holds %d bytes instead of %d (3x%dx%d)", len(dst), 3*r.Crop*r.Crop, r.Crop, r.Crop)
	}
	if p.Width < 1 || p.Height < 1 || len(p.Plane[0].Pix) == 0 {
		return fmt.Errorf("jpeg: no picture was decoded yet")
	}
	var across, down [3]*axis
	for i := range p.planes() {
		across[i], down[i] = r.planeAxes(p, i)
		r.rows[i] = grow(r.rows[i], r.Crop)
		r.mid = grow(r.mid, max(len(r.mid), across[i].end-across[i].first))
	}
	for y := 0; y < r.Crop; y += 2 {
		for i := range p.planes() {
			a, q := across[i], &p.Plane[i]
			mid := r.mid[:a.end-a.first]
			filterDown(q, down[i].first, down[i].pairs[y/2], a.first, mid)
			filterAcross(a, mid, r.rows[i])
		}
		r.write(p.Model, y, dst)
	}
	return nil
}

// planeAxes are the filters along the rows and the columns of plane i.
func (r *Resizer) planeAxes(p *Planes, i int) (across, down *axis) {
	w, h := r.Resized(p.Width, p.Height)
	q := &p.Plane[i]
	across = r.axis(axisKey{p.Width, q.DX, q.Width, w, r.offset(w), r.Crop})
	down = r.axis(axisKey{p.Height, q.DY, q.Height, h, r.offset(h), r.Crop})
	return across, down
}

func (r *Resizer) axis(k axisKey) *axis {
	if a := r.axes[k]; a != nil {
		return a
	}
	if len(r.axes) >= maxAxes {
		clear(r.axes)
	}
	a := newAxis(k)
	r.axes[k] = a
	return a
}

// window is the samples of a plane that the crop depends on.
func (r *Resizer) window(p *Planes, i int) rectangle {
	across, down := r.planeAxes(p, i)
	return rectangle{across.first, down.first, across.end, down.end}
}

// write stores crop rows y and y+1 (if there is one) from the row pairs.
func (r *Resizer) write(m Model, y int, dst []byte) {
	n := r.Crop
	row := func(c, dy int) []byte {
		if y+dy >= n {
			dy = 0 // the second half of the last pair of an odd crop is overwritten below
		}
		return dst[(c*n+y+dy)*n:][:n]
	}
	out := [6][]byte{row(0, 1), row(1, 1), row(2, 1), row(0, 0), row(1, 0), row(2, 0)}
	switch m {
	case YCbCr:
		convertPairs(r.rows[0], r.rows[1], r.rows[2], &out)
	case RGB:
		for c := range 3 {
			roundPairs(r.rows[c], out[c], out[c+3])
		}
	default:
		roundPairs(r.rows[0], out[0], out[3])
		copy(out[1], out[0])
		copy(out[2], out[0])
		copy(out[4], out[3])
		copy(out[5], out[3])
	}
}
