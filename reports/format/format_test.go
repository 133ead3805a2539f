package format

import "testing"

func TestNumbers(t *testing.T) {
	tests := []struct{ got, want string }{
		{Percent(0.9142), "91.42"},
		{Percent(1), "100.00"},
		{Range(0.9086, 0.9195), "90.86 – 91.95"},
		{Points(-0.0241), "−2.41"},
		{Points(0.0001), "+0.01"},
		{Points(-0.00001), "0.00"},
		{Points(0), "0.00"},
		{Loss(-0.0241), "2.41"},
		{P(0.05248), "0.0525"},
		{P(0.00009), "<0.0001"},
		{P(1), "1.0000"},
		{Equation(0.00001), "p < 0.0001"},
		{Equation(0.5), "p = 0.5000"},
		{Milliseconds(0.0012837), "1.284"},
		{Count(0), "0"},
		{Count(999), "999"},
		{Count(1234567), "1,234,567"},
		{Count(int64(-1234)), "−1,234"},
		{Change(41), "+41"},
		{Change(0), "0"},
		{Change(-3), "−3"},
		{Significant(0.0012837), "0.00128"},
		{Significant(12.84), "12.8"},
		{Significant(0), "0"},
		{Significant(-1234), "−1234"},
		{SI(1.284e-3, "s"), "1.28 ms"},
		{SI(41.2e-6, "s"), "41.2 µs"},
		{SI(2.3e6, "MAC"), "2.30 MMAC"},
		{SI(0, "s"), "0 s"},
		{Decibels(32.04), "32.0"},
		{Fixed(-1.005, 1), "−1.0"},
		{Plain("−2.41"), "-2.41"},
		{Words(6), "six"},
		{Words(13), "13"},
		{Share(1, 6, "cell"), "one of six cells"},
		{Share(1, 1, "cell"), "one of one cell"},
		{Share(5, 18, "int8 cell"), "5 of 18 int8 cells"},
		{Sentence("one of"), "One of"},
		{Sentence(""), ""},
		{List(nil), ""},
		{List([]string{"a"}), "a"},
		{List([]string{"a", "b", "c"}), "a, b and c"},
		{Plural(1, "cell"), "1 cell"},
		{Plural(2000, "cell"), "2,000 cells"},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
}
