package stats

import (
	"math/rand/v2"
	"sort"
	"strconv"
	"strings"
	"testing"
)

// permuted is a confusion matrix of n classes with k pictures each, of which right
// go to the class that to gives and the others anywhere.
func permuted(n, k, right int, to func(int) int) Confusion {
	c, r := NewConfusion(n), rand.New(rand.NewPCG(1, 2))
	for label := range n {
		for i := range k {
			class := to(label)
			if i >= right {
				class = r.IntN(n)
			}
			c.Add(label, class)
		}
	}
	return c
}

func TestFindPermutation(t *testing.T) {
	text := make([]int, 12)
	for i := range text {
		text[i] = i
	}
	sort.Slice(text, func(a, b int) bool { return strconv.Itoa(text[a]) < strconv.Itoa(text[b]) })
	rank := make([]int, 12)
	for i, v := range text {
		rank[v] = i
	}
	for want, c := range map[string]Confusion{
		"class = label + 1 (modulo 10): right would be 200 of 200 instead of 0":                                                          permuted(10, 20, 20, func(l int) int { return (l + 1) % 10 }),
		"class = label - 1 (modulo 10): right would be 100 of 100 instead of 0":                                                          permuted(10, 10, 10, func(l int) int { return (l + 9) % 10 }),
		"class = 9 - label: right would be 100 of 100 instead of 0":                                                                      permuted(10, 10, 10, func(l int) int { return 9 - l }),
		"classes are renumbered 0>3>1>0, 2>4>2: right would be 50 of 50 instead of 0":                                                    permuted(5, 10, 10, func(l int) int { return []int{3, 0, 4, 1, 2}[l] }),
		"labels count the classes in the order of their numbers as text (0, 1, 10, 11, ..., 2): right would be 120 of 120 instead of 20": permuted(12, 10, 10, func(l int) int { return text[l] }),
		"the network's classes are in the order of the labels as text (0, 1, 10, 11, ..., 2): right would be 120 of 120 instead of 20":   permuted(12, 10, 10, func(l int) int { return rank[l] }),
	} {
		p, ok := c.FindPermutation()
		if !ok || p.String() != want {
			t.Errorf("%v %q, want %q", ok, p, want)
		}
	}
	noisy, ok := permuted(10, 50, 35, func(l int) int { return (l + 3) % 10 }).FindPermutation()
	if !ok || noisy.To[9] != 2 || noisy.Permuted < 350 {
		t.Errorf("%v %+v", ok, noisy)
	}
}

func TestNoPermutation(t *testing.T) {
	guess := permuted(10, 100, 0, func(int) int { return 0 })
	for name, c := range map[string]Confusion{
		"right":        permuted(10, 20, 18, func(l int) int { return l }),
		"guesses":      guess,
		"one class":    permuted(10, 20, 20, func(int) int { return 3 }),
		"two swapped":  permuted(10, 20, 20, func(l int) int { return []int{1, 0, 2, 3, 4, 5, 6, 7, 8, 9}[l] }),
		"two classes":  permuted(2, 50, 50, func(l int) int { return 1 - l }),
		"few pictures": permuted(10, 3, 3, func(l int) int { return []int{3, 0, 4, 1, 2, 7, 9, 5, 8, 6}[l] }),
		"none":         NewConfusion(10),
	} {
		if p, ok := c.FindPermutation(); ok {
			t.Errorf("%s: %v", name, p)
		}
	}
}

func TestPartialPermutation(t *testing.T) {
	c := NewConfusion(1000)
	for label := range 20 {
		for range 5 {
			c.Add(label*7, (label*7+1)%1000)
		}
	}
	if p, ok := c.FindPermutation(); !ok || p.String() != "class = label + 1 (modulo 1000): right would be 100 of 100 instead of 0" || p.To[1] != -1 {
		t.Error(p, ok)
	}
	c = NewConfusion(40)
	for label := range 40 {
		for range 4 {
			c.Add(label, label^1)
		}
	}
	if p, ok := c.FindPermutation(); !ok || p.kind() != "classes are renumbered 0>1>0, 2>3>2, 4>5>4, 6>7>6, 8>9>8, 10>11>10, 12>13>12, 14>15>14, ..." {
		t.Error(p, ok)
	}
	for _, bad := range [][2]int{{-1, 0}, {0, -1}, {40, 0}, {0, 40}} {
		if c.Add(bad[0], bad[1]) {
			t.Error(bad)
		}
	}
}

// A known mistake needs no more pictures than there are classes, and a network that
// is right three times in five is enough.
func TestKnownPermutations(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	c := NewConfusion(1000)
	for i := range 1300 {
		label, class := i%1000, (i%1000+1)%1000
		if r.IntN(10) < 4 {
			class = r.IntN(1000)
		}
		c.Add(label, class)
	}
	p, ok := c.FindPermutation()
	if !ok || p.Rule != "class = label + 1 (modulo 1000)" {
		t.Errorf("%v %v", ok, p.Rule)
	}
	kitOrder := permuted(1000, 10, 8, func(l int) int {
		if l < 10 {
			return kit[l]
		}
		return (l*7 + 3) % 1000
	})
	if p, ok := kitOrder.FindPermutation(); !ok || !strings.HasPrefix(p.String(), "labels are in the order of ILSVRC2012's development kit") {
		t.Errorf("%v %.100s", ok, p)
	}
	inverse := make([]int, 1000)
	for l := range inverse {
		inverse[l] = (l*7 + 3) % 1000
	}
	for k, class := range kit {
		inverse[class] = k
	}
	back := permuted(1000, 10, 8, func(l int) int { return inverse[l] })
	if p, ok := back.FindPermutation(); !ok || !strings.HasPrefix(p.String(), "the network's classes are in the order of ILSVRC2012's") {
		t.Errorf("%v %.100s", ok, p)
	}
}

// A network that is right is never accused, whatever its accuracy, and neither is
// one that guesses.
func TestNoKnownPermutation(t *testing.T) {
	for _, n := range []int{3, 10, 100, 1000} {
		for _, right := range []int{0, 2, 5, 10} {
			if p, ok := permuted(n, 10, right, func(l int) int { return l }).FindPermutation(); ok {
				t.Errorf("%d classes, %d of 10 right: %.100s", n, right, p)
			}
		}
	}
}
