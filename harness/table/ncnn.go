package table

import (
	"bytes"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

var weightRow = regexp.MustCompile(`^(.+)_param_[0-9]+$`)

// weightOf is the layer of a weight row's name; empty if it is none.
func weightOf(name string) string {
	if m := weightRow.FindStringSubmatch(name); m != nil {
		return m[1]
	}
	return ""
}

// numbersRow splits "name number number ...".
func numbersRow(line string) (string, []float64, bool) {
	f := strings.Fields(line)
	if len(f) < 2 {
		return "", nil, false
	}
	values := make([]float64, len(f)-1)
	for i, s := range f[1:] {
		v, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return "", nil, false
		}
		values[i] = v
	}
	return f[0], values, true
}

// ReadNCNN reads the table of ncnn2table and of caffe-int8-convert-tools: lines
// "layer_param_0 f f f ..." with a factor for each output channel of the layer's
// weights, and "layer f" with the factor of its INPUT. Factors are reciprocals
// (integer = real * f); rows hold scale = 1/f. A factor of 0 gives an infinite
// scale, which is warned of.
func ReadNCNN(file string, data []byte) (*Table, error) {
	t := &Table{File: file, OfInputs: true}
	for i, line := range strings.Split(string(data), "\n") {
		line = strings.TrimSuffix(line, "\r")
		name, values, ok := numbersRow(line)
		switch {
		case ok && weightOf(name) != "":
			t.Weights = append(t.Weights, WeightRow{weightOf(name), values, i + 1})
		case ok && len(values) == 1:
			t.Rows = append(t.Rows, Row{name, float32(1 / values[0]), i + 1})
		case strings.TrimSpace(line) != "":
			t.Unknown = append(t.Unknown, Line{i + 1, line})
			t.warn(Unread, i+1, "%q is no row (layer and factor, or layer_param_N and factors); it is ignored", short(line))
		}
	}
	return t.finished("an ncnn table")
}

// WriteNCNN writes an ncnn table: weight rows first, then 1/scale of each
// layer's input. Tables of tensors are an error: ToInputs makes the rows.
func WriteNCNN(t *Table) ([]byte, error) {
	if !t.OfInputs {
		return nil, fmt.Errorf("%s: an ncnn table holds the scales of layers' inputs, this one those of tensors; give the network (--prototxt)", t.File)
	}
	var b bytes.Buffer
	for _, w := range t.Weights {
		fmt.Fprintf(&b, "%s_param_0", w.Layer)
		for _, f := range w.Factors {
			b.WriteString(" " + shortest(f))
		}
		b.WriteString("\n")
	}
	for _, r := range t.Rows {
		if r.Name == "" || strings.ContainsAny(r.Name, " \t\r\n\v\f\u0085\u00a0") || weightOf(r.Name) != "" {
			return nil, fmt.Errorf("%s:%d: the name %q cannot be written to an ncnn table; rename the layer", t.File, r.Line, r.Name)
		}
		if math.IsNaN(float64(r.Scale)) {
			return nil, fmt.Errorf("%s:%d: layer %q has the scale NaN; calibrate again", t.File, r.Line, r.Name)
		}
		fmt.Fprintf(&b, "%s %s\n", r.Name, shortest(1/float64(r.Scale)))
	}
	return b.Bytes(), nil
}
