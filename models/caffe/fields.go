package caffe

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// fields reads the known fields of one message. The first error is kept in the
// reader it belongs to; later reads return defaults.
type fields struct {
	*reader
	message *message // nil: nothing is set
	owner   string   // the name of the message, for messages
}

// one is the field's only value; nil if it is not set.
func (f fields) one(name string) *value {
	if f.message == nil {
		return nil
	}
	var found *value
	for _, field := range f.message.all(name) {
		for i := range field.values {
			if found != nil {
				f.fail(field.at.line, "%s is set twice in this block (before in line %d); keep one", name, found.at.line)
			}
			found = &field.values[i]
		}
	}
	return found
}

func (f fields) each(name string, see func(v value) error) {
	if f.message == nil {
		return
	}
	for _, field := range f.message.all(name) {
		for _, v := range field.values {
			if err := see(v); err != nil {
				f.fail(v.at.line, "%s: %w", name, err)
			}
		}
	}
}

func (f fields) has(name string) bool { return f.message != nil && len(f.message.all(name)) > 0 }

func (f fields) block(name string) fields {
	out := fields{reader: f.reader, owner: name}
	v := f.one(name)
	if v == nil {
		return out
	}
	if v.kind != block {
		f.fail(v.at.line, "%s must be a block { ... }, found %s", name, v)
		return out
	}
	out.message = v.message
	return out
}

func (f fields) line() int {
	if f.message == nil {
		return 0
	}
	return f.message.at.line
}

func (f fields) text(name string) string {
	v := f.one(name)
	if v == nil {
		return ""
	}
	s, err := stringOf(*v)
	if err != nil {
		f.fail(v.at.line, "%s: %w", name, err)
	}
	return s
}

func stringOf(v value) (string, error) {
	if v.kind != quoted {
		return "", fmt.Errorf("expected a string in quotes, found %s", v)
	}
	return v.text, nil
}

func (f fields) texts(name string) (out []string) {
	f.each(name, func(v value) error {
		s, err := stringOf(v)
		out = append(out, s)
		return err
	})
	return out
}

// integer reads a number from low to 2^31-1.
func (f fields) integer(name string, low, missing int) int {
	v := f.one(name)
	if v == nil {
		return missing
	}
	n, err := bounded(*v, int64(low))
	if err != nil {
		f.fail(v.at.line, "%s: %w", name, err)
		return missing
	}
	return n
}

func bounded(v value, low int64) (int, error) {
	n, err := v.integer()
	if err == nil && (n < low || n > math.MaxInt32) {
		err = fmt.Errorf("%s is not between %d and 2^31-1", v, low)
	}
	return int(n), err
}

func (f fields) integers(name string, low int) (out []int) {
	f.each(name, func(v value) error {
		n, err := bounded(v, int64(low))
		out = append(out, n)
		return err
	})
	return out
}

func (f fields) boolean(name string, missing bool) bool {
	v := f.one(name)
	if v == nil {
		return missing
	}
	b, err := v.boolean()
	if err != nil {
		f.fail(v.at.line, "%s: %w", name, err)
	}
	return b
}

func (f fields) float(name string, missing float32) float32 {
	v := f.one(name)
	if v == nil {
		return missing
	}
	x, err := v.float()
	if err != nil {
		f.fail(v.at.line, "%s: %w", name, err)
	}
	return x
}

func (f fields) floats(name string) (out []float32) {
	f.each(name, func(v value) error {
		x, err := v.float()
		out = append(out, x)
		return err
	})
	return out
}

// enum reads one of the names, or its number, which is its place in names.
func (f fields) enum(name string, missing int, names ...string) int {
	v := f.one(name)
	if v == nil {
		return missing
	}
	if n, err := v.integer(); err == nil && n >= 0 && n < int64(len(names)) {
		return int(n)
	}
	if i := slices.Index(names, v.text); i >= 0 && v.kind == identifier {
		return i
	}
	f.fail(v.at.line, "%s: %s is none of %v%s", name, v, names, didYouMean(v.text, names))
	return missing
}

// only refuses any value of a field but the one that is supported.
func (f fields) only(name string, supported ...int) {
	v := f.one(name)
	if v == nil {
		return
	}
	if n, err := v.integer(); err != nil || !slices.Contains(supported, int(n)) {
		f.fail(v.at.line, "%s: %s %s is not supported, only %v", f.owner, name, v, supported)
	}
}

// reader turns the text of one prototxt into a network.
type reader struct {
	file     string
	err      error // the first error
	warnings []error
}

// fail keeps the error if it is the first.
func (r *reader) fail(line int, format string, args ...any) {
	if r.err == nil {
		r.err = r.at(line, format, args...)
	}
}

func (r *reader) warn(line int, format string, args ...any) {
	r.warnings = append(r.warnings, r.at(line, format, args...))
}

func (r *reader) at(line int, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	if line == 0 {
		return fmt.Errorf("%s: %w", r.file, err)
	}
	return fmt.Errorf("%s:%d: %w", r.file, line, err)
}

// reportUnknown warns of fields that Caffe's messages do not have. Messages
// whose fields are not listed (fillers, data sources) are not looked into.
func (r *reader) reportUnknown(m *message, owner string) {
	known, ok := fieldsOf[owner]
	if !ok {
		return
	}
	for _, f := range m.fields {
		if !slices.Contains(known, f.name) {
			r.warn(f.at.line, "unknown field %q in %s has no effect%s", f.name, owner, didYouMean(f.name, known))
			continue
		}
		inner := f.name
		if owner == netMessage && (inner == "layer" || inner == "layers") {
			inner = layerMessage
		}
		for _, v := range f.values {
			if v.message != nil {
				r.reportUnknown(v.message, inner)
			}
		}
	}
}

var errEmpty = errors.New("the network has no layers")
