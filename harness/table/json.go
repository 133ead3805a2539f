package table

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
)

// entry is one value of nvdla_compiler's table. Pointers tell absent from zero.
type entry struct {
	Scale  *json.Number `json:"scale"`
	Min    *json.Number `json:"min"`
	Max    *json.Number `json:"max"`
	Offset *json.Number `json:"offset"`
}

// ReadJSON reads nvdla_compiler's table: an object of name -> {"scale": s}, or
// {"min": a, "max": b}, which gives max(|a|, |b|)/127 as the compiler does
// (Tensor::setChannelDynamicRange). The order is kept; numbers are read as
// float64 and rounded to float32, as rapidjson and the compiler do. Repeated
// names, offsets other than 0 and unusable scales are warnings.
func ReadJSON(file string, data []byte) (*Table, error) {
	t := &Table{File: file}
	if err := t.readObject(data); err != nil {
		return nil, err
	}
	if len(t.Rows) == 0 {
		return nil, fmt.Errorf("%s:1: the table has no entry", file)
	}
	t.check()
	return t, nil
}

func (t *Table) readObject(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	fail := func(err error) error {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.New("the file ends early")
		}
		return fmt.Errorf("%s:%d: not a JSON calibration table: %w", t.File, lineAt(data, d.InputOffset()), err)
	}
	open, err := d.Token()
	if err != nil {
		return fail(err)
	}
	if open != json.Delim('{') {
		return fail(fmt.Errorf("it begins with %v instead of {", open))
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return fail(err)
		}
		name, line := key.(string), lineAt(data, d.InputOffset())
		var e entry
		if err := d.Decode(&e); err != nil {
			return fail(fmt.Errorf("entry %q: %w", name, err))
		}
		s, err := t.scale(name, line, e)
		if err != nil {
			return err
		}
		t.Rows = append(t.Rows, Row{name, s, line})
	}
	if _, err := d.Token(); err != nil {
		return fail(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fail(errors.New("something follows the table"))
	}
	return nil
}

func lineAt(data []byte, offset int64) int { return 1 + bytes.Count(data[:offset], []byte("\n")) }

// scale is the scale that an entry states or implies.
func (t *Table) scale(name string, line int, e entry) (float32, error) {
	var bad error
	num := func(n *json.Number) float32 {
		v, err := strconv.ParseFloat(n.String(), 64)
		if err != nil {
			bad = fmt.Errorf("%s:%d: entry %q: %q is no number", t.File, line, name, n.String())
		}
		return float32(v)
	}
	if e.Offset != nil && num(e.Offset) != 0 {
		t.warn(Ignored, line, "entry %q has the offset %s, which the compiler does not support", name, *e.Offset)
	}
	switch {
	case e.Scale != nil:
		if e.Min != nil && e.Max != nil && (num(e.Min) != 0 || num(e.Max) != 0) {
			t.warn(Ignored, line, "entry %q has min %s and max %s next to its scale; the compiler reads the scale alone", name, *e.Min, *e.Max)
		}
		return num(e.Scale), bad
	case e.Min == nil || e.Max == nil:
		return 0, fmt.Errorf("%s:%d: entry %q has neither a scale nor min and max; add \"scale\"", t.File, line, name)
	}
	abs := func(v float32) float32 { return math.Float32frombits(math.Float32bits(v) &^ (1 << 31)) }
	return max(abs(num(e.Min)), abs(num(e.Max))) / 127, bad
}

// WriteJSON writes nvdla_compiler's table. Scales have the shortest digits that
// name the float32 exactly also when they are read as float64 (as Python
// writes them), so the same bits come back. Scales that JSON has no number for
// are an error.
func WriteJSON(t *Table) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("{")
	for i, r := range t.Rows {
		if v := float64(r.Scale); math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("%s:%d: tensor %q has the scale %v, which JSON cannot hold; calibrate again", t.File, r.Line, r.Name, v)
		}
		if i > 0 {
			b.WriteString(",")
		}
		name, err := jsonName(t, r)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, "\n    %s: {\n        \"scale\": %s,\n        \"min\": 0,\n        \"max\": 0,\n        \"offset\": 0\n    }",
			name, strconv.FormatFloat(float64(r.Scale), 'g', -1, 64))
	}
	b.WriteString("\n}\n")
	return b.Bytes(), nil
}
