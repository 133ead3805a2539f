package datasets

// fraction is the bits of a weight behind the point.
const fraction = 22

// tap is the weighted sum that makes one output value: input values from
// first on, each times a weight in units of 2^-fraction.
type tap struct {
	first   int
	weights []int32
}

// taps are the weights that turn n values into m.
//
// The rule: output i lies at (i+1/2) n/m on an axis where input x covers
// [x, x+1]. Input x weighs max(0, 1 - d/s), where d is the distance of its middle
// x+1/2 from there and s = max(1, n/m): a triangle, widened when values are
// averaged (antialiasing). Inputs outside the picture do not exist, and weights
// are divided by their sum. Times 2 max(n, m), weights are integers:
//
//	max(0, 2 max(n, m) - |(2x+1) m - (2i+1) n|)
//
// so that nothing depends on floating point; the quotient is rounded to the
// nearest multiple of 2^-22, halves up.
func taps(n, m int) []tap {
	out := make([]tap, m)
	d := 2 * max(n, m)
	for i := range out {
		at := (2*i + 1) * n
		// (2x+1) m > at-d and < at+d bound x.
		first := max(0, (at-d-m)/(2*m))
		weight := func(x int) int { return max(0, d-abs((2*x+1)*m-at)) }
		for weight(first) == 0 {
			first++
		}
		last, sum := first, 0
		for ; last < n && weight(last) > 0; last++ {
			sum += weight(last)
		}
		t := tap{first, make([]int32, last-first)}
		for k := range t.weights {
			t.weights[k] = int32((weight(first+k)<<(fraction+1) + sum) / (2 * sum))
		}
		out[i] = t
	}
	return out
}

func abs(v int) int {
	if v < 0 {
		return -v
	}
	return v
}

// Scaled is the picture at h x w pixels: bilinear, antialiased when it shrinks.
// Rows are resized first and rounded to bytes, then columns; the weights are
// those of a triangle filter as wide as max(1, old/new) input pixels on each side,
// in 22 bits, with the weights of pixels outside the picture left out. This is the
// rule of Pillow's resize with BILINEAR, stated in integers. A picture of the
// right size is returned as it is.
func Scaled(pic Picture, h, w int) Picture {
	if pic.Width != w {
		pic = scaleRows(pic, w)
	}
	if pic.Height != h {
		pic = scaleColumns(pic, h)
	}
	return pic
}

func scaleRows(pic Picture, w int) Picture {
	ts := taps(pic.Width, w)
	out := make([]byte, pic.Channels*pic.Height*w)
	for y := range pic.Channels * pic.Height {
		src, dst := pic.Pixels[y*pic.Width:(y+1)*pic.Width], out[y*w:(y+1)*w]
		for i, t := range ts {
			sum := int32(1 << (fraction - 1))
			for k, v := range src[t.first : t.first+len(t.weights)] {
				sum += int32(v) * t.weights[k]
			}
			dst[i] = clip(sum >> fraction)
		}
	}
	pic.Width, pic.Pixels = w, out
	return pic
}

func scaleColumns(pic Picture, h int) Picture {
	w := pic.Width
	out := make([]byte, 0, pic.Channels*h*w)
	sums := make([]int32, w)
	for c := range pic.Channels {
		plane := pic.Pixels[c*pic.Height*w : (c+1)*pic.Height*w]
		for _, t := range taps(pic.Height, h) {
			for x := range sums {
				sums[x] = 1 << (fraction - 1)
			}
			for k, weight := range t.weights {
				for x, v := range plane[(t.first+k)*w : (t.first+k+1)*w] {
					sums[x] += int32(v) * weight
				}
			}
			for _, s := range sums {
				out = append(out, clip(s>>fraction))
			}
		}
	}
	pic.Height, pic.Pixels = h, out
	return pic
}

func clip(v int32) byte { return byte(min(max(v, 0), 255)) }
