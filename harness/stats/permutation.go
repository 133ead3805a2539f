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
	// Rule says To in words, if it is one of the mistakes that are known.
	Rule string
}

// FindPermutation looks for the classic labelling mistake: classes that the network
// tells apart but that are numbered differently.
//
// First the mistakes that are known are tried (a shift, the order reversed, numbers
// sorted as text): one is found if it explains twice as many pictures as the labels
// do as they are, a quarter of all and 3 labels' more (some other order agrees with
// one of the 2n mistakes at about so many labels), and, where there are 4 pictures a
// label, nearly all that the best permutation does. As nothing is fitted, few
// pictures are enough: 20.
//
// Else the most frequent prediction of each label is taken. It is found if hardly
// any two labels share theirs, and it explains at least half of the pictures and
// twice as many as the labels do. With n classes and k pictures a class, a network
// that guesses explains about 1/n plus a few sqrt(1/(nk)) of the pictures by its
// best permutation, so that half is out of its reach for n > 2 unless there are only
// a few pictures; at least 4 pictures for each label that occurs, and 3 such labels,
// are required.
func (c Confusion) FindPermutation() (Permutation, bool) {
	best, unique := c.fitted()
	labels := 0
	for _, class := range best.To {
		if class >= 0 {
			labels++
		}
	}
	if labels < 3 {
		return best, false
	}
	known, few := c.known(best), best.Images < 4*labels
	if (few || known.Permuted*10 >= best.Permuted*9) && known.Images >= 20 && known.Permuted >= 2*known.Correct &&
		4*labels*known.Permuted >= (labels+12)*known.Images {
		return known, true
	}
	best.Rule = best.developmentKit()
	found := unique && !few && 2*best.Permuted >= best.Images && best.Permuted >= 2*best.Correct
	return best, found
}

// fitted takes the most frequent prediction of each label. unique means that at
// most one label in 20 shares it with another.
func (c Confusion) fitted() (p Permutation, unique bool) {
	p.To = make([]int, len(c))
	taken := make([]bool, len(c))
	labels, shared := 0, 0
	for label, row := range c {
		best := -1
		for class, n := range row {
			p.Images += n
			if n > 0 && (best < 0 || n > row[best]) {
				best = class
			}
		}
		p.To[label] = best
		p.Correct += row[label]
		if best < 0 {
			continue
		}
		labels++
		p.Permuted += row[best]
		if taken[best] {
			shared++
		}
		taken[best] = true
	}
	return p, 20*shared <= labels
}

// rule is a mistake in numbering classes: class(label) instead of label.
type rule struct {
	text  string
	class func(label int) int
}

// rules are the known mistakes with n classes.
func rules(n int) []rule {
	var list []rule
	for shift := 1; shift < n; shift++ {
		text := fmt.Sprintf("class = label + %d (modulo %d)", shift, n)
		if 2*shift > n {
			text = fmt.Sprintf("class = label - %d (modulo %d)", n-shift, n)
		}
		list = append(list, rule{text, func(label int) int { return (label + shift) % n }})
	}
	list = append(list, rule{fmt.Sprintf("class = %d - label", n-1), func(label int) int { return n - 1 - label }})
	if n <= 10 {
		return list // one digit each: sorted as text they stay in order
	}
	order, rank := make([]int, n), make([]int, n)
	for i := range order {
		order[i] = i
	}
	sort.Slice(order, func(a, b int) bool { return fmt.Sprint(order[a]) < fmt.Sprint(order[b]) })
	for i, v := range order {
		rank[v] = i
	}
	return append(list,
		rule{"labels count the classes in the order of their numbers as text (0, 1, 10, 11, ..., 2)", func(label int) int { return order[label] }},
		rule{"the network's classes are in the order of the labels as text (0, 1, 10, 11, ..., 2)", func(label int) int { return rank[label] }})
}

// known is the known mistake that explains most pictures of a matrix whose fitted
// permutation is given.
func (c Confusion) known(fitted Permutation) Permutation {
	p := fitted
	p.Permuted = 0
	var best rule
	for _, r := range rules(len(c)) {
		n := 0
		for label, row := range c {
			n += row[r.class(label)]
		}
		if n > p.Permuted {
			p.Permuted, p.Rule, best = n, r.text, r
		}
	}
	if best.class == nil {
		return p
	}
	p.To = make([]int, len(c))
	for label, class := range fitted.To {
		p.To[label] = -1
		if class >= 0 {
			p.To[label] = best.class(label)
		}
	}
	return p
}

// kit are the classes, numbered by WordNet identifier, of the first synsets of
// ILSVRC2012's development kit: n02119789, n02100735, n02110185, n02096294,
// n02102040, n02066245, n02509815, n02124075, n02417914, n02123394.
var kit = []int{278, 212, 250, 193, 217, 147, 387, 285, 350, 283}

// developmentKit recognises ImageNet's classes in the order of the development kit
// by the first of them; empty if it is something else.
func (p Permutation) developmentKit() string {
	if len(p.To) != 1000 {
		return ""
	}
	forth, back, seen := true, true, 0
	for k, class := range kit {
		if p.To[k] >= 0 && p.To[class] >= 0 {
			seen++
			forth, back = forth && p.To[k] == class, back && p.To[class] == k
		}
	}
	switch {
	case seen < 3:
		return ""
	case forth:
		return "labels are in the order of ILSVRC2012's development kit, less 1; the network's classes in that of the WordNet identifiers"
	case back:
		return "the network's classes are in the order of ILSVRC2012's development kit, less 1; labels in that of the WordNet identifiers"
	}
	return ""
}

// String says the permutation in words: the mistake if it is known, else its
// cycles, with how many pictures it explains.
func (p Permutation) String() string {
	return fmt.Sprintf("%s: right would be %d of %d instead of %d", p.kind(), p.Permuted, p.Images, p.Correct)
}

func (p Permutation) kind() string {
	if p.Rule != "" {
		return p.Rule
	}
	return "classes are renumbered " + p.cycles()
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
