package caffe

import (
	"fmt"
	"strings"
	"testing"
)

func TestScalars(t *testing.T) {
	for text, want := range map[string]string{
		"7": "7 7 -", "-7": "-7 -7 -", "- 7": "-7 -7 -", "0x1F": "31 31 -", "017": "15 15 -", "1": "1 1 true", "0": "0 0 false",
		"1.0f": "- 1 -", "2F": "- 2 -", ".5": "- 0.5 -", "3.": "- 3 -", "1e-3": "- 0.001 -", "1E+2": "- 100 -", "16777217": "16777217 1.6777216e+07 -",
		"inf": "- +Inf -", "-inf": "- -Inf -", "-Infinity": "- -Inf -", "nan": "- NaN -", "-nan": "- NaN -", "1e99": "- +Inf -",
		"true": "- - true", "True": "- - true", "t": "- - true", "false": "- - false", "f": "- - false", "TRUE": "- - -",
		"1_0": "- - -", "0x1_0": "- - -", "0b1": "- - -", "0o7": "- - -", "12abc": "- - -", "1.0ff": "- - -", "0x1p3": "- - -", "08": "- 8 -",
		"'1'": "- - -", "99999999999999999999": "- 1e+20 -",
	} {
		m, err := parseText("f", "a: "+text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		v := m.fields[0].values[0]
		got := [3]string{"-", "-", "-"}
		if n, err := v.integer(); err == nil {
			got[0] = fmt.Sprint(n)
		}
		if x, err := v.float(); err == nil {
			got[1] = fmt.Sprint(x)
		}
		if b, err := v.boolean(); err == nil {
			got[2] = fmt.Sprint(b)
		}
		if s := strings.Join(got[:], " "); s != want {
			t.Errorf("%s: %s, want %s", text, s, want)
		}
	}
}

// TestTree checks that order, duplicates, unknown fields and places are kept.
func TestTree(t *testing.T) {
	m, err := parseText("f", "b: 1 # one\n  a < c: 'x'\n\"y\" > b: [2,\n 3]; [x.y/z] { }\nq: []")
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for _, f := range m.fields {
		fmt.Fprintf(&got, "%s@%d:%d", f.name, f.at.line, f.at.column)
		for _, v := range f.values {
			fmt.Fprintf(&got, "=%s@%d:%d", v, v.at.line, v.at.column)
		}
		got.WriteString("\n")
	}
	want := `b@1:1=1@1:4
a@2:3=a block { ... }@2:5
b@3:7=2@3:11=3@4:2
[x.y/z]@4:6=a block { ... }@4:14
q@5:1
`
	if got.String() != want {
		t.Errorf("got\n%swant\n%s", got.String(), want)
	}
	if c := m.fields[1].values[0].message.fields[0].values[0]; c.text != "xy" {
		t.Errorf("adjacent strings: %q", c.text)
	}
}

func TestTextErrors(t *testing.T) {
	for text, want := range map[string]string{
		"a: [1, 2":  `f:1:9: expected "," or "]", found the end of the file`,
		"a: [":      "f:1:5: expected a value, found the end of the file",
		"a: -true":  "f:1:4: expected a number after",
		"a: }":      `f:1:4: expected a value, found "}"`,
		"[a b":      "f:1:5: expected the name of an extension",
		"a {\n >":   `f:2:2: expected the name of a field, found ">"`,
		`a: "\`:     "the file ends inside a string",
		`a: "\xg"`:  `f:1:5: unknown escape \x`,
		`a: "\u12"`: "unknown escape",
		"a: é":      "f:1:4: unexpected character 'é'",
		"a:\n'x\n'": "f:2:1: the string is not closed on its line",
	} {
		_, err := parseText("f", text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}
