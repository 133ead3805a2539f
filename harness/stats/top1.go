package stats

import (
	"fmt"
	"math"
)

// Top1 counts correct pictures, with ties told apart: int8 scores are often equal.
type Top1 struct {
	Images  int
	Correct int // the tied class of lowest index is the answer
	Ties    int // pictures whose best score is shared
	Best    int // correct if ties go to the label
	Worst   int // correct if ties go against the label
	// Expected is how many are correct on average if ties are broken at random.
	Expected float64
	// NaNs counts pictures with a score that is no number; such scores rank last.
	NaNs int
}

// Outcome is how one picture was classified.
type Outcome struct {
	Predicted int     // class of the largest score, the lowest index of equals
	Tied      int     // classes with the largest score, at least 1
	Share     float64 // 1/Tied if the label is among them, else 0
	NaN       bool
}

// Classify ranks one picture's scores.
func Classify(scores []float32, label int) Outcome {
	o := Outcome{Predicted: -1}
	best := float32(math.Inf(-1))
	in := false
	for i, s := range scores {
		if s != s {
			o.NaN = true
			continue
		}
		if o.Predicted < 0 || s > best {
			o.Predicted, o.Tied, best, in = i, 0, s, false
		}
		if s == best {
			o.Tied++
			in = in || i == label
		}
	}
	if o.Predicted < 0 { // nothing but NaN: every class is as good
		return Outcome{Predicted: 0, Tied: len(scores), NaN: true}
	}
	if in {
		o.Share = 1 / float64(o.Tied)
	}
	return o
}

// Add counts one picture.
func (t *Top1) Add(scores []float32, label int) Outcome {
	o := Classify(scores, label)
	t.Count(o, label)
	return o
}

// Count counts one classified picture.
func (t *Top1) Count(o Outcome, label int) {
	t.Images++
	t.Expected += o.Share
	count(&t.Correct, o.Predicted == label && o.Share > 0)
	count(&t.Ties, o.Tied > 1)
	count(&t.Best, o.Share > 0)
	count(&t.Worst, o.Share == 1)
	count(&t.NaNs, o.NaN)
}

func count(n *int, yes bool) {
	if yes {
		*n++
	}
}

// Merge adds the pictures that another worker counted.
func (t *Top1) Merge(o Top1) {
	t.Images += o.Images
	t.Correct += o.Correct
	t.Ties += o.Ties
	t.Best += o.Best
	t.Worst += o.Worst
	t.Expected += o.Expected
	t.NaNs += o.NaNs
}

// Accuracy is Correct/Images, 0 without pictures.
func (t Top1) Accuracy() float64 { return t.rate(float64(t.Correct)) }

// Bounds are the accuracies with ties broken against, at random and for the network.
func (t Top1) Bounds() (worst, expected, best float64) {
	return t.rate(float64(t.Worst)), t.rate(t.Expected), t.rate(float64(t.Best))
}

func (t Top1) rate(k float64) float64 {
	if t.Images == 0 {
		return 0
	}
	return k / float64(t.Images)
}

// Interval is Wilson's 95 % interval of the accuracy.
func (t Top1) Interval() Interval { return Wilson(t.Correct, t.Images, Confidence) }

// Warnings tell of ties that move the accuracy by more than a tenth of its
// interval, and of scores that are no numbers.
func (t Top1) Warnings() []error {
	var w []error
	i := t.Interval()
	if spread := t.rate(float64(t.Best - t.Worst)); spread > (i.Hi-i.Lo)/10 {
		w = append(w, fmt.Errorf("%d of %d pictures have tied best scores: top-1 is %.4f to %.4f depending on how ties are broken",
			t.Ties, t.Images, t.rate(float64(t.Worst)), t.rate(float64(t.Best))))
	}
	if t.NaNs > 0 {
		w = append(w, fmt.Errorf("%d of %d pictures have scores that are no numbers", t.NaNs, t.Images))
	}
	return w
}
