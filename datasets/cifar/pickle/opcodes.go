package pickle

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// refused are opcodes that would make objects of other kinds.
var refused = map[byte]string{
	'i': "INST", 'o': "OBJ", 'P': "PERSID", 'Q': "BINPERSID", 0x81: "NEWOBJ", 0x92: "NEWOBJ_EX", 0x82: "EXT1", 0x83: "EXT2", 0x84: "EXT4",
	0x8b: "LONG4", 0x8d: "BINUNICODE8", 0x8f: "EMPTY_SET", 0x90: "ADDITEMS", 0x91: "FROZENSET", 0x96: "BYTEARRAY8", 0x97: "NEXT_BUFFER", 0x98: "READONLY_BUFFER",
}

// step carries out one opcode. The groups below follow Python's pickletools.
func (m *machine) step(op byte) error {
	for _, group := range []func(*machine, byte) (bool, error){
		(*machine).numbers, (*machine).texts, (*machine).containers, (*machine).stackOps, (*machine).objects,
	} {
		if known, err := group(m, op); known || err != nil {
			return err
		}
	}
	if name, ok := refused[op]; ok {
		return fmt.Errorf("opcode %#02x (%s) makes a kind of object that is not read here; only data is", op, name)
	}
	return fmt.Errorf("byte %#02x is no opcode; this is no pickle, or a damaged one", op)
}

// numbers are None, truth values and numbers.
func (m *machine) numbers(op byte) (bool, error) {
	switch op {
	case 'N':
		return true, m.push(nil)
	case 0x88, 0x89:
		return true, m.push(op == 0x88)
	case 'K', 'M', 'J':
		n, err := m.number(map[byte]int{'K': 1, 'M': 2, 'J': 4}[op], "an integer")
		if err != nil {
			return true, err
		}
		if op == 'J' {
			return true, m.push(int64(int32(n)))
		}
		return true, m.push(int64(n))
	case 0x8a:
		return true, m.long()
	case 'I', 'L':
		return true, m.decimal(op)
	case 'F':
		s, err := m.line("a number")
		if err != nil {
			return true, err
		}
		f, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return true, fmt.Errorf("%.40q is no number", s)
		}
		return true, m.push(f)
	case 'G':
		b, err := m.take(8, "a number")
		if err != nil {
			return true, err
		}
		return true, m.push(math.Float64frombits(binary.BigEndian.Uint64(b)))
	}
	return false, nil
}

// decimal is an integer in digits: I5, I01 (True), L5L.
func (m *machine) decimal(op byte) error {
	s, err := m.line("an integer")
	if err != nil {
		return err
	}
	if op == 'I' && (s == "00" || s == "01") {
		return m.push(s == "01")
	}
	n, err := strconv.ParseInt(strings.TrimSuffix(s, "L"), 10, 64)
	if err != nil {
		return fmt.Errorf("%.40q is no integer of 64 bits", s)
	}
	return m.push(n)
}

// long is a two's complement integer with its length before it.
func (m *machine) long() error {
	b, err := m.counted(1, "an integer")
	if err != nil {
		return err
	}
	if len(b) > 8 {
		return fmt.Errorf("an integer has %d bytes; up to 8 are read", len(b))
	}
	var v int64
	for i := len(b) - 1; i >= 0; i-- {
		v = v<<8 | int64(b[i])
	}
	if n := len(b); n > 0 && n < 8 && b[n-1] >= 0x80 {
		v -= 1 << (8 * n)
	}
	return m.push(v)
}

// texts are text and bytes.
func (m *machine) texts(op byte) (bool, error) {
	switch op {
	case 'T', 'U', 'B', 'C', 0x8e:
		b, err := m.counted(map[byte]int{'T': 4, 'U': 1, 'B': 4, 'C': 1, 0x8e: 8}[op], "a string")
		if err != nil {
			return true, err
		}
		return true, m.push(Bytes(b))
	case 'X', 0x8c:
		b, err := m.counted(map[byte]int{'X': 4, 0x8c: 1}[op], "text")
		if err == nil {
			err = m.charge(len(b))
		}
		if err != nil {
			return true, err
		}
		return true, m.push(string(b))
	case 'S', 'V':
		s, err := m.line("a string")
		if err != nil {
			return true, err
		}
		if err := m.charge(2 * len(s)); err != nil {
			return true, err
		}
		if op == 'V' {
			t, err := rawUnicode(s)
			if err != nil {
				return true, err
			}
			return true, m.push(t)
		}
		b, err := unquote(s)
		if err != nil {
			return true, err
		}
		return true, m.push(b)
	}
	return false, nil
}

// containers are lists, tuples and dictionaries.
func (m *machine) containers(op byte) (bool, error) {
	switch op {
	case ']':
		return true, m.push(&List{})
	case ')':
		return true, m.push(&Tuple{})
	case '}':
		return true, m.push(&Dict{entries: map[string]any{}})
	case 'l', 't', 'd', 'e', 'u':
		items, err := m.popMark()
		if err != nil {
			return true, err
		}
		return true, m.collect(op, items)
	case 'a', 's':
		items, err := m.popN(map[byte]int{'a': 1, 's': 2}[op])
		if err != nil {
			return true, err
		}
		return true, m.collect(op, items)
	case 0x85, 0x86, 0x87:
		items, err := m.popN(int(op) - 0x84)
		if err != nil {
			return true, err
		}
		return true, m.push(&Tuple{items})
	}
	return false, nil
}

// collect makes a container of items, or adds them to the one on the stack.
func (m *machine) collect(op byte, items []any) error {
	switch op {
	case 'l':
		return m.push(&List{items})
	case 't':
		return m.push(&Tuple{items})
	case 'd':
		d := &Dict{entries: map[string]any{}}
		if err := d.add(items); err != nil {
			return err
		}
		return m.push(d)
	}
	v, err := m.pop()
	if err != nil {
		return err
	}
	switch c := v.(type) {
	case *List:
		if op == 'a' || op == 'e' {
			c.Items = append(c.Items, items...)
			return m.push(c)
		}
	case *Dict:
		if op == 's' || op == 'u' {
			if err := c.add(items); err != nil {
				return err
			}
			return m.push(c)
		}
	}
	return fmt.Errorf("items are added to %s; the pickle is damaged", kind(v))
}

// add sets keys and values in turn.
func (d *Dict) add(items []any) error {
	if len(items)%2 != 0 {
		return fmt.Errorf("a dictionary gets %d keys and values, an odd number; the pickle is damaged", len(items))
	}
	for i := 0; i < len(items); i += 2 {
		if err := d.set(items[i], items[i+1]); err != nil {
			return err
		}
	}
	return nil
}

// stackOps move values about.
func (m *machine) stackOps(op byte) (bool, error) {
	switch op {
	case 0x80:
		v, err := m.number(1, "the protocol's number")
		if err == nil && v > 4 {
			err = fmt.Errorf("protocol %d is not read; write the pickle with protocol 2", v)
		}
		return true, err
	case 0x95:
		_, err := m.take(8, "a frame's length")
		return true, err
	case '(':
		return true, m.push(mark{})
	case '0':
		_, err := m.pop()
		return true, err
	case '1':
		_, err := m.popMark()
		return true, err
	case '2':
		v, err := m.popN(1)
		if err != nil {
			return true, err
		}
		m.stack = append(m.stack, v[0])
		return true, m.push(v[0])
	case 'p', 'g', 'q', 'h', 'r', 'j', 0x94:
		return true, m.memorize(op)
	}
	return false, nil
}

// memorize carries out the opcodes of the memo.
func (m *machine) memorize(op byte) error {
	var i uint64
	var err error
	switch op {
	case 'p', 'g':
		var s string
		if s, err = m.line("a memo number"); err == nil {
			if i, err = strconv.ParseUint(s, 10, 32); err != nil {
				err = fmt.Errorf("%.40q is no memo number", s)
			}
		}
	case 'q', 'h':
		i, err = m.number(1, "a memo number")
	case 'r', 'j':
		i, err = m.number(4, "a memo number")
	case 0x94:
		i = uint64(len(m.memo))
	}
	switch {
	case err != nil:
		return err
	case op == 'g' || op == 'h' || op == 'j':
		return m.get(i)
	}
	return m.put(i)
}

// rawUnicode undoes Python's raw-unicode-escape: Latin-1 with \uXXXX and
// \UXXXXXXXX.
func rawUnicode(s string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		n := 0
		if s[i] == '\\' && i+1 < len(s) {
			n = map[byte]int{'u': 4, 'U': 8}[s[i+1]]
		}
		if n == 0 {
			b.WriteRune(rune(s[i]))
			continue
		}
		if i+2+n > len(s) {
			return "", fmt.Errorf("an escape of text is cut off")
		}
		v, err := strconv.ParseUint(s[i+2:i+2+n], 16, 21)
		if err != nil {
			return "", fmt.Errorf("%q is no character", s[i:i+2+n])
		}
		b.WriteRune(rune(v))
		i += 1 + n
	}
	return b.String(), nil
}

// unquote undoes Python 2's repr of a str.
func unquote(s string) (Bytes, error) {
	if len(s) < 2 || s[0] != s[len(s)-1] || s[0] != '\'' && s[0] != '"' {
		return nil, fmt.Errorf("a string is not between quotes: %.40q", s)
	}
	s = s[1 : len(s)-1]
	out := make(Bytes, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			out = append(out, s[i])
			continue
		}
		i++
		if i == len(s) {
			return nil, fmt.Errorf("a string ends inside an escape")
		}
		switch c := s[i]; c {
		case 'x':
			if i+2 >= len(s) {
				return nil, fmt.Errorf("a string ends inside an escape")
			}
			v, err := strconv.ParseUint(s[i+1:i+3], 16, 8)
			if err != nil {
				return nil, fmt.Errorf("%q is no escape", s[i-1:i+3])
			}
			out = append(out, byte(v))
			i += 2
		case '\\', '\'', '"':
			out = append(out, c)
		default:
			plain := strings.IndexByte("ntr", c)
			if plain < 0 {
				return nil, fmt.Errorf("%q is no escape that Python 2 writes", s[i-1:i+1])
			}
			out = append(out, "\n\t\r"[plain])
		}
	}
	return out, nil
}
