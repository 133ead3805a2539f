package kernel

import (
	"math"
	"testing"
)

func TestLevel(t *testing.T) {
	names := ""
	for _, s := range Sets() {
		names += s.Name + " "
	}
	t.Logf("sets: %s; best: %s", names, Level())
	if Sets()[0].Name != "go" || Level() == "" || Best() == nil {
		t.Errorf("sets %s, best %q", names, Level())
	}
}

func TestRoundAway(t *testing.T) {
	for _, c := range []struct {
		v     int64
		shift int
		want  int64
	}{{5, 1, 3}, {-5, 1, -3}, {5, 2, 1}, {-5, 2, -1}, {6, 2, 2}, {-6, 2, -2}, {-4, 2, -1}, {7, 0, 7}, {-7, 0, -7}, {1, 63, 0}} {
		if got := RoundAway(c.v, c.shift); got != c.want {
			t.Errorf("RoundAway(%d, %d) = %d, want %d", c.v, c.shift, got, c.want)
		}
		half, away := Rounding(c.shift)
		if c.shift < 63 {
			if got := (c.v + half + (away & (c.v >> 63))) >> c.shift; got != c.want {
				t.Errorf("%d rounded by constants to 2^%d = %d, want %d", c.v, c.shift, got, c.want)
			}
		}
	}
}

func TestRoundEven(t *testing.T) {
	inf := float32(math.Inf(1))
	for y, want := range map[float32]int8{0.5: 0, 1.5: 2, -0.5: 0, -1.5: -2, 2.5: 2, 127.5: 127, 300: 127, -128.5: -128, -1000: -128, inf: 127, -inf: -128} {
		if got := RoundEven(y); got != want {
			t.Errorf("RoundEven(%g) = %d, want %d", y, got, want)
		}
	}
}
