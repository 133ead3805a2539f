package pickle

import (
	"fmt"
	"unicode/utf8"
)

// global is one of the names below: a value that stands for itself and is never
// looked up.
type global string

// The globals that arrays are made with. numpy 2 renamed its inner module.
const (
	reconstruct = global("numpy.core.multiarray _reconstruct")
	scalar      = global("numpy.core.multiarray scalar")
	ndarray     = global("numpy ndarray")
	newDtype    = global("numpy dtype")
	encode      = global("_codecs encode") // how Python 3 writes bytes in protocol 0 to 2
	emptyBytes  = global("__builtin__ bytes")
)

var allowed = map[string]global{
	"numpy.core.multiarray _reconstruct":  reconstruct,
	"numpy._core.multiarray _reconstruct": reconstruct,
	"numpy.core.multiarray scalar":        scalar,
	"numpy._core.multiarray scalar":       scalar,
	"numpy ndarray":                       ndarray,
	"numpy dtype":                         newDtype,
	"_codecs encode":                      encode,
	"__builtin__ bytes":                   emptyBytes,
	"builtins bytes":                      emptyBytes,
}

// dtype is an element type: uint8 or int64.
type dtype struct {
	size int
	big  bool
}

// objects are the opcodes that name globals and use them.
func (m *machine) objects(op byte) (bool, error) {
	switch op {
	case 'c':
		module, err := m.line("a module's name")
		if err != nil {
			return true, err
		}
		name, err := m.line("a global's name")
		if err != nil {
			return true, err
		}
		return true, m.global(module, name)
	case 0x93:
		pair, err := m.popN(2)
		if err != nil {
			return true, err
		}
		module, ok := pair[0].(string)
		name, ok2 := pair[1].(string)
		if !ok || !ok2 {
			return true, fmt.Errorf("the name of a global is no text; the pickle is damaged")
		}
		return true, m.global(module, name)
	case 'R':
		pair, err := m.popN(2)
		if err != nil {
			return true, err
		}
		args, ok := pair[1].(*Tuple)
		if !ok {
			return true, fmt.Errorf("%s is where arguments were expected; the pickle is damaged", kind(pair[1]))
		}
		v, err := m.reduce(pair[0], args.Items)
		if err != nil {
			return true, err
		}
		return true, m.push(v)
	case 'b':
		pair, err := m.popN(2)
		if err != nil {
			return true, err
		}
		if err := build(pair[0], pair[1]); err != nil {
			return true, err
		}
		return true, m.push(pair[0])
	}
	return false, nil
}

func (m *machine) global(module, name string) error {
	g, ok := allowed[module+" "+name]
	if !ok {
		return fmt.Errorf("the pickle asks for %.60q of module %.60q; only numpy arrays and plain data are read, and nothing is executed", name, module)
	}
	return m.push(g)
}

// reduce makes what a call of a known global would make.
func (m *machine) reduce(f any, args []any) (any, error) {
	g, ok := f.(global)
	if !ok {
		return nil, fmt.Errorf("%s is called; the pickle is damaged", kind(f))
	}
	switch {
	case g == reconstruct && len(args) == 3 && args[0] == ndarray:
		return &Array{}, nil
	case g == newDtype && len(args) >= 1:
		return makeDtype(args[0])
	case g == encode && (len(args) == 1 || len(args) == 2):
		return m.encode(args)
	case g == emptyBytes && len(args) == 0:
		return Bytes{}, nil
	case g == scalar && len(args) == 2:
		return makeScalar(args[0], args[1])
	}
	return nil, fmt.Errorf("%s is called with %d arguments, which numpy does not write; the pickle is damaged", g, len(args))
}

func makeDtype(v any) (any, error) {
	name, _ := Text(v)
	size := map[string]int{"u1": 1, "|u1": 1, "i8": 8, "<i8": 8, ">i8": 8}[name]
	if size == 0 {
		return nil, fmt.Errorf("arrays of %.20q are not read; u1 (uint8) and i8 (int64) are", name)
	}
	return &dtype{size, name == ">i8"}, nil
}

// encode turns text into the bytes that Python 3 made the text from.
func (m *machine) encode(args []any) (any, error) {
	text, ok := args[0].(string)
	if len(args) == 2 {
		name, _ := Text(args[1])
		ok = ok && (name == "latin1" || name == "latin-1")
	}
	if !ok {
		return nil, fmt.Errorf("_codecs.encode is read for text in latin1 only")
	}
	if err := m.charge(len(text)); err != nil {
		return nil, err
	}
	out := make(Bytes, 0, utf8.RuneCountInString(text))
	for _, r := range text {
		if r > 255 {
			return nil, fmt.Errorf("a byte string holds the character %U; the pickle is damaged", r)
		}
		out = append(out, byte(r))
	}
	return out, nil
}

func makeScalar(t, raw any) (any, error) {
	d, ok := t.(*dtype)
	b, ok2 := raw.(Bytes)
	if !ok || !ok2 || len(b) != d.size {
		return nil, fmt.Errorf("a numpy number has no bytes of its type; the pickle is damaged")
	}
	return (&Array{Size: d.size, data: b, big: d.big}).At(0), nil
}

// build fills in an array or a dtype.
func build(v, state any) error {
	t, ok := state.(*Tuple)
	if !ok {
		return fmt.Errorf("the state of %s is %s instead of a tuple; the pickle is damaged", kind(v), kind(state))
	}
	switch o := v.(type) {
	case *dtype:
		return o.fill(t.Items)
	case *Array:
		return o.fill(t.Items)
	}
	return fmt.Errorf("%s gets a state, which only arrays have; the pickle is damaged", kind(v))
}

// fill reads (version, byte order, ...).
func (d *dtype) fill(state []any) error {
	if len(state) < 2 {
		return fmt.Errorf("a dtype's state has %d values; the pickle is damaged", len(state))
	}
	switch order, _ := Text(state[1]); order {
	case ">":
		d.big = true
	case "<", "|", "=":
		d.big = false
	default:
		return fmt.Errorf("a dtype has byte order %.10q; < > | and = are known", order)
	}
	return nil
}

// fill reads (version, shape, dtype, column-major, bytes).
func (a *Array) fill(state []any) error {
	if len(state) != 5 {
		return fmt.Errorf("an array's state has %d values instead of 5; the pickle is damaged", len(state))
	}
	shape, ok := state[1].(*Tuple)
	d, ok2 := state[2].(*dtype)
	column, ok3 := state[3].(bool)
	data, ok4 := state[4].(Bytes)
	if !ok || !ok2 || !ok3 || !ok4 {
		return fmt.Errorf("an array's state is %s, %s, %s, %s instead of shape, dtype, order and bytes; the pickle is damaged",
			kind(state[1]), kind(state[2]), kind(state[3]), kind(state[4]))
	}
	if len(shape.Items) > 8 {
		return fmt.Errorf("an array has %d dimensions; up to 8 are read", len(shape.Items))
	}
	n, sizes := d.size, make([]int, len(shape.Items))
	for i, s := range shape.Items {
		v, ok := s.(int64)
		if !ok || v < 0 || v > maxBytes || v > 0 && n > maxBytes/int(v) {
			return fmt.Errorf("dimension %d of an array is %v; the pickle is damaged", i, s)
		}
		sizes[i] = int(v)
		n *= int(v)
	}
	if column && len(sizes) > 1 {
		return fmt.Errorf("an array of shape %v is in column-major order, which is not read", sizes)
	}
	if n != len(data) {
		return fmt.Errorf("an array of shape %v needs %d bytes and has %d; the file is damaged", sizes, n, len(data))
	}
	a.Shape, a.Size, a.data, a.big = sizes, d.size, data, d.big
	return nil
}
