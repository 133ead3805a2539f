package folder

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	stdjpeg "image/jpeg"
	"image/png"
	"io"

	"quantbench/datasets"
	"quantbench/datasets/jpeg"
)

// maxPixels bounds a picture that is decoded.
const maxPixels = 1 << 27

// Decode reads a JPEG or PNG picture; its content decides which, not its name,
// and name is for errors. A grey file becomes one channel, a coloured one three
// (red, green, blue). Samples of 16 bits lose their lower 8. Refused are: CMYK,
// since no two programs convert it alike; transparency; a picture of one pixel,
// which stands for a broken download; cut or damaged files; and other formats.
func Decode(name string, data []byte) (datasets.Picture, error) {
	pic, err := decode(data)
	pic.ID = name
	if err != nil {
		return pic, fmt.Errorf("%s: %w", name, err)
	}
	return pic, nil
}

func decode(data []byte) (pic datasets.Picture, err error) {
	jpg, err := inspect(data)
	switch {
	case err != nil:
		return pic, err
	case jpg:
		var p jpeg.Planes
		return decodeJPEG(data, &p, nil)
	}
	return decodePNG(data)
}

// inspect reads a file's header and refuses what Decode does not read. jpg is
// false for a PNG.
func inspect(data []byte) (jpg bool, err error) {
	var config image.Config
	jpg = bytes.HasPrefix(data, []byte("\xff\xd8"))
	switch {
	case jpg:
		config, err = stdjpeg.DecodeConfig(bytes.NewReader(data))
	case bytes.HasPrefix(data, []byte("\x89PNG")):
		config, err = png.DecodeConfig(bytes.NewReader(data))
	default:
		return jpg, errors.New(foreign(data))
	}
	if err != nil {
		return jpg, damaged(len(data), err)
	}
	switch n := config.Width * config.Height; {
	case config.ColorModel == color.CMYKModel:
		return jpg, errors.New("the picture is CMYK, which programs convert in different ways; convert it to RGB first")
	case n <= 1:
		return jpg, fmt.Errorf("the picture is %dx%d pixels, no photograph; the file is a placeholder or damaged", config.Height, config.Width)
	case n > maxPixels:
		return jpg, fmt.Errorf("the picture is %dx%d pixels; up to %d are read", config.Height, config.Width, maxPixels)
	}
	return jpg, nil
}

func decodePNG(data []byte) (pic datasets.Picture, err error) {
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		return pic, damaged(len(data), err)
	}
	if o, ok := img.(interface{ Opaque() bool }); ok && !o.Opaque() {
		return pic, errors.New("the picture is transparent in places; flatten it first")
	}
	return planes(img), nil
}

// decodeJPEG is the one place where JPEG files become whole pictures: chroma is
// interpolated, as the IJG library does by default. p and rgb are memory to decode
// into; the picture lies in rgb if that is large enough.
func decodeJPEG(data []byte, p *jpeg.Planes, rgb []byte) (datasets.Picture, error) {
	if err := jpeg.Decode(data, p); err != nil {
		return datasets.Picture{}, damaged(len(data), err)
	}
	pic := datasets.Picture{Channels: 3, Height: p.Height, Width: p.Width}
	if p.Model == jpeg.Grey {
		pic.Channels, pic.Pixels = 1, rgb[:0]
		y := p.Plane[0]
		for row := range p.Height {
			pic.Pixels = append(pic.Pixels, y.Pix[row*y.Stride:][:p.Width]...)
		}
		return pic, nil
	}
	var err error
	pic.Pixels, err = p.RGB(rgb, jpeg.Fancy)
	return pic, err
}

func damaged(size int, err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return fmt.Errorf("the picture is cut off after %d bytes; get it again", size)
	}
	return fmt.Errorf("the picture is damaged: %w", err)
}

// foreign says what a file is that is no picture.
func foreign(data []byte) string {
	for _, f := range []struct{ start, what string }{
		{"GIF8", "a GIF"}, {"BM", "a BMP"}, {"RIFF", "a WebP"}, {"II*\x00", "a TIFF"}, {"MM\x00*", "a TIFF"},
		{"<", "a web page"}, {"version https://git-lfs", "a Git LFS pointer: run git lfs pull"},
	} {
		if bytes.HasPrefix(data, []byte(f.start)) {
			return "the file is no JPEG or PNG but " + f.what
		}
	}
	if len(data) == 0 {
		return "the file is empty"
	}
	return fmt.Sprintf("the file begins with % x, which no JPEG or PNG does", data[:min(4, len(data))])
}

// planes copies an image's channels.
func planes(img image.Image) datasets.Picture {
	r := img.Bounds()
	pic := datasets.Picture{Channels: 3, Height: r.Dy(), Width: r.Dx()}
	switch m := img.(type) {
	case *image.Gray, *image.Gray16:
		pic.Channels = 1
	case *image.YCbCr:
		pic.Pixels = fromYCbCr(m)
		return pic
	}
	n := r.Dx() * r.Dy()
	pic.Pixels = make([]byte, pic.Channels*n)
	for i := range n {
		red, green, blue, _ := img.At(r.Min.X+i%r.Dx(), r.Min.Y+i/r.Dx()).RGBA()
		pic.Pixels[i] = byte(red >> 8)
		if pic.Channels == 3 {
			pic.Pixels[n+i], pic.Pixels[2*n+i] = byte(green>>8), byte(blue>>8)
		}
	}
	return pic
}

func fromYCbCr(m *image.YCbCr) []byte {
	r := m.Rect
	n := r.Dx() * r.Dy()
	out := make([]byte, 3*n)
	i := 0
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			c := m.COffset(x, y)
			out[i], out[n+i], out[2*n+i] = color.YCbCrToRGB(m.Y[m.YOffset(x, y)], m.Cb[c], m.Cr[c])
			i++
		}
	}
	return out
}
