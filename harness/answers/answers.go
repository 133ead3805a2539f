// Package answers reads what other programs answered to labelled pictures:
// MLPerf accuracy logs, and CSV or JSON lines of predictions. It gives each
// answer its picture and its label, and refuses what would make a count wrong: a
// cut file, a picture answered twice or not at all, a label that is no class.
//
// It computes no accuracy; a Set is matched with the truth (Match), and what
// comes out is counted like our own predictions.
package answers

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"

	"quantbench/harness/diagnose"
)

// Format is how a file of answers is written.
type Format string

// The formats.
const (
	MLPerf Format = "mlperf" // mlperf_log_accuracy.json: a JSON array of {seq_id, qsl_idx, data}
	CSV    Format = "csv"    // a header, then a line a picture
	JSONL  Format = "jsonl"  // a JSON object a line, a line a picture
)

// Formats are the names of the formats.
var Formats = []string{string(MLPerf), string(CSV), string(JSONL)}

// Encoding is how an MLPerf log writes a class in its field data: the bytes of a
// little-endian number, in hex.
type Encoding string

// The encodings, by the names of MLPerf's own script.
const (
	Int32   Encoding = "int32"
	Float32 Encoding = "float32"
	Int64   Encoding = "int64"
)

// Encodings are the names of the encodings.
var Encodings = []string{string(Int32), string(Float32), string(Int64)}

// maxClasses bounds classes and labels: record.Prediction keeps 16 bits.
const maxClasses = 1 << 16

// maxBytes bounds what a compressed file may unpack to.
const maxBytes = 1 << 30

// Answer is what a file says of one picture.
type Answer struct {
	Line int // of the file, from 1
	// ID is the picture's name, or its index from 0 in decimal.
	ID     string
	Class  int     // answered, 0..65535
	Label  int     // -1 if the file does not say
	Margin float32 // best score less the second best; 0 if the file does not say
}

// Set is a file of answers, in the file's order.
type Set struct {
	File     string
	SHA256   string // of the file as it lies on disk, in hex
	Format   Format
	Encoding Encoding // MLPerf only
	Answers  []Answer // at least one
}

// Options say what is known of a file beforehand; the zero value finds out.
type Options struct {
	Format   Format
	Encoding Encoding
}

// Error is a fault in a file, with its place.
type Error struct {
	File string
	Line int // 0 if it concerns the whole file
	Msg  string
}

// Error renders file:line: message.
func (e *Error) Error() string {
	if e.Line == 0 {
		return e.File + ": " + e.Msg
	}
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Msg)
}

func fault(file string, line int, format string, args ...any) error {
	return &Error{file, line, fmt.Sprintf(format, args...)}
}

// Read reads a file of answers, gzipped or not. Faults are *Error.
func Read(file string, data []byte, o Options) (*Set, error) {
	text, err := unpack(file, data)
	if err != nil {
		return nil, err
	}
	if o.Format == "" {
		o.Format = detect(text)
	}
	s := &Set{File: file, SHA256: digest(data), Format: o.Format}
	if o.Encoding != "" && o.Format != MLPerf {
		return nil, fault(file, 0, "a data type (%s) belongs to an MLPerf log, and this is read as %s", o.Encoding, o.Format)
	}
	switch o.Format {
	case MLPerf:
		err = s.mlperf(text, o.Encoding)
	case CSV:
		err = s.csv(text)
	case JSONL:
		err = s.jsonl(text)
	default:
		err = fault(file, 0, "unknown format %q%s", o.Format, diagnose.DidYouMean(string(o.Format), Formats))
	}
	if err != nil {
		return nil, err
	}
	if len(s.Answers) == 0 {
		return nil, fault(file, 0, "no answers in it, read as %s; name the format if it is another", o.Format)
	}
	return s, nil
}

// detect tells the format by the first character.
func detect(text []byte) Format {
	switch t := bytes.TrimLeft(text, " \t\r\n"); {
	case bytes.HasPrefix(t, []byte("[")):
		return MLPerf
	case bytes.HasPrefix(t, []byte("{")):
		return JSONL
	}
	return CSV
}

// unpack takes off gzip and a byte order mark.
func unpack(file string, data []byte) ([]byte, error) {
	if bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			return nil, fault(file, 0, "damaged gzip header (%v); fetch the file again", err)
		}
		text, err := io.ReadAll(io.LimitReader(z, maxBytes+1))
		if err != nil {
			return nil, fault(file, 1+bytes.Count(text, []byte("\n")), "the gzip data ends or breaks here (%v, after %d bytes unpacked from a file of %d); fetch the file again", err, len(text), len(data))
		}
		if len(text) > maxBytes {
			return nil, fault(file, 0, "unpacks to more than %d bytes, which no file of answers needs", maxBytes)
		}
		data = text
	}
	return bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), nil
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// Labelled reports whether every answer brings its label.
func (s *Set) Labelled() bool {
	return !slices.ContainsFunc(s.Answers, func(a Answer) bool { return a.Label < 0 })
}
