package diagnose

import (
	"errors"
	"fmt"
	"testing"
)

func TestDidYouMean(t *testing.T) {
	known := []string{"fp32", "tensorrt-int8", "nvdla-int8"}
	for name, want := range map[string]string{
		"nvdla":     `; did you mean "nvdla-int8"?`,
		"tensorrt8": `; did you mean "tensorrt-int8"?`,
		"xyz":       `; known are ["fp32" "tensorrt-int8" "nvdla-int8"]`,
	} {
		if got := DidYouMean(name, known); got != want {
			t.Errorf("DidYouMean(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestFindingError(t *testing.T) {
	f := Finding{Code: "NV204", Severity: Warning, Fact: "it saturates", Where: "conv1", Advice: "raise the scale"}
	if got, want := f.Error(), "conv1: NV204: it saturates; raise the scale"; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
	if got := FromError(fmt.Errorf("wrapped: %w", f), "X"); got != f {
		t.Errorf("FromError lost the finding: %+v", got)
	}
	if got := FromError(errors.New("plain"), "RT001"); got.Code != "RT001" || got.Fact != "plain" || got.Severity != Warning {
		t.Errorf("FromError of a plain error: %+v", got)
	}
}
