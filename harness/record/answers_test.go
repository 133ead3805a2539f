package record

import (
	"bytes"
	"compress/gzip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// written are answers as a file.
func written(t testing.TB, list []Answers) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := WriteAnswers(&b, list); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestAnswersRoundTrip(t *testing.T) {
	want := []Answers{
		{Cell: "aa", Pictures: []string{"x, y", "z\"\n"}, Labels: []int{3, 65535}, Predictions: []Prediction{{Class: 3, Tied: 2, Best: true, Margin: 0}, {Class: 65535, Tied: 1, Margin: 1.0 / 3}}},
		{Cell: "bb", Pictures: []string{"0"}, Labels: []int{0}, Predictions: []Prediction{{Tied: 1, Margin: 3e-39}}},
	}
	data := written(t, want)
	got, err := ReadAnswers("f", data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !bytes.Equal(data, written(t, want)) {
		t.Error("the same answers gave other bytes")
	}
	if p := AnswersPath("out/results.json"); p != "out/results.predictions.csv.gz" {
		t.Error(p)
	}
}

func TestReadAnswersErrors(t *testing.T) {
	zip := func(text string) []byte {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		z.Write([]byte(text))
		z.Close()
		return b.Bytes()
	}
	head := strings.Join(answersHead, ",") + "\n"
	whole := written(t, []Answers{{Cell: "a", Pictures: []string{"x"}, Labels: []int{1}, Predictions: []Prediction{{Tied: 1}}}})
	for want, data := range map[string][]byte{
		"f: not gzip":              []byte("cell"),
		"f:1: the header is":       zip("cell,image_id,label,pred,margin,tied,bust\n"),
		`f:2: label "-1"`:          zip(head + "a,x,-1,1,0,1,0\n"),
		`f:3: pred "65536"`:        zip(head + "a,x,1,1,0,1,0\na,y,1,65536,0,1,0\n"),
		`f:2: margin "m"`:          zip(head + "a,x,1,1,m,1,0\n"),
		`f:2: tied is "0"`:         zip(head + "a,x,1,1,0,0,0\n"),
		`f:2: best is "2"`:         zip(head + "a,x,1,1,0,1,2\n"),
		"wrong number of fields":   zip(head + "a,x\n"),
		"f: unexpected EOF; the f": whole[:len(whole)-4],
	} {
		if _, err := ReadAnswers("f", data); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// FuzzReadAnswers: what is read is written and read again the same.
func FuzzReadAnswers(f *testing.F) {
	f.Add("a,x,1,1,0.5,1,1\nb,y,2,3,0,2,0\n")
	f.Add("\n\"")
	f.Fuzz(func(t *testing.T, rows string) {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		z.Write([]byte(strings.Join(answersHead, ",") + "\n" + rows))
		z.Close()
		list, err := ReadAnswers("f", b.Bytes())
		if err != nil {
			return
		}
		again, err := ReadAnswers("f", written(t, list))
		if diff := cmp.Diff(list, again, cmp.Comparer(func(a, b float32) bool { return a == b || a != a && b != b })); err != nil || diff != "" {
			t.Errorf("%v\n%s", err, diff)
		}
	})
}

func TestSelect(t *testing.T) {
	cells := []Cell{
		{ID: "aaaa1", Model: "m", Dataset: "d", Runtime: "fp32", Status: OK},
		{ID: "aaaa2", Model: "m", Dataset: "d", Runtime: "their int8 / fast", Calibrator: "minmax", Status: OK},
		{ID: "bbbb1", Model: "m", Dataset: "d", Runtime: "nvdla-int8", Mode: "per-filter", Calibrator: "minmax", Status: OK},
		{ID: "bbbb2", Model: "m", Dataset: "d", Runtime: "nvdla-int8", Mode: "per-kernel", Calibrator: "minmax", Status: Failed, Reason: "it broke"},
	}
	for selector, want := range map[string]string{
		"fp32": "aaaa1", "m/fp32": "aaaa1", "aaaa2": "aaaa2", "bbbb1": "bbbb1", "their int8 / fast": "aaaa2", "nvdla-int8/per-filter": "bbbb1", "minmax / per-filter": "bbbb1",
		"minmax": `"minmax" means 3 cells`, "aaaa": `"aaaa" means 2 cells`, "aaa": `no cell is "aaa"`, "": `no cell is ""`, "fp32/": `no cell is "fp32/"`, "per-kernel": "has no result: it broke",
	} {
		c, err := Select(cells, selector)
		got := ""
		if err == nil {
			got = c.ID
		} else {
			got = err.Error()
		}
		if got != want && (err == nil || !strings.Contains(got, want)) {
			t.Errorf("%q: %s, want %s", selector, got, want)
		}
	}
}
