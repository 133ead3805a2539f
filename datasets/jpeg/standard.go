package jpeg

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	std "image/jpeg"
)

// standard decodes with image/jpeg, for the given reason.
func (p *Planes) standard(data []byte, reason string) error {
	p.Path, p.Reason = Standard, reason
	cfg, err := std.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("jpeg (%s, read by image/jpeg): %w", reason, err)
	}
	p.Width, p.Height = cfg.Width, cfg.Height
	if err := p.checkSize(); err != nil {
		return fmt.Errorf("jpeg (%s): %w", reason, err)
	}
	if p.Width*p.Height/1024 > len(data) {
		return fmt.Errorf("jpeg (%s): %d bytes are too few for a picture of %dx%d; the file is truncated or damaged", reason, len(data), p.Width, p.Height)
	}
	img, err := std.Decode(bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("jpeg (%s, read by image/jpeg): %w", reason, err)
	}
	return p.take(img)
}

// take makes planes of what image/jpeg returns.
func (p *Planes) take(img image.Image) error {
	b := img.Bounds()
	p.Width, p.Height = b.Dx(), b.Dy()
	switch m := img.(type) {
	case *image.Gray:
		p.Model = Grey
		p.copyPlane(0, m.Pix, m.Stride, 1, 1)
		p.Plane[1], p.Plane[2] = Plane{}, Plane{}
	case *image.YCbCr:
		p.Model = YCbCr
		dx, dy, ok := ratio(m.SubsampleRatio)
		if !ok {
			return fmt.Errorf("jpeg: image/jpeg returned the unknown sampling %v", m.SubsampleRatio)
		}
		p.copyPlane(0, m.Y, m.YStride, 1, 1)
		p.copyPlane(1, m.Cb, m.CStride, dx, dy)
		p.copyPlane(2, m.Cr, m.CStride, dx, dy)
	default:
		p.separate(img)
	}
	return nil
}

func ratio(r image.YCbCrSubsampleRatio) (dx, dy int, ok bool) {
	switch r {
	case image.YCbCrSubsampleRatio444:
		return 1, 1, true
	case image.YCbCrSubsampleRatio422:
		return 2, 1, true
	case image.YCbCrSubsampleRatio420:
		return 2, 2, true
	case image.YCbCrSubsampleRatio440:
		return 1, 2, true
	case image.YCbCrSubsampleRatio411:
		return 4, 1, true
	case image.YCbCrSubsampleRatio410:
		return 4, 2, true
	}
	return 0, 0, false
}

// copyPlane copies a plane of image/jpeg, which is of dx x dy pixels a sample.
func (p *Planes) copyPlane(i int, pix []byte, stride, dx, dy int) {
	q := &p.Plane[i]
	q.DX, q.DY = dx, dy
	q.Width, q.Height = ceilDiv(p.Width, dx), ceilDiv(p.Height, dy)
	q.resize(q.Width, q.Height)
	for y := range q.Height {
		copy(q.Pix[y*q.Stride:(y+1)*q.Stride], pix[y*stride:])
	}
}

// separate makes planes of red, green and blue: of CMYK pictures, by
// image/color's rule, and of RGB ones.
func (p *Planes) separate(img image.Image) {
	p.Model = RGB
	for i := range p.Plane {
		q := &p.Plane[i]
		q.DX, q.DY, q.Width, q.Height = 1, 1, p.Width, p.Height
		q.resize(p.Width, p.Height)
	}
	b, i := img.Bounds(), 0
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			c := color.RGBAModel.Convert(img.At(x, y)).(color.RGBA)
			p.Plane[0].Pix[i], p.Plane[1].Pix[i], p.Plane[2].Pix[i] = c.R, c.G, c.B
			i++
		}
	}
}
