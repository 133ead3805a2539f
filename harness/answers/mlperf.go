package answers

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"math"
	"strconv"
)

// logEntry is one query of an MLPerf accuracy log.
type logEntry struct {
	Index *int64  `json:"qsl_idx"`
	Data  *string `json:"data"`
}

// mlperf reads the array that LoadGen writes in accuracy mode.
func (s *Set) mlperf(text []byte, want Encoding) error {
	var raw [][]byte
	at := places{text: text}
	dec := json.NewDecoder(bytes.NewReader(text))
	if t, err := dec.Token(); err != nil || t != json.Delim('[') {
		return fault(s.File, 1, "an MLPerf accuracy log is a JSON array and begins with [; choose another format if this is not one")
	}
	for dec.More() {
		line := at.line(dec.InputOffset())
		var e logEntry
		if err := dec.Decode(&e); err != nil {
			return s.jsonFault(&at, dec, err)
		}
		data, err := s.entry(e, line)
		if err != nil {
			return err
		}
		raw = append(raw, data)
		s.Answers = append(s.Answers, Answer{Line: line, ID: strconv.FormatInt(*e.Index, 10), Label: -1})
	}
	if _, err := dec.Token(); err != nil {
		return s.jsonFault(&at, dec, err)
	}
	if dec.More() {
		return fault(s.File, at.line(dec.InputOffset()), "something follows the end of the array; an MLPerf accuracy log is one array")
	}
	return s.classes(raw, want)
}

// entry checks the fields of one query.
func (s *Set) entry(e logEntry, line int) ([]byte, error) {
	if e.Index == nil || e.Data == nil {
		return nil, fault(s.File, line, "an entry without qsl_idx or data; a log of accuracy mode has both in every entry (mlperf_log_accuracy.json)")
	}
	if *e.Index < 0 {
		return nil, fault(s.File, line, "qsl_idx is %d; it counts pictures from 0", *e.Index)
	}
	data, err := hex.DecodeString(*e.Data)
	if err != nil || len(data) != 4 && len(data) != 8 {
		return nil, fault(s.File, line, "data %q is not the hex of one number of 4 or 8 bytes, so it is not one class of a picture", *e.Data)
	}
	return data, nil
}

func (s *Set) jsonFault(at *places, dec *json.Decoder, err error) error {
	line := at.line(dec.InputOffset())
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fault(s.File, 1+bytes.Count(at.text, []byte("\n")), "the log ends before its closing ], after %d entries; it was cut, or the run was not finished", len(s.Answers))
	}
	return fault(s.File, line, "not an entry of an MLPerf accuracy log: %v", err)
}

// places counts lines up to growing offsets.
type places struct {
	text    []byte
	at, got int
}

// line is the line, from 1, of the first thing at or after an offset.
func (p *places) line(offset int64) int {
	end := min(int(offset), len(p.text))
	for end < len(p.text) && bytes.IndexByte([]byte(" \t\r\n,"), p.text[end]) >= 0 {
		end++
	}
	if end > p.at {
		p.got += bytes.Count(p.text[p.at:end], []byte("\n"))
		p.at = end
	}
	return p.got + 1
}

// value reads data in an encoding; ok is false if it is no class there.
func (e Encoding) value(data []byte) (class int, number float64, ok bool) {
	switch {
	case e == Int32 && len(data) == 4:
		number = float64(int32(binary.LittleEndian.Uint32(data)))
	case e == Float32 && len(data) == 4:
		number = float64(math.Float32frombits(binary.LittleEndian.Uint32(data)))
	case e == Int64 && len(data) == 8:
		number = float64(int64(binary.LittleEndian.Uint64(data)))
	default:
		return 0, math.NaN(), false
	}
	ok = number >= 0 && number < maxClasses && number == math.Trunc(number)
	if ok {
		class = int(number)
	}
	return class, number, ok
}

// classes reads every answer in the wanted encoding, or in the one in which all
// of them are classes: the bytes of a small integer are no whole float, and
// those of a whole float are a huge integer, so at most one fits (or all are 0).
func (s *Set) classes(raw [][]byte, want Encoding) error {
	try := []Encoding{Int32, Float32, Int64}
	if want != "" {
		try = []Encoding{want}
	}
	furthest := 0
	for _, e := range try {
		n := 0
		for n < len(raw) {
			class, _, ok := e.value(raw[n])
			if !ok {
				break
			}
			s.Answers[n].Class = class
			n++
		}
		if n == len(raw) {
			s.Encoding = e
			return nil
		}
		furthest = max(furthest, n)
	}
	return s.noClass(raw[furthest], s.Answers[furthest].Line, want)
}

func (s *Set) noClass(data []byte, line int, want Encoding) error {
	evidence := ""
	for _, e := range []Encoding{Int32, Float32, Int64} {
		if _, v, _ := e.value(data); !math.IsNaN(v) {
			evidence += ", as " + string(e) + " " + strconv.FormatFloat(v, 'g', 6, 64)
		}
	}
	text := hex.EncodeToString(data)
	if want != "" {
		return fault(s.File, line, "data %q is no class as %s (it is%s); leave the data type out, and it is found", text, want, evidence[1:])
	}
	return fault(s.File, line, "data %q is no class in any data type in which the entries before it are (it is%s); the log holds something other than one class a picture", text, evidence[1:])
}
