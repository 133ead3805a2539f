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

// Part is pictures From (included) to To (excluded) of a dataset.
type Part struct {
	Dataset
	From, To int
}

// FindOverlaps compares the pictures of two sets by the sha256 of size and pixels;
// those of two sets of files by that of the files, which are not decoded. Pictures
// that were encoded or resized differently are not found.
func FindOverlaps(ctx context.Context, calibration, evaluation Dataset) (Overlaps, error) {
	return OverlapsOf(ctx, Part{calibration, 0, calibration.Info().Len}, Part{evaluation, 0, evaluation.Info().Len})
}

// OverlapsOf compares parts of two sets as FindOverlaps does.
func OverlapsOf(ctx context.Context, calibration, evaluation Part) (Overlaps, error) {
	o := Overlaps{Calibration: calibration.To - calibration.From, Evaluation: evaluation.To - evaluation.From}
	files := calibration.summed() && evaluation.summed()
	known := map[[sha256.Size]byte]Overlap{}
	err := calibration.eachHash(ctx, files, func(sum [sha256.Size]byte, id string, label int) {
		if _, ok := known[sum]; !ok {
			known[sum] = Overlap{A: id, LabelA: label}
		}
	})
	if err != nil {
		return o, err
	}
	first := map[[sha256.Size]byte]Overlap{}
	err = evaluation.eachHash(ctx, files, func(sum [sha256.Size]byte, id string, label int) {
		if a, ok := known[sum]; ok {
			o.Pictures = append(o.Pictures, Overlap{a.A, id, a.LabelA, label})
		}
		a, ok := first[sum]
		if ok {
			o.Repeated = append(o.Repeated, Overlap{a.A, id, a.LabelA, label})
			return
		}
		first[sum] = Overlap{A: id, LabelA: label}
	})
	return o, err
}

// FileSum is the sha256 of the file of picture i of d; false if d is no set of
// picture files.
func FileSum(d Dataset, i int) ([sha256.Size]byte, bool) {
	if s, ok := d.(interface {
		FileSum(i int) ([sha256.Size]byte, bool)
	}); ok {
		return s.FileSum(i)
	}
	return [sha256.Size]byte{}, false
}

func (p Part) summed() bool {
	if p.From >= p.To {
		return true
	}
	_, ok := FileSum(p.Dataset, p.From)
	return ok
}

// eachHash hands the hash of every picture to f, that of its file if files is set.
func (p Part) eachHash(ctx context.Context, files bool, f func(sum [sha256.Size]byte, id string, label int)) error {
	for i := p.From; i < p.To; i++ {
		if files {
			id, err := ID(ctx, p.Dataset, i)
			if err != nil {
				return err
			}
			label, err := Label(ctx, p.Dataset, i)
			if err != nil {
				return err
			}
			sum, _ := FileSum(p.Dataset, i)
			f(sum, id, label)
			continue
		}
		pic, err := p.Picture(ctx, i)
		if err != nil {
			return err
		}
		h := sha256.New()
		fmt.Fprintf(h, "%d %d %d ", pic.Channels, pic.Height, pic.Width)
		h.Write(pic.Pixels)
		f([sha256.Size]byte(h.Sum(nil)), pic.ID, pic.Label)
	}
	return nil
}
