package catalogue

import (
	"errors"
	"strings"
	"testing"

	"quantbench/datasets"
)

func TestOpen(t *testing.T) {
	if d, err := Open("fashion-mnist", "train", nil); err != nil || d.Info().Len != 2000 {
		t.Error(err)
	}
	var miss *datasets.MissingError
	for _, n := range []string{"mnist", "cifar10", "imagenet", "folder"} {
		if _, err := Open(n, "test", []string{t.TempDir()}); !errors.As(err, &miss) {
			t.Errorf("%s: %v", n, err)
		}
	}
	for name, want := range map[string]string{
		"CIFAR-10": "did you mean cifar10", "fashionmnist": "did you mean fashion-mnist", "minst": "did you mean mnist", "svhn-extra": "known are",
	} {
		if _, err := Open(name, "test", nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
