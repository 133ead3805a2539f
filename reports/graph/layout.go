package graph

import (
	"cmp"
	"slices"
)

// Sizes in px of the drawing.
const (
	lineHeight = 14.0
	boxPad     = 6.0
	between    = 26.0 // rows
	gap        = 22.0 // boxes of a row
	margin     = 8.0
	letter     = 6.1  // an average letter of 11 px
	bold       = 1.15 // a bold letter against an ordinary one
	widest     = 34   // letters of a line; longer ones are cut
)

// place is a box, or a passing point of an edge that spans several rows.
type place struct {
	box           int // -1 for a passing point
	row           int
	x, y          float64 // centre, top
	width, height float64
	up, down      []int // neighbouring places one row above and below
}

// layout is a layered drawing: the row of a box is its longest distance from the
// input.
type layout struct {
	places []place
	rows   [][]int // places by row, left to right
	at     []int   // place of each box
}

func arrange(list []box, sizes [][2]float64) *layout {
	l := &layout{at: make([]int, len(list))}
	row := make([]int, len(list))
	for b, x := range list {
		for _, f := range x.from {
			row[b] = max(row[b], row[f]+1)
		}
		l.at[b] = l.add(place{box: b, row: row[b], width: sizes[b][0], height: sizes[b][1]})
	}
	for b, x := range list {
		for _, f := range x.from {
			l.connect(l.at[f], l.at[b])
		}
	}
	l.order()
	l.position()
	return l
}

func (l *layout) add(p place) int {
	for len(l.rows) <= p.row {
		l.rows = append(l.rows, nil)
	}
	l.places = append(l.places, p)
	l.rows[p.row] = append(l.rows[p.row], len(l.places)-1)
	return len(l.places) - 1
}

// connect joins two places, through a passing point in each row between.
func (l *layout) connect(from, to int) {
	last := from
	for r := l.places[from].row + 1; r < l.places[to].row; r++ {
		next := l.add(place{box: -1, row: r, width: 4})
		l.link(last, next)
		last = next
	}
	l.link(last, to)
}

func (l *layout) link(a, b int) {
	l.places[a].down = append(l.places[a].down, b)
	l.places[b].up = append(l.places[b].up, a)
}

// order sorts each row by the mean place of its neighbours above, then below,
// several times, which leaves few crossings.
func (l *layout) order() {
	index := make([]float64, len(l.places))
	number := func() {
		for _, row := range l.rows {
			for i, p := range row {
				index[p] = float64(i)
			}
		}
	}
	sort := func(row []int, near func(place) []int) {
		slices.SortStableFunc(row, func(a, b int) int {
			return cmp.Compare(mean(index, near(l.places[a]), index[a]), mean(index, near(l.places[b]), index[b]))
		})
		number()
	}
	number()
	for range 4 {
		for r := range l.rows {
			sort(l.rows[r], func(p place) []int { return p.up })
		}
		for r := len(l.rows) - 1; r >= 0; r-- {
			sort(l.rows[r], func(p place) []int { return p.down })
		}
	}
}

// mean is the average of v at the given places; without any, or.
func mean(v []float64, at []int, or float64) float64 {
	if len(at) == 0 {
		return or
	}
	sum := 0.0
	for _, i := range at {
		sum += v[i]
	}
	return sum / float64(len(at))
}

// position gives every place its x and y: as near to its neighbours as the
// boxes' widths allow.
func (l *layout) position() {
	x := make([]float64, len(l.places))
	for pass := range 8 {
		for i := range l.rows {
			r, near := i, func(p place) []int { return p.up }
			if pass%2 == 1 {
				r, near = len(l.rows)-1-i, func(p place) []int { return p.down }
			}
			l.spread(l.rows[r], near, x)
		}
	}
	left := 0.0
	for i, p := range l.places {
		left = min(left, x[i]-p.width/2)
	}
	y := margin
	for _, row := range l.rows {
		high := 0.0
		for _, p := range row {
			l.places[p].x, l.places[p].y = x[p]-left+margin, y
			high = max(high, l.places[p].height)
		}
		for _, p := range row {
			if l.places[p].box < 0 {
				l.places[p].height = high
			}
		}
		y += high + between
	}
}

// spread moves the places of a row to the mean of their neighbours, and apart
// where they would overlap: the nearest such positions in least squares (pool
// adjacent violators).
func (l *layout) spread(row []int, near func(place) []int, x []float64) {
	type pool struct{ sum, n float64 }
	var pools []pool
	offset := make([]float64, len(row))
	for i, p := range row {
		if i > 0 {
			offset[i] = offset[i-1] + (l.places[row[i-1]].width+l.places[p].width)/2 + gap
		}
		pools = append(pools, pool{mean(x, near(l.places[p]), x[p]) - offset[i], 1})
		for n := len(pools); n > 1 && pools[n-2].sum/pools[n-2].n > pools[n-1].sum/pools[n-1].n; n = len(pools) {
			pools[n-2] = pool{pools[n-2].sum + pools[n-1].sum, pools[n-2].n + pools[n-1].n}
			pools = pools[:n-1]
		}
	}
	i := 0
	for _, p := range pools {
		for range int(p.n) {
			x[row[i]] = p.sum/p.n + offset[i]
			i++
		}
	}
}

// size is the drawing's width and height.
func (l *layout) size() (w, h float64) {
	for _, p := range l.places {
		w, h = max(w, p.x+p.width/2), max(h, p.y+p.height)
	}
	return w + margin, h + margin
}
