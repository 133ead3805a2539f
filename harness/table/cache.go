package table

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// DefaultHeader is written for a table without a header of its own.
const DefaultHeader = "TRT-7202-EntropyCalibration2"

// ReadCache reads TensorRT's calibration cache, of any version: a header line,
// then "name: hex", hex being a float32's big-endian bytes. The last ": " of a
// line (else its last ":") ends the name, so names may hold colons and spaces.
// Hex shorter than eight digits lacks leading zeros. NaN, infinite, zero and
// negative scales are kept and warned of. Only a file without any row is an error.
func ReadCache(file string, data []byte) (*Table, error) {
	t := &Table{File: file}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	for i, line := range strings.Split(string(data), "\n") {
		line = strings.TrimSuffix(line, "\r")
		switch row, ok := cacheRow(line); {
		case i == 0 && strings.HasPrefix(line, "TRT-"):
			t.Header = line
		case ok:
			row.Line = i + 1
			t.Rows = append(t.Rows, row)
		case strings.TrimSpace(line) != "":
			t.Unknown = append(t.Unknown, Line{i + 1, line})
			t.warn(Unread, i+1, "%q is no row (name, colon, up to eight hex digits); it is ignored", short(line))
		}
	}
	if len(t.Rows) == 0 {
		return nil, fmt.Errorf("%s:1: no row \"name: hex\" in %d bytes; this is no calibration cache", file, len(data))
	}
	if t.Header == "" {
		t.warn(Headless, 1, "the header TRT-<version>-<calibrator> is missing")
	}
	t.check()
	return t, nil
}

func short(s string) string {
	if len(s) > 60 {
		return s[:60] + "..."
	}
	return s
}

// cacheRow reads "name: hex" or "name:hex".
func cacheRow(line string) (Row, bool) {
	if at := strings.LastIndex(line, ": "); at >= 0 {
		if r, ok := split(line, at); ok {
			return r, true
		}
	}
	return split(line, strings.LastIndexByte(line, ':'))
}

// split reads a row whose colon is at a byte of the line.
func split(line string, at int) (Row, bool) {
	if at < 1 {
		return Row{}, false
	}
	hex := strings.TrimSpace(line[at+1:])
	if len(hex) > 8 {
		return Row{}, false
	}
	bits, err := strconv.ParseUint(hex, 16, 32)
	if err != nil {
		return Row{}, false
	}
	return Row{Name: line[:at], Scale: math.Float32frombits(uint32(bits))}, true
}

// WriteCache writes the rows as a TensorRT cache; unknown lines are left out. A
// name that the format cannot hold (empty, or with a line break) is an error.
func WriteCache(t *Table) ([]byte, error) {
	var b bytes.Buffer
	header := t.Header
	if header == "" {
		header = DefaultHeader
	}
	b.WriteString(header + "\n")
	for _, r := range t.Rows {
		if r.Name == "" || strings.ContainsAny(r.Name, "\r\n") {
			return nil, fmt.Errorf("%s:%d: the name %q cannot be written to a calibration cache; rename the tensor", t.File, r.Line, r.Name)
		}
		fmt.Fprintf(&b, "%s: %08x\n", r.Name, r.Bits())
	}
	return b.Bytes(), nil
}
