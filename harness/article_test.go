package harness

import (
	"context"
	"os"
	"strings"
	"testing"

	"quantbench/configs"
	"quantbench/harness/record"
)

// The article's experiment on the real files: the float counts that its networks
// are known for, and a result in every int8 cell, the author's tables included.
func TestArticle(t *testing.T) {
	data := os.Getenv("BENCH_DATA")
	if data == "" {
		t.Skip("BENCH_DATA is not set: the article's networks and pictures do not ship")
	}
	text, _ := configs.Named("article")
	cfg, err := ParseConfig("article.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	store, err := record.OpenStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	env := Environment{DataDirs: []string{data}, Getenv: os.Getenv, Clock: SystemClock{}, Jobs: 2}
	run, err := New(cfg, env, store).Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]int{"lenet-mnist": 9731, "resnet18-cifar10": 853}
	for _, c := range run.Cells {
		t.Logf("%s %s %s %s: %d of %d", c.Model, c.Runtime, c.Calibrator, c.Mode, c.Correct, c.Images)
		if c.Model == "resnet18-imagenet" {
			if c.Status == record.Failed || c.Status == record.Skipped && !strings.Contains(c.Reason, "resnet18-imagenet") {
				t.Errorf("%s %s: %s: %s", c.Model, c.Runtime, c.Status, c.Reason)
			}
			continue // 45 MB that are not there everywhere
		}
		if c.Status != record.OK {
			t.Errorf("%s %s %s: %s: %s", c.Model, c.Runtime, c.Calibrator, c.Status, c.Reason)
		}
		if c.Runtime == FP32 && c.Correct != want[c.Model] {
			t.Errorf("%s in fp32: %d of %d, want %d", c.Model, c.Correct, c.Images, want[c.Model])
		}
		if c.Runtime != FP32 && c.Difference < -0.02 {
			t.Errorf("%s %s %s %s loses %.2f pp", c.Model, c.Runtime, c.Calibrator, c.Mode, -100*c.Difference)
		}
	}
	if len(run.Cells) != 21 {
		t.Errorf("%d cells", len(run.Cells))
	}
}
