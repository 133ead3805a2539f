package pickle

import (
	"bytes"
	"fmt"
)

// Limits on what a pickle may make, whatever its size.
const (
	maxBytes = 1 << 27 // of the file, and of everything copied from it
	maxStack = 1 << 20 // values on the stack
	maxMemo  = 1 << 20 // values remembered
	maxMade  = 1 << 22 // values made
	maxDepth = 32      // containers inside each other
)

// Error says where a pickle is wrong.
type Error struct {
	File   string
	Offset int // of the opcode that could not be carried out
	Reason string
}

// Error is "file: byte 20212: what is wrong".
func (e *Error) Error() string { return fmt.Sprintf("%s: byte %d: %s", e.File, e.Offset, e.Reason) }

// mark is the stack's separator.
type mark struct{}

// machine carries out a pickle.
type machine struct {
	data  []byte
	at    int // next byte
	stack []any
	memo  map[uint64]any
	made  int // values
	bytes int // copied
}

// Load reads the one value that data holds; file names it in errors, which are
// *Error. Bytes after the end of the pickle are an error.
func Load(file string, data []byte) (any, error) {
	m := &machine{data: data, memo: map[uint64]any{}}
	if len(data) > maxBytes {
		return nil, &Error{file, 0, fmt.Sprintf("the file has %d bytes; pickles of up to %d are read", len(data), maxBytes)}
	}
	for {
		op, at := byte(0), m.at
		if at == len(data) {
			return nil, &Error{file, at, "the file ends where an opcode was expected (a pickle ends with a full stop); it is cut off, get it again"}
		}
		op = data[at]
		m.at++
		if op == '.' {
			v, err := m.finish()
			if err != nil {
				return nil, &Error{file, at, err.Error()}
			}
			return v, nil
		}
		if err := m.step(op); err != nil {
			return nil, &Error{file, at, err.Error()}
		}
	}
}

// finish checks the result when STOP was met.
func (m *machine) finish() (any, error) {
	if len(m.stack) != 1 {
		return nil, fmt.Errorf("the pickle ends with %d values on the stack instead of one; it is damaged", len(m.stack))
	}
	if rest := len(m.data) - m.at; rest != 0 {
		return nil, fmt.Errorf("%d bytes follow the end of the pickle; only files of one value are read", rest)
	}
	v := m.stack[0]
	_, err := depth(v, map[any]int{}, 0)
	return v, err
}

// depth is how deeply containers are nested in v; known holds those that were
// measured, -1 for those that are being measured.
func depth(v any, known map[any]int, level int) (int, error) {
	items, err := children(v)
	if items == nil || err != nil {
		return 0, err
	}
	if d, ok := known[v]; ok {
		if d < 0 {
			return 0, fmt.Errorf("%s contains itself; such values are not read", kind(v))
		}
		return d, nil
	}
	if level == maxDepth {
		return 0, fmt.Errorf("values are nested more than %d deep", maxDepth)
	}
	known[v] = -1
	deepest := 0
	for _, item := range items {
		d, err := depth(item, known, level+1)
		if err != nil {
			return 0, err
		}
		deepest = max(deepest, d)
	}
	if deepest+1+level > maxDepth {
		return 0, fmt.Errorf("values are nested more than %d deep", maxDepth)
	}
	known[v] = deepest + 1
	return deepest + 1, nil
}

// children are the items of a container, nil for anything else. What is no data
// is an error.
func children(v any) ([]any, error) {
	switch t := v.(type) {
	case *List:
		return t.Items, nil
	case *Tuple:
		return t.Items, nil
	case *Dict:
		items := make([]any, 0, len(t.order))
		for _, k := range t.order {
			items = append(items, t.entries[k])
		}
		return items, nil
	case *Array:
		if t.Shape == nil {
			return nil, fmt.Errorf("an array was made but never filled; the pickle is damaged")
		}
	case global, *dtype, mark:
		return nil, fmt.Errorf("the result holds %s, which is no data", kind(v))
	}
	return nil, nil
}

func (m *machine) push(v any) error {
	if m.made++; m.made > maxMade {
		return fmt.Errorf("the pickle makes more than %d values", maxMade)
	}
	if len(m.stack) >= maxStack {
		return fmt.Errorf("more than %d values on the stack", maxStack)
	}
	m.stack = append(m.stack, v)
	return nil
}

// pop takes the topmost value, which must not be a mark.
func (m *machine) pop() (any, error) {
	if len(m.stack) == 0 {
		return nil, fmt.Errorf("the stack is empty where a value was expected; the pickle is damaged")
	}
	v := m.stack[len(m.stack)-1]
	if _, ok := v.(mark); ok {
		return nil, fmt.Errorf("a mark is on the stack where a value was expected; the pickle is damaged")
	}
	m.stack = m.stack[:len(m.stack)-1]
	return v, nil
}

func (m *machine) popN(n int) ([]any, error) {
	out := make([]any, n)
	for i := n - 1; i >= 0; i-- {
		v, err := m.pop()
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}

// popMark takes the values down to the last mark, and the mark.
func (m *machine) popMark() ([]any, error) {
	for i := len(m.stack) - 1; i >= 0; i-- {
		if _, ok := m.stack[i].(mark); ok {
			items := append([]any(nil), m.stack[i+1:]...)
			m.stack = m.stack[:i]
			return items, nil
		}
	}
	return nil, fmt.Errorf("no mark is on the stack where one was expected; the pickle is damaged")
}

// take is the next n bytes; what says what they are.
func (m *machine) take(n uint64, what string) ([]byte, error) {
	if left := len(m.data) - m.at; n > uint64(left) {
		return nil, fmt.Errorf("%s of %d bytes was expected, but only %d are left; the file is cut off, get it again", what, n, left)
	}
	b := m.data[m.at : m.at+int(n) : m.at+int(n)]
	m.at += int(n)
	return b, nil
}

// number is a little-endian unsigned number of n bytes.
func (m *machine) number(n int, what string) (uint64, error) {
	b, err := m.take(uint64(n), what)
	var v uint64
	for i := len(b) - 1; i >= 0; i-- {
		v = v<<8 | uint64(b[i])
	}
	return v, err
}

// counted is a string with its length before it, in n bytes.
func (m *machine) counted(n int, what string) ([]byte, error) {
	size, err := m.number(n, "the length of "+what)
	if err != nil {
		return nil, err
	}
	return m.take(size, what)
}

// line is the bytes up to the next newline, without it.
func (m *machine) line(what string) (string, error) {
	i := bytes.IndexByte(m.data[m.at:], '\n')
	if i < 0 {
		return "", fmt.Errorf("%s and a newline were expected, but the file ends after %d bytes; it is cut off, get it again", what, len(m.data)-m.at)
	}
	s := string(m.data[m.at : m.at+i])
	m.at += i + 1
	return s, nil
}

// charge accounts for n copied bytes.
func (m *machine) charge(n int) error {
	if m.bytes += n; m.bytes > maxBytes {
		return fmt.Errorf("the pickle makes more than %d bytes", maxBytes)
	}
	return nil
}

func (m *machine) put(i uint64) error {
	if len(m.stack) == 0 {
		return fmt.Errorf("nothing is on the stack to remember; the pickle is damaged")
	}
	if len(m.memo) >= maxMemo {
		return fmt.Errorf("more than %d values are remembered", maxMemo)
	}
	m.memo[i] = m.stack[len(m.stack)-1]
	return nil
}

func (m *machine) get(i uint64) error {
	v, ok := m.memo[i]
	if !ok {
		return fmt.Errorf("value %d is used but was never remembered; the pickle is damaged", i)
	}
	return m.push(v)
}
