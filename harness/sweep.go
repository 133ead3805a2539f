package harness

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
)

// swept reports whether a calibration spans axes of its own: several numbers of
// pictures, or several random subsets.
func (c CalibrationSpec) swept() bool { return len(c.Images) > 1 || c.Subsets > 0 }

// largest is the largest number of pictures.
func (c CalibrationSpec) largest() int {
	if len(c.Images) == 0 {
		return 0
	}
	return slices.Max(c.Images)
}

// main is the number of pictures of the cells that stand for their calibrator
// where a table has room for one: the largest that leaves half of the split's
// pictures out, so that subsets are still different pictures; or else the
// smallest.
func (c CalibrationSpec) main(split int) int {
	best := c.Images[0]
	for _, n := range c.Images {
		if c.Subsets == 0 || 2*n <= split {
			best = n
		}
	}
	return best
}

// maxSubsets bounds what a slip of the finger can ask for.
const maxSubsets = 1000

// check says what is wrong with a calibration.
func (c CalibrationSpec) check() error {
	batch := c.Batch
	if batch == 0 {
		batch = defaultBatch
	}
	for i, n := range c.Images {
		switch {
		case n < 0:
			return fmt.Errorf("images is %d; it cannot be negative", n)
		case len(c.Images) > 1 && n == 0:
			return errors.New("images has a 0 among several numbers; each needs some pictures")
		case i > 0 && n <= c.Images[i-1]:
			return fmt.Errorf("images has %d after %d; write the numbers in ascending order", n, c.Images[i-1])
		case i < len(c.Images)-1 && n%batch != 0:
			return fmt.Errorf("images has %d, which ends within a batch of %d; all but the last number must be multiples of the batch, so that smaller choices are the first batches of larger ones", n, batch)
		}
	}
	if c.Subsets > maxSubsets {
		return fmt.Errorf("subsets is %d; at most %d are an axis of a matrix", c.Subsets, maxSubsets)
	}
	if c.Subsets > 0 && c.From > 0 {
		return errors.New("from and subsets exclude each other: subsets are drawn from the whole split")
	}
	return nil
}

// sweepNames are the values that points may have in their last two fields.
func (c *Config) sweepNames() (images, subsets []string) {
	for _, d := range c.Datasets {
		if !d.Calibration.swept() {
			continue
		}
		for _, n := range d.Calibration.Images {
			images = append(images, strconv.Itoa(n))
		}
		for s := range min(d.Calibration.Subsets, maxSubsets) {
			subsets = append(subsets, strconv.Itoa(s+1))
		}
	}
	return images, subsets
}

// String says which pictures calibrate.
func (c CalibrationSpec) String() string {
	if c.Subsets > 0 {
		return fmt.Sprintf("%s pictures, %s of them in %d random subsets (seed %d), in batches of %d", c.Split, listed(c.Images), c.Subsets, c.Seed, c.Batch)
	}
	if len(c.Images) > 1 {
		return fmt.Sprintf("%s pictures from %d, %s of them, in batches of %d", c.Split, c.From, listed(c.Images), c.Batch)
	}
	return fmt.Sprintf("%s pictures %d to %d, in batches of %d", c.Split, c.From, c.From+c.largest()-1, c.Batch)
}

func listed(numbers []int) string {
	s := ""
	for i, n := range numbers {
		switch {
		case i == 0:
		case i == len(numbers)-1:
			s += " or "
		default:
			s += ", "
		}
		s += strconv.Itoa(n)
	}
	return s
}

// Expand lists the points of the configuration: those of its matrix, and for
// datasets whose calibration is swept one for each subset and number of pictures.
// Cells of one subset follow each other, because its sizes are calibrated in one
// run.
func (c *Config) Expand() []Point {
	points := c.Matrix.Expand()
	var out []Point
	for len(points) > 0 {
		n := 1
		for n < len(points) && points[n].Model == points[0].Model && points[n].Dataset == points[0].Dataset {
			n++
		}
		out = append(out, c.sweep(points[:n])...)
		points = points[n:]
	}
	return out
}

// sweep multiplies the points of one model and dataset by its calibrations.
func (c *Config) sweep(points []Point) []Point {
	spec := c.calibration(points[0].Dataset)
	if !spec.swept() {
		for i := range points {
			points[i].Images, points[i].Subset = "", ""
		}
		return points
	}
	var out []Point
	for _, p := range points {
		if !c.chooses(p) {
			p.Images, p.Subset = "", ""
			out = append(out, p)
		}
	}
	subsets := []string{""}
	if spec.Subsets > 0 {
		subsets = nil
		for s := range spec.Subsets {
			subsets = append(subsets, strconv.Itoa(s+1))
		}
	}
	for _, subset := range subsets {
		for _, size := range spec.Images {
			for _, p := range points {
				q := p
				q.Images, q.Subset = strconv.Itoa(size), subset
				given := Point{Images: p.Images, Subset: p.Subset}
				excluded := slices.ContainsFunc(c.Matrix.Exclude, func(e Point) bool { return e.matches(q) })
				if c.chooses(p) && given.matches(q) && (!excluded || given != Point{}) {
					out = append(out, q)
				}
			}
		}
	}
	return out
}

// chooses reports whether a point's scales are chosen from pictures.
func (c *Config) chooses(p Point) bool {
	spec, err := c.calibrator(p.Calibrator)
	return err == nil && spec.Name != TableCalibrator
}

// calibration is a dataset's calibration.
func (c *Config) calibration(dataset string) CalibrationSpec {
	for _, d := range c.Datasets {
		if d.Name == dataset {
			return d.Calibration
		}
	}
	return CalibrationSpec{}
}

// sizesBeside are the numbers of pictures, ascending, that the matrix combines
// with a point's model, dataset and subset.
func (c *Config) sizesBeside(p Point) []int {
	if p.Images == "" {
		return []int{c.calibratedAt(p).size}
	}
	beside := Point{Model: p.Model, Dataset: p.Dataset, Subset: p.Subset}
	var sizes []int
	for _, q := range c.Expand() {
		if size := c.calibratedAt(q).size; q.Images != "" && q.Subset == p.Subset && beside.matches(q) && !slices.Contains(sizes, size) {
			sizes = append(sizes, size)
		}
	}
	slices.Sort(sizes)
	return sizes
}
