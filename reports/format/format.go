// Package format turns numbers into the text that every report shows. Reports
// format no number themselves, so that the same value reads the same in the
// terminal, in Markdown and on the page.
//
// Shares are printed in per cent, differences of shares in percentage points
// with a sign (U+2212 for minus), p with four decimals. CSV and JSON carry plain
// numbers and do not use this package.
package format

import (
	"math"
	"strconv"
	"strings"
)

// Minus is the minus sign that people read.
const Minus = "\u2212"

// Percent prints a share of 1 in per cent with two decimals: 0.9142 is "91.42".
func Percent(share float64) string { return fixed(100*share, 2) }

// Range prints two shares in per cent: "90.86 – 91.95".
func Range(lo, hi float64) string { return Percent(lo) + " – " + Percent(hi) }

// Points prints a difference of shares in percentage points, signed, with two
// decimals: -0.0241 is "−2.41". What rounds to zero has no sign.
func Points(difference float64) string { return signed(100*difference, 2) }

// Loss prints the size of a difference of shares in percentage points, without
// its sign.
func Loss(difference float64) string { return fixed(math.Abs(100*difference), 2) }

// P prints a p-value with four decimals, "<0.0001" below.
func P(p float64) string {
	if p < 0.0001 {
		return "<0.0001"
	}
	return fixed(p, 4)
}

// Equation prints "p = 0.0312" or "p < 0.0001".
func Equation(p float64) string {
	if p < 0.0001 {
		return "p < 0.0001"
	}
	return "p = " + fixed(p, 4)
}

// Milliseconds prints seconds as milliseconds with three decimals, for columns.
func Milliseconds(seconds float64) string { return fixed(1000*seconds, 3) }

// Count prints a whole number with commas: 10,000.
func Count[T int | int64](n T) string {
	s := strconv.FormatInt(int64(n), 10)
	sign := ""
	if n < 0 {
		sign, s = Minus, s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// Change prints a signed whole number; zero is "0".
func Change(n int) string {
	if n > 0 {
		return "+" + Count(n)
	}
	return Count(n)
}

// Significant prints x with three significant digits and no exponent.
func Significant(x float64) string {
	if x == 0 || math.IsNaN(x) || math.IsInf(x, 0) {
		return fixed(x, 0)
	}
	digits := 2 - int(math.Floor(math.Log10(math.Abs(x))))
	return fixed(x, max(0, digits))
}

// SI prints x with three significant digits and an SI prefix: 1.28e-3 s is
// "1.28 ms".
func SI(x float64, unit string) string {
	scale, prefix := prefixOf(x)
	return Significant(x/scale) + " " + prefix + unit
}

// Decibels prints dB with one decimal.
func Decibels(x float64) string { return fixed(x, 1) }

// Fixed prints x with a number of decimals.
func Fixed(x float64, decimals int) string { return fixed(x, decimals) }

// Plain replaces the typographic minus by "-", for machines.
func Plain(s string) string { return strings.ReplaceAll(s, Minus, "-") }

var prefixes = []struct {
	scale  float64
	prefix string
}{{1e9, "G"}, {1e6, "M"}, {1e3, "k"}, {1, ""}, {1e-3, "m"}, {1e-6, "µ"}, {1e-9, "n"}}

func prefixOf(x float64) (float64, string) {
	for _, p := range prefixes {
		// 0.9995 keeps what rounds up to 1000 out of the smaller prefix.
		if math.Abs(x) >= p.scale*0.9995 {
			return p.scale, p.prefix
		}
	}
	return 1, ""
}

func fixed(x float64, decimals int) string {
	s := strconv.FormatFloat(x, 'f', decimals, 64)
	if strings.HasPrefix(s, "-") {
		s = s[1:]
		if strings.Trim(s, "0.") != "" {
			s = Minus + s
		}
	}
	return s
}

func signed(x float64, decimals int) string {
	s := fixed(x, decimals)
	if strings.HasPrefix(s, Minus) || strings.Trim(s, "0.") == "" {
		return s
	}
	return "+" + s
}

// Words spells small whole numbers for titles: 3 is "three".
func Words(n int) string {
	words := []string{"no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"}
	if n >= 0 && n < len(words) {
		return words[n]
	}
	return Count(n)
}

// Share prints "one of six cells" in words up to twelve, "15 of 18 cells" in
// digits beyond.
func Share(k, n int, noun string) string {
	word := Words
	if n > 12 {
		word = func(n int) string { return Count(n) }
	}
	if n != 1 {
		noun += "s"
	}
	return word(k) + " of " + word(n) + " " + noun
}

// Sentence makes the first letter of s a capital one.
func Sentence(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// List joins words: "a", "a and b", "a, b and c".
func List(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " and " + words[last]
}

// Plural prints a count and its noun: "1 cell", "2,000 cells".
func Plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return Count(n) + " " + noun + "s"
}
