package reports

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"flag"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"quantbench/harness/record"
	"quantbench/reports/internal/testrun"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// small has everything that a text report shows: gates, a failed and a skipped
// cell, a name that needs escaping.
func small() *record.Run {
	r := testrun.New(testrun.Shape{Models: []string{"tiny5", "tiny_18|x"}, Datasets: []string{"invented"}, Calibrators: []string{"entropy2", "minmax"}, Pictures: 500, Gates: true})
	r.Cells[4].Status, r.Cells[4].Reason = record.Failed, "deploy.prototxt:12: no scale for conv2"
	r.Cells[8].Status, r.Cells[8].Reason = record.Skipped, "the table was not found"
	return r
}

func render(t *testing.T, report Reporter, r *record.Run) string {
	t.Helper()
	var b bytes.Buffer
	if err := report(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestGolden(t *testing.T) {
	for _, tt := range []struct {
		file   string
		report Reporter
	}{{"terminal.txt", Terminal}, {"results.json", JSON}, {"results.csv", CSV}, {"report.md", Markdown}} {
		t.Run(tt.file, func(t *testing.T) {
			got := render(t, tt.report, small())
			if again := render(t, tt.report, small()); again != got {
				t.Error("two reports of the same run differ")
			}
			path := filepath.Join("testdata", tt.file)
			if *update {
				if err := os.MkdirAll("testdata", 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestJSONReadsBack(t *testing.T) {
	want := small()
	var got record.Run
	if err := json.Unmarshal([]byte(render(t, JSON, want)), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, &got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestNaNIsRefused(t *testing.T) {
	r := small()
	r.Cells[0].Top1 = math.NaN()
	for name, report := range map[string]Reporter{"json": JSON, "html": HTML} {
		if err := report(&bytes.Buffer{}, r); err == nil {
			t.Errorf("%s took NaN", name)
		}
	}
}

func TestCSVIsTidy(t *testing.T) {
	r := small()
	rows, err := csv.NewReader(strings.NewReader(render(t, CSV, r))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, row := range rows[1:] {
		key := row[0] + " " + row[10]
		if seen[key] {
			t.Errorf("%s occurs twice", key)
		}
		seen[key] = true
		if strings.Contains(strings.Join(row, ""), "−") {
			t.Errorf("row %v has a typographic minus", row)
		}
	}
	if !seen[r.Cells[1].ID+" difference"] || seen[r.Cells[0].ID+" difference"] {
		t.Error("a paired cell must have a difference, the reference none")
	}
}

func TestEmptyRun(t *testing.T) {
	for name, report := range map[string]Reporter{"terminal": Terminal, "json": JSON, "csv": CSV, "markdown": Markdown, "html": HTML} {
		if err := report(&bytes.Buffer{}, &record.Run{}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, os.ErrClosed }

func TestWriteErrorsAreReported(t *testing.T) {
	for name, report := range map[string]Reporter{"terminal": Terminal, "json": JSON, "csv": CSV, "markdown": Markdown, "html": HTML} {
		if err := report(broken{}, small()); err == nil {
			t.Errorf("%s: the error of the writer is lost", name)
		}
	}
}
