package table

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// ReadONNXRuntime reads what ONNX Runtime's write_calibration_table leaves:
// calibration.json as name -> [low, high], its newer form with the members
// "CLS" and "data" (lowest and highest), and calibration.cache, lines
// "name largest". The scale is max(|low|, |high|)/127.
func ReadONNXRuntime(file string, data []byte) (*Table, error) {
	const what = "ONNX Runtime's calibration table"
	if s := bytes.TrimSpace(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))); len(s) == 0 || s[0] != '{' {
		return readRanges(file, data)
	}
	t, ms, err := opened(file, what, data)
	if err != nil {
		return nil, err
	}
	if top := byName(ms); top["CLS"] != nil && top["data"] != nil {
		inner := top["data"]
		if ms, err = members(inner.raw, inner.at); err != nil {
			return nil, t.broken(what, err)
		}
	}
	for _, m := range ms {
		low, high, err := bounds(m)
		if err != nil {
			t.unread(m, "%v", err)
			continue
		}
		t.Rows = append(t.Rows, Row{m.name, ofRange(low, high), m.line})
	}
	return t.finished(what)
}

func readRanges(file string, data []byte) (*Table, error) {
	t := &Table{File: file}
	for i, line := range strings.Split(string(data), "\n") {
		line = strings.TrimSuffix(line, "\r")
		name, values, ok := numbersRow(line)
		switch {
		case ok && len(values) == 1:
			t.Rows = append(t.Rows, Row{name, ofRange(values[0], values[0]), i + 1})
		case strings.TrimSpace(line) != "":
			t.Unknown = append(t.Unknown, Line{i + 1, line})
			t.warn(Unread, i+1, "%q is no row (tensor and range); it is ignored", short(line))
		}
	}
	return t.finished("ONNX Runtime's calibration cache")
}

// bounds reads [low, high], or an object with lowest and highest.
func bounds(m member) (low, high float64, err error) {
	var pair []json.RawMessage
	if json.Unmarshal(m.raw, &pair) == nil && len(pair) >= 2 {
		if low, err = number(pair[0]); err == nil {
			high, err = number(pair[1])
		}
		return low, high, err
	}
	in, err := members(m.raw, m.at)
	if err != nil {
		return 0, 0, fmt.Errorf("it is neither [low, high] nor an object")
	}
	if low, err = array(byName(in), "lowest"); err == nil {
		high, err = array(byName(in), "highest")
	}
	return low, high, err
}

// array reads a number, or numpy's {"data": x} of one.
func array(m map[string]*member, name string) (float64, error) {
	f := m[name]
	if f == nil {
		return 0, fmt.Errorf("%q %w", name, errMissing)
	}
	if in, err := members(f.raw, f.at); err == nil {
		return field(byName(in), "data")
	}
	return field(m, name)
}

// WriteONNXRuntime writes name -> [-127 * scale, 127 * scale].
func WriteONNXRuntime(t *Table) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("{\n")
	err := written(t, &b, "    ", func(r Row) string {
		v := shortest(127 * float64(r.Scale))
		return "[" + strings.TrimPrefix("-"+v, "--") + ", " + v + "]"
	})
	b.WriteString("}\n")
	return b.Bytes(), err
}

// ReadQDQ reads the scales of an ONNX model's QuantizeLinear nodes, as JSON:
// name -> {"scale": s, "zero_point": z}, or name -> s. A zero point other than 0
// is warned of: int8 on NVDLA is symmetric.
func ReadQDQ(file string, data []byte) (*Table, error) {
	const what = "a table of QDQ scales"
	t, ms, err := opened(file, what, data)
	if err != nil {
		return nil, err
	}
	for _, m := range ms {
		v, err := number(m.raw)
		if in, bad := members(m.raw, m.at); bad == nil {
			v, err = t.symmetric(m, byName(in))
		}
		if err != nil {
			t.unread(m, "%v", err)
			continue
		}
		t.Rows = append(t.Rows, Row{m.name, float32(v), m.line})
	}
	return t.finished(what)
}

// symmetric reads scale and zero_point.
func (t *Table) symmetric(m member, in map[string]*member) (float64, error) {
	v, err := field(in, "scale")
	if err != nil {
		return 0, err
	}
	if z, err := field(in, "zero_point"); err == nil && z != 0 {
		t.warn(Adapted, m.line, "entry %q has the zero point %v; the scale is kept, but NVDLA and TensorRT have no zero point, so the range is another", m.name, z)
	}
	return v, nil
}

// WriteQDQ writes name -> {"scale": s, "zero_point": 0}.
func WriteQDQ(t *Table) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("{\n")
	err := written(t, &b, "    ", func(r Row) string {
		return `{"scale": ` + shortest(float64(r.Scale)) + `, "zero_point": 0}`
	})
	b.WriteString("}\n")
	return b.Bytes(), err
}
