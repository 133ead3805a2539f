package diagnose

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"strings"
	"testing"
)

var sample = []Finding{
	{"NV101", Error, "no row for \"conv1\"", "a b.prototxt:3", "add it"},
	{"NV101", Error, "no row for \"conv2\"", "a b.prototxt:4", "add it"},
	{"NV109", Warning, "p > 0.198 & <ties>", "t.json", ""},
	{"NV110", Note, "steps of 1/127", "", ""},
}

func TestText(t *testing.T) {
	var b strings.Builder
	if err := Text(&b, sample); err != nil {
		t.Fatal(err)
	}
	want := `a b.prototxt:3: error NV101: no row for "conv1"
a b.prototxt:4: error NV101: no row for "conv2"
    to do: add it
t.json: warning NV109: p > 0.198 & <ties>
note NV110: steps of 1/127
2 errors, 1 warning, 1 note
`
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
	if Worst(sample) != Error || Worst(sample[2:]) != Warning || Worst(sample[3:]) != Note || Worst(nil) != "" {
		t.Error("worst")
	}
}

func TestJSON(t *testing.T) {
	var b bytes.Buffer
	if err := JSON(&b, nil); err != nil || b.String() != "[]\n" {
		t.Errorf("%q %v", b.String(), err)
	}
	b.Reset()
	var back []Finding
	if err := JSON(&b, sample); err != nil || json.Unmarshal(b.Bytes(), &back) != nil || len(back) != 4 || back[1] != sample[1] {
		t.Errorf("%v %+v", err, back)
	}
}

func TestSARIF(t *testing.T) {
	var b bytes.Buffer
	rules := []Rule{{Code: "NV101", Title: "no row", Severity: Error}, {Code: "NV999", Title: "never"}}
	if err := SARIF(&b, "bench", sample, rules); err != nil {
		t.Fatal(err)
	}
	var log sarifLog
	if err := json.Unmarshal(b.Bytes(), &log); err != nil {
		t.Fatal(err)
	}
	r := log.Runs[0]
	if len(r.Tool.Driver.Rules) != 1 || len(r.Results) != 4 || r.Results[0].Level != "error" || r.Results[3].Locations != nil {
		t.Errorf("%+v", r)
	}
	p := r.Results[0].Locations[0].Physical
	if p.Artifact.URI != "a b.prototxt" || p.Region.StartLine != 3 || r.Results[2].Locations[0].Physical.Region != nil {
		t.Errorf("%+v", p)
	}
}

func TestJUnit(t *testing.T) {
	for _, c := range []struct {
		findings      []Finding
		strict        bool
		tests, failed int
	}{{sample, false, 4, 2}, {sample, true, 4, 3}, {nil, true, 1, 0}} {
		var b bytes.Buffer
		if err := JUnit(&b, "bench doctor", c.findings, c.strict); err != nil {
			t.Fatal(err)
		}
		var s junitSuite
		if err := xml.Unmarshal(b.Bytes(), &s); err != nil || s.Tests != c.tests || s.Failures != c.failed || len(s.Cases) != c.tests {
			t.Errorf("%v: %s", err, b.String())
		}
	}
}

func TestExplain(t *testing.T) {
	var b strings.Builder
	r := Rule{Code: "NV1", Title: "title", Severity: Note, Why: strings.Repeat("word ", 40) + "\nsecond", Do: "do", Sources: []string{"one", "two"}}
	if err := r.Explain(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"NV1: title (note)", "  second\n", "  do\n", "  one\n  two\n"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
	for _, line := range strings.Split(b.String(), "\n") {
		if len(line) > 80 {
			t.Errorf("long line %q", line)
		}
	}
}

func TestPlace(t *testing.T) {
	for in, want := range map[string]struct {
		file string
		line int
	}{"a:3": {"a", 3}, "C:\\x": {"C:\\x", 0}, "a": {"a", 0}, "a:0": {"a:0", 0}, "": {"", 0}} {
		if f, l := Place(in); f != want.file || l != want.line {
			t.Errorf("%q: %q %d", in, f, l)
		}
	}
}

// full refuses everything after n bytes.
type full struct{ n int }

func (f *full) Write(p []byte) (int, error) {
	if f.n -= len(p); f.n < 0 {
		return 0, errors.New("disk full")
	}
	return len(p), nil
}

func TestWriteErrors(t *testing.T) {
	for n := range 120 {
		if Text(&full{n}, sample) == nil || JUnit(&full{n}, "s", sample, true) == nil || SARIF(&full{n}, "t", sample, nil) == nil {
			t.Errorf("error after %d bytes is lost", n)
		}
	}
}
