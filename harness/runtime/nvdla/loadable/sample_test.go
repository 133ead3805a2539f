package loadable

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the files in testdata")

// TestSampleFile keeps testdata/pool.nvdla, the one loadable that the repository
// holds, as this package's builder makes it: a 2x2 max pooling of one channel,
// then softmax on the CPU. Stories of the command line run it.
func TestSampleFile(t *testing.T) {
	path := filepath.Join("testdata", "pool.nvdla")
	want := plainSample().file()
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what the builder makes; run go test -run Sample -update", path)
	}
}
