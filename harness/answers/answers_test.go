package answers

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"quantbench/harness/record"
)

const (
	asInt   = `[{"seq_id":0,"qsl_idx":1,"data":"02000000"},` + "\n" + `{"seq_id":1,"qsl_idx":0,"data":"08020000"}]`
	asFloat = `[` + "\n" + ` {"data":"00000040","qsl_idx":1,"seq_id":0},` + "\n" + ` {"data":"00000244","qsl_idx":0,"seq_id":1}` + "\n]\n"
	asLong  = `[{"seq_id":0,"qsl_idx":1,"data":"0200000000000000"},{"seq_id":1,"qsl_idx":0,"data":"0802000000000000"}]`
	asCSV   = "image_id,label,pred,margin\nb.png,2,2,0.5\na.png,520,3,\n"
	asJSON  = `{"image_id":"b.png","label":2,"pred":2}` + "\n\n" + `{"image_id":0,"pred":520.0,"margin":1}` + "\n"
)

// zipped is text as gzip.
func zipped(text string) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write([]byte(text))
	z.Close()
	return b.Bytes()
}

func TestRead(t *testing.T) {
	for name, tt := range map[string]struct {
		data     []byte
		format   Format
		encoding Encoding
		want     string
	}{
		"int32":                      {[]byte(asInt), MLPerf, Int32, "1:1=2/-1/0 2:0=520/-1/0"},
		"float32":                    {[]byte(asFloat), MLPerf, Float32, "2:1=2/-1/0 3:0=520/-1/0"},
		"int64":                      {[]byte(asLong), MLPerf, Int64, "1:1=2/-1/0 1:0=520/-1/0"},
		"gzip":                       {zipped(asInt), MLPerf, Int32, "1:1=2/-1/0 2:0=520/-1/0"},
		"csv":                        {[]byte(asCSV), CSV, "", "2:b.png=2/2/0.5 3:a.png=3/520/0"},
		"other names, other columns": {[]byte("\xef\xbb\xbfFilename;x;Predicted\r\nq.png;9;7\r\n"), CSV, "", "2:q.png=7/-1/0"},
		"jsonl":                      {[]byte(asJSON), JSONL, "", "1:b.png=2/2/0 3:0=520/-1/1"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Read("f", tt.data, Options{})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, a := range s.Answers {
				got = append(got, fmt.Sprintf("%d:%s=%d/%d/%v", a.Line, a.ID, a.Class, a.Label, a.Margin))
			}
			if g := strings.Join(got, " "); g != tt.want || s.Format != tt.format || s.Encoding != tt.encoding || len(s.SHA256) != 64 {
				t.Errorf("%s, %s %s", g, s.Format, s.Encoding)
			}
		})
	}
}

func TestReadErrors(t *testing.T) {
	whole := zipped(strings.Replace(asInt, "\n", strings.Repeat("\n", 3000), 1))
	for name, tt := range map[string]struct {
		data string
		o    Options
		want string
	}{
		"cut gzip":        {string(whole[:len(whole)-12]), Options{}, "f:"},
		"gzip header":     {"\x1f\x8b\x00", Options{}, "f: damaged gzip header"},
		"cut log":         {asInt[:len(asInt)-20], Options{}, "f:2: the log ends before its closing ], after 1 entries"},
		"no end":          {asInt[:len(asInt)-1], Options{}, "f:2: the log ends before its closing ], after 2 entries"},
		"more":            {asInt + "[]", Options{}, "f:2: something follows the end"},
		"not json":        {"[{]", Options{}, "f:1: not an entry"},
		"performance log": {`[{"seq_id":1,"qsl_idx":3}]`, Options{}, "f:1: an entry without qsl_idx or data"},
		"negative":        {`[{"qsl_idx":-3,"data":"00000000"}]`, Options{}, "f:1: qsl_idx is -3"},
		"scores":          {`[{"qsl_idx":3,"data":"000000000000000000000000"}]`, Options{}, "is not the hex of one number"},
		"wrong type":      {asInt, Options{Encoding: Float32}, `f:1: data "02000000" is no class as float32 (it is as int32 2, as float32 2.8026e-45)`},
		"mixed types":     {"[" + `{"qsl_idx":0,"data":"02000000"},` + "\n" + `{"qsl_idx":1,"data":"00000244"}]`, Options{}, `f:2: data "00000244" is no class in any data type`},
		"type for csv":    {asCSV, Options{Encoding: Int32}, "belongs to an MLPerf log"},
		"format":          {asCSV, Options{Format: "cvs"}, `f: unknown format "cvs"`},
		"log, not array":  {"{}", Options{Format: MLPerf}, "f:1: an MLPerf accuracy log is a JSON array"},
		"empty":           {"", Options{}, "f: the file is empty"},
		"empty log":       {"[]", Options{}, "f: no answers in it, read as mlperf"},
		"no pred":         {"image_id,label\n", Options{}, `f:1: no column pred in the header "image_id,label"`},
		"no picture":      {"label,pred\n", Options{}, "f:1: no column image_id"},
		"two preds":       {"image_id,pred,class\n", Options{}, "f:1: two columns say pred"},
		"columns":         {asCSV + "c.png,1\n", Options{}, "f:4: not a line of CSV"},
		"class":           {"id,pred\na,1.5\n", Options{}, `f:2: pred is "1.5"`},
		"label":           {"id,pred,label\na,1,-1\n", Options{}, `f:2: label is "-1"`},
		"margin":          {"id,pred,margin\na,1,-1\n", Options{}, `f:2: margin is "-1"`},
		"no id":           {"id,pred\n,1\n", Options{}, "f:2: no image_id"},
		"no object":       {"{\"id\":1,\"pred\":2}\n[1]\n", Options{}, "f:2: not a JSON object"},
		"two fields":      {`{"id":1,"pred":2,"class":3}`, Options{}, "f:1: two fields say pred"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Read("f", []byte(tt.data), tt.o)
			var e *Error
			if !errors.As(err, &e) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

func TestReadLabels(t *testing.T) {
	for _, text := range []string{"a.png 3\nb.png 0\n", "a.png,3\r\nb.png,0", "\na.png\t3\n\nb.png\t0\n"} {
		l, err := ReadLabels("l", []byte(text))
		if err != nil || fmt.Sprint(l.Pictures, l.Labels, l.Classes) != "[a.png b.png] [3 0] 4" {
			t.Errorf("%q: %+v, %v", text, l, err)
		}
	}
	if l, err := ReadLabels("l", zipped("3\n0\n")); err != nil || fmt.Sprint(l.Pictures, l.Labels) != "[0 1] [3 0]" {
		t.Errorf("%+v, %v", l, err)
	}
	for text, want := range map[string]string{
		"":                 "l: no labels in it",
		"a 1\na 2\n":       "l:2: picture a has a label already, in line 1",
		"a x\n":            `l:1: "a x" is not`,
		"a 1 2\n":          "l:1:",
		"a 70000\n":        "l:1:",
		"1\n1000\n500\n":   "ILSVRC's own ground truth",
		"\x1f\x8b\x08\x00": "l: damaged gzip header",
	} {
		if _, err := ReadLabels("l", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func TestMatch(t *testing.T) {
	truth := &Truth{File: "l", Pictures: []string{"set/a.png", "set/b.png", "set/c.png"}, Labels: []int{0, 1, 2}, Classes: 3}
	for name, tt := range map[string]struct {
		data  string
		allow Allow
		want  string // answers, or an error
	}{
		"by name":   {"id,pred\nset/c.png,2\nset/a.png,1\nset/b.png,1\n", Allow{}, "[set/a.png set/b.png set/c.png] [0 1 2] [{1 1 false 0} {1 1 true 0} {2 1 true 0}]"},
		"by base":   {"id,pred\nx/c.png,2\na,1\nb.png,1\n", Allow{}, "[set/a.png set/b.png set/c.png] [0 1 2] [{1 1 false 0} {1 1 true 0} {2 1 true 0}]"},
		"by index":  {"id,pred\n2,2\n0,1\n1,1\n", Allow{}, "[set/a.png set/b.png set/c.png] [0 1 2] [{1 1 false 0} {1 1 true 0} {2 1 true 0}]"},
		"a part":    {"id,pred\n2,2\n", Allow{Partial: true}, "[set/c.png] [2] [{2 1 true 0}]"},
		"more":      {"id,pred\n2,2\n0,0\n1,0\n3,7\n", Allow{Extra: true}, "[set/a.png set/b.png set/c.png] [0 1 2] [{0 1 true 0} {0 1 false 0} {2 1 true 0}]"},
		"twice":     {"id,pred\na.png,0\n2,2\n0,0\n", Allow{}, "f:4: picture 0 is answered twice, in line 2 too"},
		"unknown":   {"id,pred\na.png,0\nd.png,2\n", Allow{}, "f:3: picture d.png is not among the 3 of l"},
		"too far":   {"id,pred\n3,0\n", Allow{}, "f:2: picture 3 is not among"},
		"missing":   {"id,pred\n0,0\n2,0\n", Allow{}, "f: 2 answers for 3 pictures of l; the first without answer is 1 (set/b.png)"},
		"label":     {"id,pred,label\n0,0,1\n", Allow{}, "f:2: picture 0 has label 1 here and 0 in l"},
		"no class":  {"id,pred\n0,3\n", Allow{}, "f:2: answer 3 to picture 0; there are 3 classes"},
		"log, name": {`[{"qsl_idx":0,"data":"00000000"},{"qsl_idx":0,"data":"00000000"}]`, Allow{}, "f:1: picture 0 is answered twice, in line 1 too"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Read("f", []byte(tt.data), Options{})
			if err != nil {
				t.Fatal(err)
			}
			a, err := s.Match(truth, tt.allow)
			got := fmt.Sprint(err)
			if err == nil {
				got = fmt.Sprint(a.Pictures, a.Labels, a.Predictions)
			}
			if !strings.HasPrefix(got, tt.want) {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}

func TestOwnTruth(t *testing.T) {
	s, err := Read("f", []byte(asCSV), Options{})
	if err != nil || !s.Labelled() {
		t.Fatal(err)
	}
	own, err := s.OwnTruth()
	if err != nil || own.Classes != 521 {
		t.Fatal(own, err)
	}
	if a, err := s.Match(own, Allow{}); err != nil || !a.Predictions[0].Best || a.Predictions[1].Best {
		t.Error(a, err)
	}
	for text, want := range map[string]string{"id,pred\na,1\n": "f:2: picture a has no label", "id,pred,label\na,1,1\na,1,1\n": "f:3: picture a is answered twice"} {
		s, err := Read("f", []byte(text), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.OwnTruth(); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestRestrict(t *testing.T) {
	a := &record.Answers{Pictures: []string{"a.png", "b.png", "7"}, Labels: []int{0, 1, 2}, Predictions: make([]record.Prediction, 3)}
	a.Predictions[1].Class = 9
	got, err := Restrict(a, "f", &Truth{File: "d", Pictures: []string{"val/b.png"}, Labels: []int{1}}, false)
	if err != nil || fmt.Sprint(got.Pictures, got.Labels, got.Predictions[0].Class) != "[val/b.png] [1] 9" {
		t.Error(got, err)
	}
	if _, err := Restrict(a, "f", &Truth{File: "d", Pictures: []string{"val/b.png"}, Labels: []int{2}}, false); err == nil || !strings.Contains(err.Error(), "label 1 in its labels and 2 in d") {
		t.Error(err)
	}
	both := &Truth{File: "d", Pictures: []string{"x", "a"}, Labels: []int{0, 0}}
	if _, err := Restrict(a, "f", both, false); err == nil || !strings.Contains(err.Error(), "no answer to 1 of the 2 pictures of d; the first is x") {
		t.Error(err)
	}
	if got, err := Restrict(a, "f", both, true); err != nil || len(got.Labels) != 1 {
		t.Error(got, err)
	}
}

// The published counts of ten MLPerf submissions, exactly.
func TestMLPerfCounts(t *testing.T) {
	dir := os.Getenv("BENCH_DATA")
	if dir == "" {
		t.Skip("BENCH_DATA is not set: MLPerf's logs are not part of the repository")
	}
	read := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	labels, err := ReadLabels("val.txt", read("imagenet/val.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var list []struct {
		File, Dtype string
		Good        int
	}
	if err := json.Unmarshal(read("mlperf/index.json"), &list); err != nil || len(list) != 10 {
		t.Fatal(len(list), err)
	}
	encodings := map[string]Encoding{"f32": Float32, "i32": Int32}
	for _, x := range list {
		data := read("mlperf/" + x.File)
		s, err := Read(x.File, data, Options{})
		if err != nil {
			t.Error(err)
			continue
		}
		a, err := s.Match(labels, Allow{})
		if err != nil {
			t.Error(err)
			continue
		}
		good := 0
		for i, p := range a.Predictions {
			if p.Correct(a.Labels[i]) {
				good++
			}
		}
		if good != x.Good || len(a.Labels) != 50000 || s.Encoding != encodings[x.Dtype] {
			t.Errorf("%s: %d of %d right as %s, want %d as %s", x.File, good, len(a.Labels), s.Encoding, x.Good, x.Dtype)
		}
		if _, err := Read(x.File, data[:len(data)/2], Options{}); err == nil {
			t.Errorf("%s: half of it was read", x.File)
		}
	}
}

// FuzzRead: no input panics, and what is read is in range and matches itself.
func FuzzRead(f *testing.F) {
	for _, s := range []string{asInt, asFloat, asLong, asCSV, asJSON, "[", "{", "id\tpred\n0\t1"} {
		f.Add([]byte(s), "")
	}
	f.Add(zipped(asInt), "mlperf")
	f.Fuzz(func(t *testing.T, data []byte, format string) {
		s, err := Read("f", data, Options{Format: Format(format)})
		if err != nil {
			var e *Error
			if !errors.As(err, &e) {
				t.Errorf("error without a place: %v", err)
			}
			return
		}
		lines := bytes.Count(data, []byte("\n")) + 1
		for _, a := range s.Answers {
			if a.Class < 0 || a.Class >= maxClasses || a.Label < -1 || a.Label >= maxClasses || a.ID == "" || a.Line < 1 ||
				a.Line > lines && data[0] != 0x1f {
				t.Fatalf("%+v of %d lines", a, lines)
			}
		}
		if own, err := s.OwnTruth(); err == nil {
			if a, err := s.Match(own, Allow{}); s.Format != MLPerf && (err != nil || len(a.Labels) != len(s.Answers)) {
				t.Errorf("%d answers do not match their own labels: %v", len(s.Answers), err)
			}
		}
	})
}

// FuzzReadLabels: no input panics, and all labels are classes.
func FuzzReadLabels(f *testing.F) {
	f.Add([]byte("a 1\nb 2\n"))
	f.Add([]byte("1\n2\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := ReadLabels("l", data)
		if err != nil {
			return
		}
		for _, v := range l.Labels {
			if v < 0 || v >= l.Classes {
				t.Fatalf("label %d of %d classes", v, l.Classes)
			}
		}
	})
}
