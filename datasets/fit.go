package datasets

import (
	"errors"
	"fmt"
)

// maxSide bounds a declared size.
const maxSide = 1 << 14

// validateSize reports what is wrong with Resize and Crop.
func (p Preprocess) validateSize() []error {
	var errs []error
	switch p.Resize.Rule {
	case "":
		if p.Resize.Size != 0 {
			errs = append(errs, errors.New("preprocess: resize has a size but no rule; write shorter or squash"))
		}
	case Shorter:
		if p.Resize.Size == 0 {
			errs = append(errs, errors.New("preprocess: resize by the shorter side needs a size"))
		}
	case Squash:
	default:
		errs = append(errs, fmt.Errorf("preprocess: resize rule %q is unknown; write shorter or squash", p.Resize.Rule))
	}
	if p.Resize.Size < 0 || p.Resize.Size > maxSide {
		errs = append(errs, fmt.Errorf("preprocess: resize to %d pixels; 1 to %d can be made", p.Resize.Size, maxSide))
	}
	switch {
	case p.Planar && p.Resize.Rule == "":
		errs = append(errs, errors.New("preprocess: planar needs a resize rule; write shorter or squash"))
	case p.Planar && p.Crop == "" && (p.Resize.Rule == Shorter || p.Resize.Size != 0):
		errs = append(errs, errors.New("preprocess: planar resizes straight to the crop; declare crop: center"))
	}
	if p.Crop != "" && p.Crop != Center {
		errs = append(errs, fmt.Errorf("preprocess: crop %q is unknown; write center", p.Crop))
	}
	return errs
}

// sizeText says Resize, Crop and Convert in words.
func (p Preprocess) sizeText() (s string) {
	switch {
	case p.Resize.Rule == Shorter:
		s = fmt.Sprintf(", shorter side %d", p.Resize.Size)
	case p.Resize.Rule == Squash && p.Resize.Size == 0:
		s = ", squashed"
	case p.Resize.Rule == Squash:
		s = fmt.Sprintf(", squashed to %d", p.Resize.Size)
	}
	if p.Planar {
		s += " plane by plane"
	}
	if p.Crop != "" {
		s += ", " + p.Crop + " crop"
	}
	if p.Convert {
		s += ", channels converted"
	}
	return s
}

// fit makes the picture h x w pixels, by the means that are declared.
func (p Preprocess) fit(pic Picture, h, w int) (Picture, error) {
	if p.Planar {
		return p.fitPlanes(pic, h, w)
	}
	th, tw, err := p.Resize.target(pic, h, w)
	switch {
	case err != nil:
		return pic, err
	case th == h && tw == w:
		return Scaled(pic, h, w), nil
	case p.Crop != Center:
		return pic, fmt.Errorf("%s: the picture is %dx%d pixels, the network takes %dx%d; declare resize or crop in preprocess", pic.ID, th, tw, h, w)
	case th < h || tw < w:
		return pic, fmt.Errorf("%s: %dx%d pixels cannot be cropped to the network's %dx%d; resize first", pic.ID, th, tw, h, w)
	}
	return scaledWindow(pic, th, tw, window{(th - h) / 2, (tw - w) / 2, h, w}), nil
}

// target is the size that the picture gets for a network of h x w.
func (r Resize) target(pic Picture, h, w int) (th, tw int, err error) {
	switch r.Rule {
	case Squash:
		if r.Size != 0 {
			h, w = r.Size, r.Size
		}
		return h, w, nil
	case Shorter:
		short, long := min(pic.Height, pic.Width), max(pic.Height, pic.Width)
		other := long * r.Size / short
		if other > maxSide {
			return 0, 0, fmt.Errorf("%s: %dx%d pixels with the shorter side resized to %d would have %d on the longer; up to %d are made", pic.ID, pic.Height, pic.Width, r.Size, other, maxSide)
		}
		if pic.Height <= pic.Width {
			return r.Size, other, nil
		}
		return other, r.Size, nil
	}
	return pic.Height, pic.Width, nil
}

// channels gives the picture c channels, if that is declared.
func (p Preprocess) channels(pic Picture, c int) (Picture, error) {
	switch {
	case pic.Channels == c:
		return pic, nil
	case p.Convert && pic.Channels == 1 && c == 3:
		return Coloured(pic), nil
	case p.Convert && pic.Channels == 3 && c == 1:
		return Grey(pic), nil
	}
	return pic, fmt.Errorf("%s: the picture has %d channels, the network takes %d; use a dataset with %d, or declare convert in preprocess (grey to colour or back)", pic.ID, pic.Channels, c, c)
}

// Coloured is a grey picture as red, green and blue planes, all equal to it.
func Coloured(pic Picture) Picture {
	n := len(pic.Pixels)
	out := make([]byte, 0, 3*n)
	out = append(append(append(out, pic.Pixels...), pic.Pixels...), pic.Pixels...)
	pic.Channels, pic.Pixels = 3, out
	return pic
}

// Grey is the luma of a picture of red, green and blue planes, by the formula
// of Preprocess.Convert.
func Grey(pic Picture) Picture {
	n := pic.Height * pic.Width
	out := make([]byte, n)
	for i := range out {
		r, g, b := uint32(pic.Pixels[i]), uint32(pic.Pixels[n+i]), uint32(pic.Pixels[2*n+i])
		out[i] = byte((19595*r + 38470*g + 7471*b + 1<<15) >> 16)
	}
	pic.Channels, pic.Pixels = 1, out
	return pic
}
