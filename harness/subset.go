package harness

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"strconv"

	"quantbench/datasets"
)

// calibrated is the calibration of a point: which pictures, how many.
type calibrated struct {
	CalibrationSpec
	size, subset int // subset 0: in the split's order
}

// calibratedAt is the calibration of a point.
func (c *Config) calibratedAt(p Point) calibrated {
	at := calibrated{CalibrationSpec: c.calibration(p.Dataset)}
	at.size = at.largest()
	if n, err := strconv.Atoi(p.Images); err == nil {
		at.size = n
	}
	at.subset, _ = strconv.Atoi(p.Subset) // empty is 0
	return at
}

// pictures is how the key of a calibration names its pictures.
func (c calibrated) pictures() string {
	if c.subset > 0 {
		return fmt.Sprintf("%d of seed %d, subset %d", c.size, c.Seed, c.subset)
	}
	return fmt.Sprintf("%d:%d", c.From, c.From+c.size)
}

// open gives the first n pictures of the calibration.
func (c calibrated) open(d datasets.Dataset, n int) stretch {
	if c.subset == 0 {
		return stretch{d, c.From, c.From + n}
	}
	var k key
	k.add("dataset", d.Info().Digest)
	k.add("subset", fmt.Sprintf("seed %d, subset %d", c.Seed, c.subset))
	return stretch{picked{d, draw(d.Info().Len, n, c.Seed, c.subset), k.sum()}, 0, n}
}

// draw chooses n of all pictures in random order, without repeats: Fisher and
// Yates' shuffle from the front, stopped after n, with PCG-DXSM (seed, subset) as
// the generator. A smaller n gives the first of a larger one. Place i is swapped
// with place i + x mod (all-i), where x is the generator's next 64 bits; values of
// x from the last multiple of all-i on are left out, so that all places are
// equally likely.
func draw(all, n, seed, subset int) []int {
	source := rand.NewPCG(uint64(seed), uint64(subset))
	order := make([]int, all)
	for i := range order {
		order[i] = i
	}
	for i := range n {
		m := uint64(all - i)
		rest := -m % m // of 2^64 by m
		x := source.Uint64()
		for rest != 0 && x >= -rest {
			x = source.Uint64()
		}
		j := i + int(x%m)
		order[i], order[j] = order[j], order[i]
	}
	return order[:n]
}

// picked is a dataset of chosen pictures of another.
type picked struct {
	datasets.Dataset
	at     []int
	digest string // of the dataset and the order, not of the number
}

// Info is the whole dataset's, with the number of chosen pictures and a digest of
// the choice.
func (p picked) Info() datasets.Info {
	info := p.Dataset.Info()
	info.Len, info.Digest = len(p.at), p.digest
	return info
}

// Picture is the i-th chosen picture.
func (p picked) Picture(ctx context.Context, i int) (datasets.Picture, error) {
	return p.Dataset.Picture(ctx, p.at[i])
}

// Label is the i-th chosen picture's.
func (p picked) Label(i int) (int, error) {
	return datasets.Label(context.Background(), p.Dataset, p.at[i])
}

// Input is the i-th chosen picture's, by the short way if its set has one.
func (p picked) Input(ctx context.Context, i int, pre datasets.Preprocess, c, h, w int, dst []byte) error {
	return datasets.Input(ctx, p.Dataset, p.at[i], pre, c, h, w, dst)
}

// ID is the i-th chosen picture's.
func (p picked) ID(i int) (string, error) {
	return datasets.ID(context.Background(), p.Dataset, p.at[i])
}

// FileSum is the i-th chosen picture's, if they are files.
func (p picked) FileSum(i int) ([sha256.Size]byte, bool) {
	return datasets.FileSum(p.Dataset, p.at[i])
}
