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
	var all []int32 // memory for the weights of many
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
		if free := len(all); free+last-first > cap(all) {
			all = make([]int32, 0, max(last-first, 4*m))
		}
		from := len(all)
		all = all[:from+last-first]
		t := tap{first, all[from:]}
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
	return scaledWindow(pic, h, w, window{0, 0, h, w})
}

// window is the rows from y on and the columns from x on, h x w pixels, of a picture.
type window struct{ y, x, h, w int }

// scaledWindow is a window of Scaled; nothing else is computed.
func scaledWindow(pic Picture, h, w int, of window) Picture {
	rows := window{of.y, of.x, of.h, of.w} // of the picture that scaleColumns sees
	var down []tap
	if pic.Height != h {
		down = taps(pic.Height, h)[of.y : of.y+of.h]
		last := down[len(down)-1]
		rows.y = down[0].first
		rows.h = last.first + len(last.weights) - rows.y
	}
	switch {
	case pic.Width != w:
		pic = scaleRows(pic, taps(pic.Width, w)[of.x:of.x+of.w], rows)
	case rows != window{0, 0, pic.Height, pic.Width}:
		pic = cut(pic, rows)
	}
	if down != nil {
		pic = scaleColumns(pic, down, rows.y)
	}
	return pic
}

// scaleRows makes the rows of a window: ts are the taps of its columns.
func scaleRows(pic Picture, ts []tap, of window) Picture {
	out := make([]byte, pic.Channels*of.h*len(ts))
	for r := range pic.Channels * of.h {
		y := r/of.h*pic.Height + of.y + r%of.h
		src, dst := pic.Pixels[y*pic.Width:(y+1)*pic.Width], out[r*len(ts):(r+1)*len(ts)]
		for i := range ts {
			t := &ts[i]
			sum := int32(1 << (fraction - 1))
			for k, v := range src[t.first : t.first+len(t.weights)] {
				sum += int32(v) * t.weights[k]
			}
			dst[i] = clip(sum >> fraction)
		}
	}
	pic.Height, pic.Width, pic.Pixels = of.h, len(ts), out
	return pic
}

// scaleColumns makes rows by taps that count the picture's rows from first on.
func scaleColumns(pic Picture, ts []tap, first int) Picture {
	w := pic.Width
	out := make([]byte, 0, pic.Channels*len(ts)*w)
	sums := make([]int32, w)
	for c := range pic.Channels {
		plane := pic.Pixels[c*pic.Height*w : (c+1)*pic.Height*w]
		for _, t := range ts {
			for x := range sums {
				sums[x] = 1 << (fraction - 1)
			}
			for k, weight := range t.weights {
				for x, v := range plane[(t.first-first+k)*w:][:w] {
					sums[x] += int32(v) * weight
				}
			}
			for _, s := range sums {
				out = append(out, clip(s>>fraction))
			}
		}
	}
	pic.Height, pic.Pixels = len(ts), out
	return pic
}

// cut is a window of a picture.
func cut(pic Picture, of window) Picture {
	out := make([]byte, 0, pic.Channels*of.h*of.w)
	for c := range pic.Channels {
		for y := of.y; y < of.y+of.h; y++ {
			row := (c*pic.Height+y)*pic.Width + of.x
			out = append(out, pic.Pixels[row:row+of.w]...)
		}
	}
	pic.Height, pic.Width, pic.Pixels = of.h, of.w, out
	return pic
}

func clip(v int32) byte { return byte(min(max(v, 0), 255)) }
