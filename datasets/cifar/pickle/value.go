// Package pickle reads Python pickles that hold data and nothing else.
//
// A pickle is a program for a small stack machine, and Python's own reader lets
// that program import and call anything. This one builds None, truth values,
// numbers, text, bytes, lists, tuples, dictionaries and numpy arrays of uint8 and
// int64; it knows by name the few globals that numpy's arrays need and refuses
// every other. Nothing is ever executed. Protocols 0 to 4 are read, as Python 2
// and Python 3 write them.
package pickle

import (
	"encoding/binary"
	"fmt"
	"strconv"
)

// Values are represented by nil (None), bool, int64, float64, string (Unicode
// text), Bytes, *List, *Tuple, *Dict and *Array.

// Bytes are a str of Python 2 or a bytes of Python 3.
type Bytes []byte

// List is a Python list.
type List struct{ Items []any }

// Tuple is a Python tuple.
type Tuple struct{ Items []any }

// Dict is a Python dictionary whose keys are text, bytes or integers. Text and
// bytes of equal content are the same key, because Python 2 wrote one for the other.
type Dict struct {
	entries map[string]any
	order   []string
}

// Get is the value under a text key.
func (d *Dict) Get(key string) (any, bool) {
	v, ok := d.entries["s"+key]
	return v, ok
}

// Len is how many entries there are.
func (d *Dict) Len() int { return len(d.order) }

// Keys are the keys in the order they were first set; integers as decimal text.
func (d *Dict) Keys() []string {
	keys := make([]string, len(d.order))
	for i, k := range d.order {
		keys[i] = k[1:]
	}
	return keys
}

func (d *Dict) set(key, value any) error {
	var k string
	switch v := key.(type) {
	case string:
		k = "s" + v
	case Bytes:
		k = "s" + string(v)
	case int64:
		k = "i" + strconv.FormatInt(v, 10)
	default:
		return fmt.Errorf("a dictionary key is %s; text, bytes and integers are supported", kind(key))
	}
	if _, ok := d.entries[k]; !ok {
		d.order = append(d.order, k)
	}
	d.entries[k] = value
	return nil
}

// Array is a numpy array in row-major order.
type Array struct {
	Shape []int
	// Size is the bytes of an element: 1 (uint8) or 8 (int64).
	Size int
	data []byte
	big  bool // int64 in big-endian order
}

// Len is the number of elements.
func (a *Array) Len() int { return len(a.data) / a.Size }

// Uint8 are the elements of an array of uint8, nil for another type. The memory
// is that of the pickle: do not write to it.
func (a *Array) Uint8() []byte {
	if a.Size != 1 {
		return nil
	}
	return a.data
}

// At is element i, in row-major order.
func (a *Array) At(i int) int64 {
	switch {
	case a.Size == 1:
		return int64(a.data[i])
	case a.big:
		return int64(binary.BigEndian.Uint64(a.data[8*i:]))
	}
	return int64(binary.LittleEndian.Uint64(a.data[8*i:]))
}

// Text is the content of text or bytes.
func Text(v any) (string, bool) {
	switch t := v.(type) {
	case string:
		return t, true
	case Bytes:
		return string(t), true
	}
	return "", false
}

// kind names a value's type for people.
func kind(v any) string {
	switch t := v.(type) {
	case nil:
		return "None"
	case bool:
		return "a truth value"
	case int64:
		return "an integer"
	case float64:
		return "a number"
	case string:
		return "text"
	case Bytes:
		return "bytes"
	case *List:
		return "a list"
	case *Tuple:
		return "a tuple"
	case *Dict:
		return "a dictionary"
	case *Array:
		return "an array"
	case global:
		return "the global " + string(t)
	case *dtype:
		return "a numpy dtype"
	}
	return "a mark"
}

// Kind names the type of a value for messages: "a list", "bytes".
func Kind(v any) string { return kind(v) }
