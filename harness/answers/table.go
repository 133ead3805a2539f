package answers

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"
)

// names are the columns or fields of a file of predictions, each under the names
// that programs give it; the first is our own.
var names = map[string][]string{
	"image_id": {"image_id", "image", "picture", "id", "filename", "file", "name", "index", "idx"},
	"label":    {"label", "target", "truth", "true", "ground_truth", "true_label"},
	"pred":     {"pred", "prediction", "predicted", "class", "pred_label", "top1"},
	"margin":   {"margin"},
}

// meaning is the field that a name stands for; empty for others, which are ignored.
func meaning(name string) string {
	name = strings.ToLower(strings.TrimSpace(name))
	for field, list := range names {
		for _, n := range list {
			if n == name {
				return field
			}
		}
	}
	return ""
}

// csv reads a header and a line a picture.
func (s *Set) csv(text []byte) error {
	r := csv.NewReader(bytes.NewReader(text))
	r.ReuseRecord, r.Comma = true, comma(text)
	head, err := r.Read()
	if err != nil {
		return s.csvFault(err)
	}
	column := map[string]int{}
	for i, h := range head {
		field := meaning(h)
		if _, twice := column[field]; twice && field != "" {
			return fault(s.File, 1, "two columns say %s (the second is %q); leave one", field, h)
		}
		column[field] = i
	}
	if _, ok := column["image_id"]; !ok {
		return s.noColumn("image_id", head)
	}
	if _, ok := column["pred"]; !ok {
		return s.noColumn("pred", head)
	}
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return s.csvFault(err)
		}
		line, _ := r.FieldPos(0)
		fields := map[string]string{}
		for field, i := range column {
			fields[field] = strings.TrimSpace(row[i])
		}
		if err := s.add(fields, line); err != nil {
			return err
		}
	}
}

// comma is what separates the columns of the first line.
func comma(text []byte) rune {
	head, _, _ := bytes.Cut(text, []byte("\n"))
	for _, c := range []rune{',', ';', '\t'} {
		if bytes.ContainsRune(head, c) {
			return c
		}
	}
	return ','
}

func (s *Set) noColumn(field string, head []string) error {
	return fault(s.File, 1, "no column %s in the header %q; it may be called %s", field, strings.Join(head, ","), strings.Join(names[field], ", "))
}

func (s *Set) csvFault(err error) error {
	var p *csv.ParseError
	switch {
	case errors.As(err, &p):
		return fault(s.File, p.Line, "not a line of CSV: %v", p.Err)
	case errors.Is(err, io.EOF):
		return fault(s.File, 0, "the file is empty; expected a header such as image_id,label,pred")
	}
	return fault(s.File, 0, "%v", err)
}

// jsonl reads an object a line.
func (s *Set) jsonl(text []byte) error {
	line := 0
	for row := range bytes.Lines(text) {
		line++
		if len(bytes.TrimSpace(row)) == 0 {
			continue
		}
		var object map[string]json.RawMessage
		if err := json.Unmarshal(row, &object); err != nil {
			return fault(s.File, line, "not a JSON object: %v; every line is one, such as {\"image_id\":\"a.png\",\"label\":3,\"pred\":5}", err)
		}
		fields := map[string]string{}
		for name, value := range object {
			field := meaning(name)
			if field == "" {
				continue
			}
			if _, twice := fields[field]; twice {
				return fault(s.File, line, "two fields say %s; leave one", field)
			}
			fields[field] = plain(value)
		}
		if err := s.add(fields, line); err != nil {
			return err
		}
	}
	return nil
}

// plain is a JSON value as CSV would write it: a string without quotes, null as
// nothing.
func plain(v json.RawMessage) string {
	var text string
	if json.Unmarshal(v, &text) == nil {
		return text
	}
	return string(v)
}

// add takes one picture's fields.
func (s *Set) add(f map[string]string, line int) error {
	a := Answer{Line: line, ID: f["image_id"], Label: -1}
	if a.ID == "" {
		return fault(s.File, line, "no image_id; it names the picture, or counts it from 0")
	}
	var err error
	if a.Class, err = s.class("pred", f["pred"], line); err != nil {
		return err
	}
	if l := f["label"]; l != "" {
		if a.Label, err = s.class("label", l, line); err != nil {
			return err
		}
	}
	if m := f["margin"]; m != "" {
		v, err := strconv.ParseFloat(m, 32)
		if err != nil || math.IsNaN(v) || v < 0 {
			return fault(s.File, line, "margin is %q; it is the best score less the second best, so at least 0", m)
		}
		a.Margin = float32(v)
	}
	s.Answers = append(s.Answers, a)
	return nil
}

// class reads a class index; "5.0" is 5, as some programs write integers.
func (s *Set) class(field, text string, line int) (int, error) {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || v < 0 || v >= maxClasses || v != math.Trunc(v) {
		return 0, fault(s.File, line, "%s is %q; it is a class index from 0 to %d", field, text, maxClasses-1)
	}
	return int(v), nil
}
