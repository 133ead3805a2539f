package calibrate

import (
	"context"
	"fmt"
	"slices"
)

// CollectNested gives, for each of sizes, the statistics that Collect gives for
// the first so many pictures alone, from one run over the pictures of the largest
// size. The sizes must ascend, and batches must not straddle one: a smaller size
// ends where a batch of the larger ones ends.
//
// All ranges follow the batches, so they are known for every size after the
// first pass; the second counts each picture in the ranges of all sizes that hold
// it, and the counts are exact.
func CollectNested(ctx context.Context, src Source, o Options, sizes []int) ([]*Statistics, error) {
	plan, ends, err := o.nest(sizes, src.Pictures())
	if err != nil {
		return nil, err
	}
	extents := make([][]extent, len(plan))
	err = each(ctx, len(plan), o.Workers, func(ctx context.Context, i int) error {
		e := make([]extent, src.Layers())
		extents[i] = e
		return src.Run(ctx, plan[i].From, plan[i].To, func(l int, v []float32) { e[l].add(v) })
	})
	if err != nil {
		return nil, err
	}
	n := &nested{plan: plan, ends: ends, empty: make([]*Statistics, len(sizes))}
	for k, end := range ends {
		if n.empty[k], n.doubled, err = ranges(src.Layers(), plan[:end], extents[:end]); err != nil {
			return nil, err
		}
	}
	return n.count(ctx, src, o.Workers)
}

// nest plans the batches of the largest size; ends are the numbers of batches of
// each size.
func (o Options) nest(sizes []int, pictures int) (plan []Batch, ends []int, err error) {
	if len(sizes) == 0 || !slices.IsSorted(sizes) || sizes[len(sizes)-1] > pictures {
		return nil, nil, fmt.Errorf("calibration: sizes %v of %d pictures; they must ascend and be there", sizes, pictures)
	}
	if plan, err = o.Plan(sizes[len(sizes)-1]); err != nil {
		return nil, nil, err
	}
	for _, size := range sizes {
		part, err := o.Plan(size)
		if err != nil {
			return nil, nil, err
		}
		if !slices.Equal(part, plan[:min(len(part), len(plan))]) {
			return nil, nil, fmt.Errorf("calibration: %d pictures end within a batch of %d; choose a multiple", size, o.Batch)
		}
		ends = append(ends, len(part))
	}
	return plan, ends, nil
}

// nested is the counting pass of several sizes at once.
type nested struct {
	plan []Batch
	ends []int // batches of each size
	// empty are the ranges of each size, doubled the doublings when each batch is
	// counted: of the largest size, and so of all.
	empty   []*Statistics
	doubled [][]int
}

func (n *nested) blank() []*Statistics {
	part := make([]*Statistics, len(n.empty))
	for k, s := range n.empty {
		part[k] = s.blank()
	}
	return part
}

// count runs all batches. Each goroutine counts for itself; sums of counts do
// not depend on who counted what.
func (n *nested) count(ctx context.Context, src Source, workers int) ([]*Statistics, error) {
	free := make(chan []*Statistics, max(1, workers))
	err := each(ctx, len(n.plan), workers, func(ctx context.Context, i int) error {
		var part []*Statistics
		select {
		case part = <-free:
		default:
			part = n.blank()
		}
		defer func() { free <- part }()
		return src.Run(ctx, n.plan[i].From, n.plan[i].To, func(l int, v []float32) {
			for k, end := range n.ends {
				if i < end {
					h := &part[k].Layers[l]
					h.bin(h.Counts, v, max(0, n.doubled[i][l]), n.doubled[i][l] < 0)
					h.count(v)
				}
			}
		})
	})
	if err != nil {
		return nil, err
	}
	close(free)
	all := <-free
	for part := range free {
		for k := range all {
			all[k].add(part[k])
		}
	}
	for k, end := range n.ends {
		for l := range all[k].Layers {
			all[k].Layers[l].Pictures = pictures(n.plan[:end])
		}
	}
	return all, nil
}
