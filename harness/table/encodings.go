package table

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strings"
)

// ReadAIMET reads the activation encodings of AIMET's file: version 0.6.1 as
// name -> [{"bitwidth", "is_symmetric", "scale", "min", "max"}], also nested as
// layer -> output -> index, and version 1.0.0 as a list of {"name", "bw", "is_sym",
// "scale": [s]}. Asymmetric or wider encodings give the symmetric int8 scale of
// their range, with a warning. Parameters are kept as unknown.
func ReadAIMET(file string, data []byte) (*Table, error) {
	const what = "AIMET's encodings"
	t, ms, err := opened(file, what, data)
	if err != nil {
		return nil, err
	}
	for _, m := range ms {
		if m.name != "activation_encodings" {
			if m.name == "param_encodings" && len(m.raw) > 2 {
				t.Unknown = append(t.Unknown, Line{m.line, short(string(m.raw))})
				t.warn(Unread, m.line, "parameters' encodings are not read; weights are quantized by the runtime")
			}
			continue
		}
		if err := t.activations(m); err != nil {
			return nil, t.broken(what, err)
		}
	}
	return t.finished(what)
}

func (t *Table) activations(m member) error {
	var list []json.RawMessage
	if json.Unmarshal(m.raw, &list) == nil {
		for i, raw := range list {
			e := member{name: fmt.Sprint(i), line: m.line, at: m.at, raw: raw}
			if in, err := members(raw, m.at); err == nil && byName(in)["name"] != nil {
				_ = json.Unmarshal(byName(in)["name"].raw, &e.name) // another type keeps the index
			}
			t.encoding(e, raw)
		}
		return nil
	}
	ms, err := members(m.raw, m.at)
	if err != nil {
		return err
	}
	for _, e := range ms {
		t.encoding(e, output(e))
	}
	return nil
}

// output is the encoding of a tensor, or of a layer's first output.
func output(m member) json.RawMessage {
	raw := m.raw
	for _, name := range []string{"output", "0"} {
		in, err := members(raw, m.at)
		if err != nil || byName(in)[name] == nil {
			return raw
		}
		raw = byName(in)[name].raw
	}
	return raw
}

func (t *Table) encoding(m member, raw json.RawMessage) {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) == nil && len(list) == 1 {
		raw = list[0]
	}
	in, err := members(raw, m.at)
	if err != nil {
		t.unread(m, "it is no single encoding")
		return
	}
	s, err := t.encoded(m, byName(in))
	if err != nil {
		t.unread(m, "%v", err)
		return
	}
	t.Rows = append(t.Rows, Row{m.name, s, m.line})
}

// encoded is the symmetric int8 scale of one encoding.
func (t *Table) encoded(m member, in map[string]*member) (float32, error) {
	bits, err := field(in, "bitwidth")
	if err != nil {
		if bits, err = field(in, "bw"); err != nil {
			return 0, err
		}
	}
	scale, err := field(in, "scale")
	if bits == 8 && err == nil && isSymmetric(in) {
		return float32(scale), nil
	}
	low, errLow := field(in, "min")
	high, errHigh := field(in, "max")
	if offset, e := field(in, "offset"); (errLow != nil || errHigh != nil) && e == nil && err == nil {
		low, high = scale*offset, scale*(math.Exp2(bits)-1+offset)
		errLow, errHigh = nil, nil
	}
	if errLow != nil || errHigh != nil {
		return 0, fmt.Errorf("it has no scale of 8 bits and no range")
	}
	t.warn(Adapted, m.line, "encoding %q is asymmetric or of %v bits; its range %.6g to %.6g gives the symmetric int8 scale", m.name, bits, low, high)
	return ofRange(low, high), nil
}

func isSymmetric(in map[string]*member) bool {
	for _, name := range []string{"is_symmetric", "is_sym"} {
		if m := in[name]; m != nil && strings.EqualFold(strings.Trim(string(m.raw), `" `), "true") {
			return true
		}
	}
	return false
}

// WriteAIMET writes version 0.6.1 without parameters.
func WriteAIMET(t *Table) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("{\n    \"version\": \"0.6.1\",\n    \"activation_encodings\": {\n")
	err := written(t, &b, "        ", func(r Row) string {
		s := float64(r.Scale)
		return fmt.Sprintf(`[{"bitwidth": 8, "dtype": "int", "is_symmetric": "True", "max": %s, "min": %s, "offset": -128, "scale": %s}]`,
			shortest(127*s), shortest(-128*s), shortest(s))
	})
	b.WriteString("    },\n    \"param_encodings\": {}\n}\n")
	return b.Bytes(), err
}

// ReadPPQ reads PPQ's quantization config: "configs" says which configuration
// (dominator) each variable of an operation has, "values" holds its scale. A
// variable that several operations name gives one row. Lists of scales belong to
// weights and are kept as unknown.
func ReadPPQ(file string, data []byte) (*Table, error) {
	const what = "PPQ's quantization config"
	t, ms, err := opened(file, what, data)
	if err != nil {
		return nil, err
	}
	top := byName(ms)
	if top["configs"] == nil || top["values"] == nil {
		return nil, fmt.Errorf("%s:1: not %s: \"configs\" or \"values\" is missing", file, what)
	}
	values, err := members(top["values"].raw, top["values"].at)
	if err != nil {
		return nil, t.broken(what, err)
	}
	ops, err := members(top["configs"].raw, top["configs"].at)
	if err != nil {
		return nil, t.broken(what, err)
	}
	seen := map[string]bool{}
	for _, op := range ops {
		vars, err := members(op.raw, op.at)
		if err != nil {
			return nil, t.broken(what, err)
		}
		for _, v := range vars {
			if !seen[v.name] {
				seen[v.name] = true
				t.variable(v, byName(values))
			}
		}
	}
	return t.finished(what)
}

func (t *Table) variable(v member, values map[string]*member) {
	in, err := members(v.raw, v.at)
	if err != nil {
		t.unread(v, "it is no configuration")
		return
	}
	m := byName(in)
	for _, key := range []string{"dominator", "hash"} {
		if m[key] == nil || values[strings.Trim(string(m[key].raw), `"`)] == nil {
			continue
		}
		value := values[strings.Trim(string(m[key].raw), `"`)]
		in, err := members(value.raw, value.at)
		if err != nil {
			break
		}
		s, err := t.symmetric(v, byName(in))
		if err != nil {
			t.unread(v, "%v", err)
			return
		}
		t.Rows = append(t.Rows, Row{v.name, float32(s), v.line})
		return
	}
	t.unread(v, "no value belongs to it")
}

// WritePPQ writes a config with one operation per tensor.
func WritePPQ(t *Table) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("{\n    \"configs\": {\n        \"table\": {\n")
	n := 0
	err := written(t, &b, "            ", func(Row) string {
		n++
		return fmt.Sprintf(`{"bit_width": 8, "state": "ACTIVATED", "quant_min": -128, "quant_max": 127, "hash": %d, "dominator": %d}`, n, n)
	})
	b.WriteString("        }\n    },\n    \"dispatchings\": {},\n    \"values\": {\n")
	for i, r := range t.Rows {
		comma := ","
		if i == len(t.Rows)-1 {
			comma = ""
		}
		fmt.Fprintf(&b, "        \"%d\": {\"scale\": %s, \"zero_point\": 0}%s\n", i+1, shortest(float64(r.Scale)), comma)
	}
	b.WriteString("    }\n}\n")
	return b.Bytes(), err
}
