package compare

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"quantbench/harness/record"
)

// cell makes a cell of right (1) and wrong (0) answers to pictures p0, p1, ...
func cell(id, runtime, answers string) Cell {
	a := &record.Answers{Cell: id}
	c := &record.Cell{ID: id, Model: "m", Dataset: "d", Runtime: runtime, Status: record.OK, Images: len(answers)}
	for i, r := range answers {
		a.Pictures, a.Labels = append(a.Pictures, fmt.Sprint("p", i)), append(a.Labels, 1)
		p := record.Prediction{Class: 0, Tied: 1}
		if r == '1' {
			p = record.Prediction{Class: 1, Tied: 1, Best: true}
			c.Correct++
		}
		a.Predictions = append(a.Predictions, p)
	}
	return Cell{c, a}
}

// reversed has the same answers, last picture first.
func reversed(c Cell) Cell {
	a := &record.Answers{Cell: c.ID}
	for i := len(c.Answers.Labels) - 1; i >= 0; i-- {
		a.Pictures, a.Labels = append(a.Pictures, c.Answers.Pictures[i]), append(a.Labels, c.Answers.Labels[i])
		a.Predictions = append(a.Predictions, c.Answers.Predictions[i])
	}
	return Cell{c.Cell, a}
}

func TestPairs(t *testing.T) {
	a := cell("a", "fp32", strings.Repeat("1", 20)+"0000")
	b := cell("b", "int8", strings.Repeat("1", 10)+strings.Repeat("0", 10)+"1000")
	c := cell("c", "int4", strings.Repeat("1", 19)+"00000")
	list, err := Pairs([]Pair{{a, reversed(b)}, {a, c}}, false)
	if err != nil {
		t.Fatal(err)
	}
	// By hand: 10 lost, 1 won: 2*(1+11)/2^11; 1 lost, 0 won: 2*1/2, so 1.
	p := 24.0 / 2048
	for i, want := range []record.Comparison{
		{Images: 24, CorrectA: 20, CorrectB: 11, Lost: 10, Won: 1, McNemarP: p, HolmP: 2 * p, Distinguishable: true, Difference: -9.0 / 24},
		{Images: 24, CorrectA: 20, CorrectB: 19, Lost: 1, Won: 0, McNemarP: 1, HolmP: 1, Difference: -1.0 / 24},
	} {
		g := list[i]
		if g.Images != want.Images || g.CorrectA != want.CorrectA || g.CorrectB != want.CorrectB || g.Lost != want.Lost || g.Won != want.Won || g.Distinguishable != want.Distinguishable ||
			math.Abs(g.McNemarP-want.McNemarP) > 1e-12 || math.Abs(g.HolmP-want.HolmP) > 1e-12 || math.Abs(g.Difference-want.Difference) > 1e-12 || !g.DifferenceInterval.Contains(g.Difference) {
			t.Errorf("%d: %+v", i, g)
		}
	}
}

func TestPairsErrors(t *testing.T) {
	a := cell("a", "fp32", "111111")
	short, long, other, relabelled := cell("b", "x", "11111"), cell("b", "x", "1111111"), cell("b", "x", "111111"), cell("b", "x", "111111")
	for i := range other.Answers.Pictures {
		other.Answers.Pictures[i] = fmt.Sprint("q", i)
	}
	relabelled.Answers.Labels[4] = 7
	elsewhere := cell("b", "x", "111111")
	elsewhere.Dataset = "e"
	for want, b := range map[string]Cell{
		"6 and 5, of which 5 are common; p5 is missing": short, "6 and 7, of which 6 are common": long, "no picture in common: p0 is one of the first, q0": other,
		"picture p4 has label 1 for the one and 7 for the other": relabelled, "a saw pictures of d, b of e": elsewhere,
	} {
		if _, err := Pairs([]Pair{{a, b}}, false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	for n, b := range map[int]Cell{5: short, 6: long} {
		if list, err := Pairs([]Pair{{a, b}}, true); err != nil || list[0].Images != n {
			t.Errorf("%v, %v", list, err)
		}
	}
}

func TestOf(t *testing.T) {
	a, b := cell("a", "fp32", "110"), cell("b", "x", "100")
	skipped := record.Cell{ID: "s", Status: record.Skipped}
	run := &record.Run{Cells: []record.Cell{*a.Cell, skipped, *b.Cell}}
	cells, err := Of(run, []record.Answers{*b.Answers, *a.Answers})
	if err != nil || len(cells) != 2 || cells[1].Answers.Cell != "b" {
		t.Fatal(cells, err)
	}
	if n := len(WithinGroups(cells)); n != 1 {
		t.Errorf("%d pairs", n)
	}
	if p := AgainstReference(cells[1], cells); len(p) != 1 || p[0].B.ID != "a" {
		t.Errorf("%v", p)
	}
	if _, err := Of(run, []record.Answers{*a.Answers}); err == nil || !strings.Contains(err.Error(), "cell b (m / d / x) has no predictions") {
		t.Error(err)
	}
	b.Answers.Predictions[0].Class = 5
	if _, err := Of(run, []record.Answers{*a.Answers, *b.Answers}); err == nil || !strings.Contains(err.Error(), "0 right of 3, the results 1 of 3") {
		t.Error(err)
	}
}
