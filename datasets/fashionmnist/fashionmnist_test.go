package fashionmnist

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
)

func TestEmbedded(t *testing.T) {
	for name, f := range map[string]struct {
		data []byte
		want string
	}{
		"t10k images":  {testImages, "cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa"},
		"t10k labels":  {testLabels, "8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05"},
		"train images": {trainImages, "7b62dc3e01c4445457afdc1b5be5dfd5f256522f8887f7ad1774b4457bef64d4"},
		"train labels": {trainLabels, "faa26431e44758c3e65807d472a4dc2d3ec438c9619df50bb269a2669813701f"},
	} {
		sum := sha256.Sum256(f.data)
		if got := hex.EncodeToString(sum[:]); got != f.want {
			t.Errorf("%s: sha256 %s, want %s", name, got, f.want)
		}
	}
	if !strings.Contains(Licence, "Zalando") || !strings.Contains(Licence, "WITHOUT WARRANTY") {
		t.Error("licence text is incomplete")
	}
}

func TestOpen(t *testing.T) {
	for split, n := range map[string]int{"test": 10000, "train": 2000} {
		d, err := Open(split)
		if err != nil {
			t.Fatal(err)
		}
		perClass := make([]int, 10)
		for i := range n {
			p, err := d.Picture(t.Context(), i)
			if err != nil {
				t.Fatal(err)
			}
			perClass[p.Label]++
		}
		if d.Info().Len != n || split == "test" && perClass[3] != 1000 {
			t.Errorf("%s: %d pictures, by class %v", split, d.Info().Len, perClass)
		}
	}
	if _, err := Open("val"); err == nil {
		t.Error("split val")
	}
}
