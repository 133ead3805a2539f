package harness

import (
	"context"
	"os"
	"testing"

	"quantbench/harness/record"
)

const squeezenet = `
version: 1
models:
  - name: squeezenet
    prototxt: ${BENCH_DATA}/models/squeezenet/deploy.prototxt
    caffemodel: ${BENCH_DATA}/models/squeezenet/squeezenet_v1.1_fp16.caffemodel
    preprocess: {order: bgr, mean: [104, 117, 123]}
datasets:
  - {name: imagenet, path: "${BENCH_DATA}/imagenet/val-sample"}
matrix: {runtime: fp32}
`

// SqueezeNet on real JPEG files: from the file to the answer, within 3 pictures
// of the 946 of 1,300 that OpenCV's decoder and network get right.
func TestSqueezeNet(t *testing.T) {
	if os.Getenv("BENCH_DATA") == "" {
		t.Skip("BENCH_DATA is not set: SqueezeNet and its pictures do not ship")
	}
	if testing.Short() {
		t.Skip("runs 1,300 pictures of ImageNet's size")
	}
	store, err := record.OpenStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	env := Environment{Getenv: os.Getenv, Clock: SystemClock{}, Jobs: 2}
	run, err := New(parse(t, squeezenet), env, store).Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	c := run.Cells[0]
	t.Logf("%d of %d, %s", c.Correct, c.Images, c.Reason)
	if c.Status != record.OK || c.Images != 1300 || c.Correct < 943 || c.Correct > 949 {
		t.Errorf("%s: %d of %d, want 946 +- 3 of 1300: %s", c.Status, c.Correct, c.Images, c.Reason)
	}
}
