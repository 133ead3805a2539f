package datasets

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// Problem is a picture that cannot be used, and why.
type Problem struct {
	Index int
	Err   error
}

// Check reads every picture of d and returns those that can be used and those
// that cannot. The error is of ctx only.
func Check(ctx context.Context, d Dataset) (good []int, bad []Problem, err error) {
	for i := range d.Info().Len {
		_, err := d.Picture(ctx, i)
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		if err != nil {
			bad = append(bad, Problem{i, err})
			continue
		}
		good = append(good, i)
	}
	return good, bad, nil
}

// selection is some of another dataset's pictures.
type selection struct {
	Dataset
	info Info
	at   []int
}

// Select is the pictures of d at the given indices, in that order. They keep
// their IDs. The digest is the sha256 over the digests of the single pictures.
func Select(ctx context.Context, d Dataset, indices []int) (Dataset, error) {
	s := selection{d, d.Info(), indices}
	h := sha256.New()
	for _, i := range indices {
		if i < 0 || i >= s.info.Len {
			return nil, outside(s.info, i)
		}
		one, err := Digest(ctx, d, i, i+1)
		if err != nil {
			return nil, err
		}
		h.Write([]byte(one))
	}
	s.info.Len, s.info.Digest = len(indices), hex.EncodeToString(h.Sum(nil))
	return s, nil
}

// Info describes the selection.
func (s selection) Info() Info { return s.info }

// Picture is picture i of the selection.
func (s selection) Picture(ctx context.Context, i int) (Picture, error) {
	if i < 0 || i >= len(s.at) {
		return Picture{}, outside(s.info, i)
	}
	return s.Dataset.Picture(ctx, s.at[i])
}

// Label is the class of picture i of the selection.
func (s selection) Label(i int) (int, error) {
	if i < 0 || i >= len(s.at) {
		return 0, outside(s.info, i)
	}
	return Label(context.Background(), s.Dataset, s.at[i])
}

// ID is the name of picture i.
func (s selection) ID(i int) (string, error) {
	if i < 0 || i >= len(s.at) {
		return "", outside(s.info, i)
	}
	return ID(context.Background(), s.Dataset, s.at[i])
}

// Input is picture i of the selection as a network takes it.
func (s selection) Input(ctx context.Context, i int, p Preprocess, c, h, w int, dst []byte) error {
	if i < 0 || i >= len(s.at) {
		return outside(s.info, i)
	}
	return Input(ctx, s.Dataset, s.at[i], p, c, h, w, dst)
}

// ClassCounts is how many pictures each class has. Every picture is read.
func ClassCounts(ctx context.Context, d Dataset) ([]int, error) {
	info := d.Info()
	n := make([]int, len(info.Classes))
	for i := range info.Len {
		p, err := d.Picture(ctx, i)
		if err != nil {
			return nil, err
		}
		if p.Label < 0 || p.Label >= len(n) {
			return nil, fmt.Errorf("%s: label %d, but there are %d classes", p.ID, p.Label, len(n))
		}
		n[p.Label]++
	}
	return n, nil
}
