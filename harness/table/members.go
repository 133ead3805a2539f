package table

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"unicode/utf8"
)

// member is one name and value of a JSON object, in the file's order.
type member struct {
	name string
	line int // of the name
	at   int // line where the value begins
	raw  json.RawMessage
}

// jsonError is a mistake at a line.
type jsonError struct {
	line int
	msg  string
}

func (e *jsonError) Error() string { return e.msg }

// members splits an object whose text begins at a line.
func members(data []byte, base int) ([]member, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	fail := func(err error) error {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.New("the file ends early")
		}
		return &jsonError{base - 1 + lineAt(data, d.InputOffset()), err.Error()}
	}
	open, err := d.Token()
	if err != nil {
		return nil, fail(err)
	}
	if open != json.Delim('{') {
		return nil, fail(fmt.Errorf("found %v instead of an object", open))
	}
	var ms []member
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, fail(err)
		}
		m := member{name: key.(string), line: base - 1 + lineAt(data, d.InputOffset())}
		if err := d.Decode(&m.raw); err != nil {
			return nil, fail(err)
		}
		m.at = base - 1 + lineAt(data, d.InputOffset()-int64(len(m.raw)))
		ms = append(ms, m)
	}
	if _, err := d.Token(); err != nil {
		return nil, fail(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fail(errors.New("something follows the object"))
	}
	return ms, nil
}

func byName(ms []member) map[string]*member {
	m := map[string]*member{}
	for i := range ms {
		if m[ms[i].name] == nil {
			m[ms[i].name] = &ms[i]
		}
	}
	return m
}

var errMissing = errors.New("is missing")

// number reads a number, or the only number of a list.
func number(raw json.RawMessage) (float64, error) {
	s := bytes.TrimSpace(raw)
	if len(s) > 1 && s[0] == '[' {
		s = bytes.TrimSpace(s[1 : len(s)-1])
	}
	var n json.Number
	if err := json.Unmarshal(s, &n); err != nil || len(s) == 0 || s[0] == '"' || n == "" {
		return 0, fmt.Errorf("%s is no number", short(string(raw)))
	}
	v, err := strconv.ParseFloat(n.String(), 64)
	if err != nil {
		return 0, fmt.Errorf("%s is no number of 64 bits", n)
	}
	return v, nil
}

// field is the number that an object's member holds.
func field(m map[string]*member, name string) (float64, error) {
	f := m[name]
	if f == nil {
		return 0, fmt.Errorf("%q %w", name, errMissing)
	}
	v, err := number(f.raw)
	if err != nil {
		return 0, fmt.Errorf("%q: %w", name, err)
	}
	return v, nil
}

// ofRange is the symmetric int8 scale of a range.
func ofRange(low, high float64) float32 {
	return float32(max(math.Abs(low), math.Abs(high)) / 127)
}

// opened begins a JSON table.
func opened(file, what string, data []byte) (*Table, []member, error) {
	t := &Table{File: file}
	ms, err := members(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), 1)
	if err != nil {
		return nil, nil, t.broken(what, err)
	}
	return t, ms, nil
}

func (t *Table) broken(what string, err error) error {
	line := 1
	var at *jsonError
	if errors.As(err, &at) {
		line = at.line
	}
	return fmt.Errorf("%s:%d: not %s: %w", t.File, line, what, err)
}

// finished ends the reading of a table.
func (t *Table) finished(what string) (*Table, error) {
	if len(t.Rows) == 0 {
		return nil, fmt.Errorf("%s:1: %s without any tensor's scale", t.File, what)
	}
	t.check()
	return t, nil
}

// unread keeps a member that holds no activation's scale, and says so.
func (t *Table) unread(m member, format string, args ...any) {
	t.Unknown = append(t.Unknown, Line{m.line, short(fmt.Sprintf("%q: %s", m.name, m.raw))})
	t.warn(Unread, m.line, "entry %q is ignored: %s", m.name, fmt.Sprintf(format, args...))
}

// shortest are the digits that name a scale exactly also as a float64.
func shortest(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// jsonName quotes a row's name, which JSON can hold only if it is UTF-8.
func jsonName(t *Table, r Row) ([]byte, error) {
	if !utf8.ValidString(r.Name) {
		return nil, fmt.Errorf("%s:%d: the name %q is not UTF-8, which JSON cannot hold; rename the tensor", t.File, r.Line, r.Name)
	}
	return json.Marshal(r.Name)
}

// written checks what JSON cannot hold and writes one member a row.
func written(t *Table, b *bytes.Buffer, indent string, value func(Row) string) error {
	for i, r := range t.Rows {
		if v := float64(r.Scale); math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("%s:%d: tensor %q has the scale %v, which JSON cannot hold; calibrate again", t.File, r.Line, r.Name, v)
		}
		name, err := jsonName(t, r)
		if err != nil {
			return err
		}
		comma := ","
		if i == len(t.Rows)-1 {
			comma = ""
		}
		fmt.Fprintf(b, "%s%s: %s%s\n", indent, name, value(r), comma)
	}
	return nil
}
