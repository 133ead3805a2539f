package stats

import (
	"fmt"
	"sort"
	"strings"
)

// Confusion counts pictures by label (row) and predicted class (column).
type Confusion [][]int

// NewConfusion is an empty matrix of n classes.
func NewConfusion(n int) Confusion {
	c := make(Confusion, n)
	for i := range c {
		c[i] = make([]int, n)
	}
	return c
}

// Add counts a picture; one with a label or prediction outside the matrix is not
// counted, and false is returned.
func (c Confusion) Add(label, predicted int) bool {
	if label < 0 || label >= len(c) || predicted < 0 || predicted >= len(c) {
		return false
	}
	c[label][predicted]++
	return true
}

// Permutation is a renumbering of classes that explains the predictions.
type Permutation struct {
	// To[label] is the class that the network gives to pictures of that label; -1
	// for a label without pictures.
	To []int
	// Images are the pictures counted, Correct those that are right as labelled, and
	// Permuted those that would be right under To.
	Images, Correct, Permuted int
}

// FindPermutation looks for the classic labelling mistake: classes that the network
// tells apart but that are numbered differently. It is found if no two labels share
// their most frequent prediction, some label's is another class, and the
// permutation explains at least half of the pictures and twice as many as the
// labels do as they are.
//
// With n classes and k pictures a class, a network that guesses explains about
// 1/n plus a few sqrt(1/(nk)) of the pictures by its best permutation, so that
// half is out of its reach for n > 2 unless there are only a few pictures; at
// least 4 pictures for each label that occurs, and 3 such labels, are required.
func (c Confusion) FindPermutation() (Permutation, bool) {
	p := Permutation{To: make([]int, len(c))}
	taken := make([]bool, len(c))
	labels, moved, unique := 0, false, true
	for label, row := range c {
		best, total := -1, 0
		for class, n := range row {
			total += n
			if n > 0 && (best < 0 || n > row[best]) {
				best = class
			}
		}
		p.To[label] = best
		p.Images += total
		p.Correct += row[label]
		if best < 0 {
			continue
		}
		p.Permuted += row[best]
		labels++
		moved = moved || best != label
		unique = unique && !taken[best]
		taken[best] = true
	}
	found := unique && moved && labels >= 3 && p.Images >= 4*labels && 2*p.Permuted >= p.Images && p.Permuted >= 2*p.Correct
	return p, found
}

// String says the permutation in words: a shift by a constant, a reversal, or its
// cycles, with how many pictures it explains.
func (p Permutation) String() string {
	return fmt.Sprintf("%s: right would be %d of %d instead of %d", p.kind(), p.Permuted, p.Images, p.Correct)
}

func (p Permutation) kind() string {
	n := len(p.To)
	for shift := 1; shift < n; shift++ {
		if p.all(func(label int) int { return (label + shift) % n }) {
			if 2*shift > n {
				return fmt.Sprintf("class = label - %d (modulo %d)", n-shift, n)
			}
			return fmt.Sprintf("class = label + %d (modulo %d)", shift, n)
		}
	}
	if p.all(func(label int) int { return n - 1 - label }) {
		return fmt.Sprintf("class = %d - label", n-1)
	}
	if by, ok := p.sortedAsText(); ok {
		return by
	}
	return "classes are renumbered " + p.cycles()
}

// all reports whether the permutation is f, as far as labels occur.
func (p Permutation) all(f func(label int) int) bool {
	for label, class := range p.To {
		if class >= 0 && class != f(label) {
			return false
		}
	}
	return true
}

// sortedAsText recognises classes that were numbered in the order of their numbers
// as text (0, 1, 10, 11, ..., 2), as folders named by number are listed.
func (p Permutation) sortedAsText() (string, bool) {
	order := make([]int, len(p.To))
	for i := range order {
		order[i] = i
	}
	sort.Slice(order, func(a, b int) bool { return fmt.Sprint(order[a]) < fmt.Sprint(order[b]) })
	rank := make([]int, len(order))
	for i, v := range order {
		rank[v] = i
	}
	if p.all(func(label int) int { return order[label] }) {
		return "labels count the classes in the order of their numbers as text (0, 1, 10, 11, ..., 2)", true
	}
	if p.all(func(label int) int { return rank[label] }) {
		return "the network's classes are in the order of the labels as text (0, 1, 10, 11, ..., 2)", true
	}
	return "", false
}

// cycles writes "0>3>0, 1>2>1", the first eight only.
func (p Permutation) cycles() string {
	var out []string
	seen := make([]bool, len(p.To))
	for start := range p.To {
		if seen[start] || p.To[start] == start || p.To[start] < 0 {
			continue
		}
		cycle := fmt.Sprint(start)
		for at := start; at >= 0 && !seen[at]; at = p.To[at] {
			seen[at] = true
			if p.To[at] >= 0 {
				cycle += fmt.Sprintf(">%d", p.To[at])
			}
		}
		if len(out) == 8 {
			return strings.Join(append(out, "..."), ", ")
		}
		out = append(out, cycle)
	}
	return strings.Join(out, ", ")
}
