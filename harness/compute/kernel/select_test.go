//go:build amd64 && !purego

package kernel

import "testing"

func TestChoose(t *testing.T) {
	all := []*Set{plain, narrow, avx512}
	for name, want := range map[string]*Set{"": avx512, "avx512": avx512, "avx2": narrow, "go": plain, "mmx": avx512} {
		if got := choose(all, name); got != want {
			t.Errorf("BENCH_CPU=%q chooses %s, want %s", name, got.Name, want.Name)
		}
	}
	if got := choose(all[:2], "avx512"); got != narrow {
		t.Errorf("a level that the machine lacks chooses %s, want %s", got.Name, narrow.Name)
	}
}
