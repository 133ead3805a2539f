package datasets

import (
	"context"
	"crypto/sha256"
	"fmt"
)

// Overlap is a picture that occurs in two sets, or twice in one, byte for byte.
type Overlap struct {
	// A and B name the pictures; A is of the first set.
	A, B string
	// LabelA and LabelB are their labels; a difference is a labelling error.
	LabelA, LabelB int
}

// Overlaps says which pictures of calibration and evaluation are equal.
type Overlaps struct {
	Calibration, Evaluation int // pictures compared
	// Pictures are evaluation pictures that are also calibration pictures, in the
	// evaluation's order; A is the calibration picture that comes first.
	Pictures []Overlap
	// Repeated are pictures that occur again within the evaluation set, each with
	// the first one that equals it. They count twice in every accuracy.
	Repeated []Overlap
}

// FindOverlaps compares the pictures of two sets by the sha256 of size and pixels.
// Pictures that were encoded or resized differently are not found.
func FindOverlaps(ctx context.Context, calibration, evaluation Dataset) (Overlaps, error) {
	o := Overlaps{Calibration: calibration.Info().Len, Evaluation: evaluation.Info().Len}
	known := map[[sha256.Size]byte]Overlap{}
	err := eachHash(ctx, calibration, func(sum [sha256.Size]byte, p Picture) {
		if _, ok := known[sum]; !ok {
			known[sum] = Overlap{A: p.ID, LabelA: p.Label}
		}
	})
	if err != nil {
		return o, err
	}
	first := map[[sha256.Size]byte]Overlap{}
	err = eachHash(ctx, evaluation, func(sum [sha256.Size]byte, p Picture) {
		if a, ok := known[sum]; ok {
			o.Pictures = append(o.Pictures, Overlap{a.A, p.ID, a.LabelA, p.Label})
		}
		a, ok := first[sum]
		if ok {
			o.Repeated = append(o.Repeated, Overlap{a.A, p.ID, a.LabelA, p.Label})
			return
		}
		first[sum] = Overlap{A: p.ID, LabelA: p.Label}
	})
	return o, err
}

// eachHash hands the hash of every picture to f.
func eachHash(ctx context.Context, d Dataset, f func(sum [sha256.Size]byte, p Picture)) error {
	for i := range d.Info().Len {
		p, err := d.Picture(ctx, i)
		if err != nil {
			return err
		}
		h := sha256.New()
		fmt.Fprintf(h, "%d %d %d ", p.Channels, p.Height, p.Width)
		h.Write(p.Pixels)
		f([sha256.Size]byte(h.Sum(nil)), p)
	}
	return nil
}

// Findings are the overlaps in words; none if there is nothing to say.
func (o Overlaps) Findings() []error {
	var out []error
	if n := len(o.Pictures); n > 0 {
		out = append(out, fmt.Errorf("%d of %d evaluation pictures are calibration pictures too, first %s = %s; accuracy may be too good: calibrate on other pictures", n, o.Evaluation, o.Pictures[0].B, o.Pictures[0].A))
	}
	if n := len(o.Repeated); n > 0 {
		out = append(out, fmt.Errorf("%d of %d evaluation pictures repeat an earlier one, first %s = %s; they count twice", n, o.Evaluation, o.Repeated[0].B, o.Repeated[0].A))
	}
	different := 0
	for _, list := range [][]Overlap{o.Pictures, o.Repeated} {
		for _, p := range list {
			if p.LabelA != p.LabelB {
				different++
			}
		}
	}
	if different > 0 {
		out = append(out, fmt.Errorf("%d pairs of equal pictures have different labels; one of each is wrong", different))
	}
	return out
}
