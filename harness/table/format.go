package table

import (
	"bytes"
	"fmt"
	"strings"
)

// Format names a kind of table file.
type Format string

// The formats that are read and written.
const (
	TensorRT    Format = "tensorrt"    // calibration cache: name: hex of a float32
	NVDLA       Format = "nvdla"       // nvdla_compiler's JSON: name -> {"scale": s}
	NCNN        Format = "ncnn"        // ncnn and caffe-int8-convert-tools: reciprocals, of layers' inputs
	ONNXRuntime Format = "onnxruntime" // calibration.json: name -> [low, high], and its text form
	QDQ         Format = "qdq"         // name -> {"scale": s, "zero_point": z}, or name -> s
	AIMET       Format = "aimet"       // encodings file, versions 0.6.1 and 1.0.0
	PPQ         Format = "ppq"         // quantization config: configs, values
)

// Formats lists them all.
var Formats = []Format{TensorRT, NVDLA, NCNN, ONNXRuntime, QDQ, AIMET, PPQ}

// codec reads and writes one format. Rounding says what a written table loses;
// empty means that the same 32 bits come back.
type codec struct {
	read     func(file string, data []byte) (*Table, error)
	write    func(*Table) ([]byte, error)
	rounding string
}

var codecs = map[Format]codec{
	TensorRT:    {ReadCache, WriteCache, ""},
	NVDLA:       {ReadJSON, WriteJSON, ""},
	NCNN:        {ReadNCNN, WriteNCNN, "the file holds 1/scale with 17 digits, which read back to the same float32; ncnn itself reads it as a float32 and may be one step (2^-24) off"},
	ONNXRuntime: {ReadONNXRuntime, WriteONNXRuntime, "the file holds the range, 127 * scale exactly; a program that reads it as a float32 may be one step (2^-24) off"},
	QDQ:         {ReadQDQ, WriteQDQ, ""},
	AIMET:       {ReadAIMET, WriteAIMET, ""},
	PPQ:         {ReadPPQ, WritePPQ, ""},
}

// Rounding says what a format loses of a scale; empty means nothing.
func Rounding(f Format) string { return codecs[f].rounding }

// Read reads a table in any format, told by its content.
func Read(file string, data []byte) (*Table, error) {
	f := Detect(data)
	t, err := codecs[f].read(file, data)
	if err == nil {
		t.Format = f
	}
	return t, err
}

// Write writes a table in a format. Rows that the format cannot hold are an
// error; unknown lines are left out.
func Write(t *Table, f Format) ([]byte, error) {
	c, ok := codecs[f]
	if !ok {
		return nil, fmt.Errorf("%s: unknown format %q; known are %q", t.File, f, Formats)
	}
	return c.write(t)
}

// Detect tells a file's format by its content alone. What is nothing known is
// called TensorRT's or, if it begins with a brace, NVDLA's, whose readers then
// say what is wrong.
func Detect(data []byte) Format {
	data = bytes.TrimSpace(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")))
	if bytes.HasPrefix(data, []byte("{")) {
		return detectJSON(data)
	}
	pairs := 0
	for i, line := range strings.Split(string(data), "\n") {
		line = strings.TrimSuffix(line, "\r")
		if _, ok := cacheRow(line); ok || i == 0 && strings.HasPrefix(line, "TRT-") {
			return TensorRT
		}
		name, values, ok := numbersRow(line)
		switch {
		case ok && weightOf(name) != "":
			return NCNN
		case ok && len(values) == 1:
			pairs++
		}
	}
	if pairs > 0 {
		return ONNXRuntime
	}
	return TensorRT
}

func detectJSON(data []byte) Format {
	ms, err := members(data, 1)
	if err != nil || len(ms) == 0 {
		return NVDLA
	}
	top := byName(ms)
	switch {
	case top["activation_encodings"] != nil:
		return AIMET
	case top["configs"] != nil && top["values"] != nil:
		return PPQ
	case top["CLS"] != nil:
		return ONNXRuntime
	}
	switch first := bytes.TrimSpace(ms[0].raw); first[0] {
	case '[':
		return ONNXRuntime
	case '{':
		inner, err := members(first, 1)
		if err == nil && byName(inner)["zero_point"] != nil {
			return QDQ
		}
		return NVDLA
	}
	if _, err := number(ms[0].raw); err == nil {
		return QDQ
	}
	return NVDLA
}
