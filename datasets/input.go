package datasets

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Validate reports every field that no network input can be made with.
func (p Preprocess) Validate() error {
	var errs []error
	if p.Order != "" && p.Order != "rgb" && p.Order != "bgr" {
		errs = append(errs, fmt.Errorf("preprocess: order %q is unknown; write rgb or bgr", p.Order))
	}
	if len(p.Mean) > 0 && (len(p.MeanImage) > 0 || p.MeanFile != "") {
		errs = append(errs, errors.New("preprocess: mean and mean image are both given; keep one"))
	}
	errs = append(errs, p.validateSize()...)
	for _, m := range p.Mean {
		if !finite(m) {
			errs = append(errs, fmt.Errorf("preprocess: mean %v is not a number of pixels", m))
		}
	}
	for i, m := range p.MeanImage {
		if !finite(m) {
			errs = append(errs, fmt.Errorf("preprocess: mean image has %v at element %d", m, i))
			break
		}
	}
	if !finite(p.Scale) || p.Scale < 0 {
		errs = append(errs, fmt.Errorf("preprocess: scale %v is not a positive number", p.Scale))
	}
	return errors.Join(errs...)
}

// Check reports whether the rule fits a network input of c x h x w: the number
// of means, and the size of the mean image.
func (p Preprocess) Check(c, h, w int) error {
	if err := p.Validate(); err != nil {
		return err
	}
	if p.Planar {
		if _, err := p.Resizer(h, w); err != nil {
			return err
		}
	}
	if p.MeanFile != "" && len(p.MeanImage) == 0 {
		return fmt.Errorf("preprocess: the mean file %s was not read", p.MeanFile)
	}
	if n := len(p.Mean); n > 1 && n != c {
		return fmt.Errorf("preprocess: %d means for %d channels; give none, one, or one a channel", n, c)
	}
	if n := len(p.MeanImage); n > 0 && n != c*h*w {
		return fmt.Errorf("preprocess: the mean image has %d values, the network's input %dx%dx%d has %d", n, c, h, w, c*h*w)
	}
	return nil
}

func finite(v float32) bool { return !math.IsNaN(float64(v)) && !math.IsInf(float64(v), 0) }

// Bytes writes the picture's bytes as a c x h x w network takes them into dst
// (c*h*w bytes): size, channels, their order and inversion are applied, as far as
// they are declared. What is not declared must fit as it is.
func (p Preprocess) Bytes(pic Picture, c, h, w int, dst []byte) error {
	if n := pic.Channels * pic.Height * pic.Width; len(pic.Pixels) != n || n == 0 {
		return fmt.Errorf("%s: the picture has %d bytes instead of %d; the file is damaged", pic.ID, len(pic.Pixels), n)
	}
	if len(dst) != c*h*w {
		return fmt.Errorf("%s: the buffer holds %d bytes instead of %d", pic.ID, len(dst), c*h*w)
	}
	pic, err := p.fit(pic, h, w)
	if err != nil {
		return err
	}
	if pic, err = p.channels(pic, c); err != nil {
		return err
	}
	p.reorder(pic.Pixels, c, h*w, dst)
	if p.Invert {
		for i, b := range dst {
			dst[i] = 255 - b
		}
	}
	return nil
}

func (p Preprocess) reorder(src []byte, c, plane int, dst []byte) {
	if p.Order != "bgr" || c != 3 {
		copy(dst, src)
		return
	}
	for ch := range 3 {
		copy(dst[ch*plane:(ch+1)*plane], src[(2-ch)*plane:])
	}
}

// Factor is Scale, with 0 read as 1.
func (p Preprocess) Factor() float32 {
	if p.Scale == 0 {
		return 1
	}
	return p.Scale
}

func (p Preprocess) mean(c int) float32 {
	switch len(p.Mean) {
	case 0:
		return 0
	case 1:
		return p.Mean[0]
	}
	return p.Mean[c]
}

// LUT is the network's input for each byte (as Bytes wrote it) of channel c, in
// float32 arithmetic: (pixel - mean) * scale. It holds only without a MeanImage.
func (p Preprocess) LUT(c int) (lut [256]float32) {
	m, f := p.mean(c), p.Factor()
	for b := range lut {
		lut[b] = (float32(b) - m) * f
	}
	return lut
}

// Value is the network's input for a byte (as Bytes wrote it) that is element
// i = (c*H+y)*W+x of a C x H x W input, c being its channel.
func (p Preprocess) Value(pixel byte, c, i int) float32 {
	m := p.mean(c)
	if len(p.MeanImage) > 0 {
		m = p.MeanImage[i]
	}
	return (float32(pixel) - m) * p.Factor()
}

// Floats turns one picture (c*h*w bytes, as Bytes wrote them) into the
// network's input. Check must have accepted c, h and w.
func (p Preprocess) Floats(pixels []byte, c, h, w int, dst []float32) {
	for ch := range c {
		lo, hi := ch*h*w, (ch+1)*h*w
		if len(p.MeanImage) > 0 {
			for i := lo; i < hi; i++ {
				dst[i] = p.Value(pixels[i], ch, i)
			}
			continue
		}
		lut := p.LUT(ch)
		for i := lo; i < hi; i++ {
			dst[i] = lut[pixels[i]]
		}
	}
}

// Digest is the sha256, in hex, of a canonical text of the rule: equal for
// rules that always give the same input, whichever way they are written.
func (p Preprocess) Digest() string {
	var b strings.Builder
	order := p.Order
	if order == "" {
		order = "rgb"
	}
	fmt.Fprintf(&b, "preprocess 1\norder %s\ninvert %v\nscale %08x\nmean", order, p.Invert, math.Float32bits(p.Factor()))
	for _, m := range p.Mean {
		fmt.Fprintf(&b, " %08x", math.Float32bits(m))
	}
	b.WriteString("\nmean image")
	if len(p.MeanImage) > 0 {
		b.WriteString(" " + floatsDigest(p.MeanImage))
	}
	if p.Resize.Rule != "" {
		fmt.Fprintf(&b, "\nresize 1 %s %d", p.Resize.Rule, p.Resize.Size)
	}
	if p.Planar {
		b.WriteString("\nplanar 1 floor")
	}
	if p.Crop != "" {
		fmt.Fprintf(&b, "\ncrop %s", p.Crop)
	}
	if p.Convert {
		b.WriteString("\nconvert bt601")
	}
	sum := sha256.Sum256([]byte(b.String()))
	return hex.EncodeToString(sum[:])
}

// BytesDigest is the sha256, in hex, of what Bytes depends on: Digest without mean
// and scale, so that networks that differ in those share decoded pictures.
func (p Preprocess) BytesDigest() string { return p.bytesRule().Digest() }

// BytesText says in words what Bytes does: "BGR, shorter side 256, center crop".
func (p Preprocess) BytesText() string { return p.bytesRule().String() }

func (p Preprocess) bytesRule() Preprocess {
	p.Mean, p.MeanFile, p.MeanImage, p.Scale = nil, "", nil, 0
	return p
}

func floatsDigest(v []float32) string {
	h := sha256.New()
	var b [4]byte
	for _, f := range v {
		binary.LittleEndian.PutUint32(b[:], math.Float32bits(f))
		h.Write(b[:])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// String says the rule in words: "pixel/256", "RGB minus 128", "BGR minus
// 104/117/123, times 0.017, shorter side 256, center crop". Grey and coloured pictures read alike unless there
// is a mean.
func (p Preprocess) String() string {
	s := "pixel"
	if p.Invert {
		s = "255-pixel"
	}
	mean := p.meanText()
	if mean != "" || p.Order == "bgr" {
		name := "RGB"
		if p.Order == "bgr" {
			name = "BGR"
		}
		if p.Invert {
			name = "inverted " + name
		}
		s = name + mean
	}
	return s + p.scaleText(mean != "") + p.sizeText()
}

func (p Preprocess) meanText() string {
	if len(p.MeanImage) > 0 {
		return " minus mean image"
	}
	if len(p.Mean) == 0 {
		return ""
	}
	t := make([]string, len(p.Mean))
	for i, m := range p.Mean {
		t[i] = strconv.FormatFloat(float64(m), 'g', -1, 32)
	}
	return " minus " + strings.Join(t, "/")
}

func (p Preprocess) scaleText(comma bool) string {
	f := p.Factor()
	if f == 1 {
		return ""
	}
	sep := ""
	if comma {
		sep = ", "
	}
	if n := math.Round(1 / float64(f)); n >= 2 && float32(1/n) == f {
		if comma {
			return fmt.Sprintf(", divided by %.0f", n)
		}
		return fmt.Sprintf("/%.0f", n)
	}
	if !comma {
		sep = " "
	}
	return sep + "times " + strconv.FormatFloat(float64(f), 'g', -1, 32)
}
