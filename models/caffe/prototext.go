package caffe

import (
	"fmt"
	"strconv"
	"strings"
)

// maxDepth is how deep messages may nest, the limit of protobuf itself.
const maxDepth = 100

// message is a protobuf message in text form: its fields in the order of the
// file, duplicates and unknown ones included.
type message struct {
	fields []*field
	at     place
}

// field is one "name: value" or "name { ... }" of a message.
type field struct {
	name   string
	at     place
	values []value // more than one, or none, for a list [a, b]
}

// place is a line and a column (in bytes), both counted from 1.
type place struct{ line, column int }

// valueKind tells the forms of a value apart.
type valueKind int

const (
	number     valueKind = iota // text is the literal, sign included
	identifier                  // text is the word: an enum's name, true, inf
	quoted                      // text is what the string stands for
	block                       // message is set
)

// value is a scalar or a message.
type value struct {
	kind    valueKind
	text    string
	message *message
	at      place
}

// all are the fields of that name.
func (m *message) all(name string) []*field {
	var out []*field
	for _, f := range m.fields {
		if f.name == name {
			out = append(out, f)
		}
	}
	return out
}

// parser reads protobuf's text format one token ahead.
type parser struct {
	lexer
	token token
}

// parseText reads a message in protobuf's text format. An error begins with
// file:line:column.
func parseText(file, text string) (*message, error) {
	p := &parser{lexer: lexer{file: file, text: text, at: place{1, 1}}}
	p.lexer.skipMark()
	if err := p.advance(); err != nil {
		return nil, err
	}
	return p.message("", 0, place{1, 1})
}

func (p *parser) advance() (err error) {
	p.token, err = p.next()
	return err
}

// accept takes the symbol if it is next.
func (p *parser) accept(symbol string) (bool, error) {
	if p.token.kind != symbolToken || p.token.text != symbol {
		return false, nil
	}
	return true, p.advance()
}

// message reads fields up to the closing symbol, or to the end of the file if
// end is empty.
func (p *parser) message(end string, depth int, open place) (*message, error) {
	m := &message{at: open}
	if depth > maxDepth {
		return nil, p.errorAt(open, "messages nest deeper than %d", maxDepth)
	}
	for {
		t := p.token
		if t.kind == endToken {
			if end == "" {
				return m, nil
			}
			return nil, p.errorAt(t.at, "the file ends inside the block opened in line %d; %q is missing", open.line, end)
		}
		if done, err := p.accept(end); done || err != nil {
			return m, err
		}
		f, err := p.field(depth)
		if err != nil {
			return nil, err
		}
		m.fields = append(m.fields, f)
	}
}

func (p *parser) field(depth int) (*field, error) {
	f := &field{at: p.token.at}
	var err error
	if f.name, err = p.fieldName(); err != nil {
		return nil, err
	}
	colon, err := p.accept(":")
	if err != nil {
		return nil, err
	}
	if list, err := p.accept("["); err != nil {
		return nil, err
	} else if list {
		err = p.list(f, colon, depth)
		return f, p.separator(err)
	}
	v, err := p.value(colon, depth)
	f.values = []value{v}
	return f, p.separator(err)
}

// separator skips one comma or semicolon, unless there was an error before.
func (p *parser) separator(err error) error {
	if err != nil {
		return err
	}
	if comma, err := p.accept(","); comma || err != nil {
		return err
	}
	_, err = p.accept(";")
	return err
}

// fieldName reads a word, or the bracketed name of an extension.
func (p *parser) fieldName() (string, error) {
	t := p.token
	if t.kind == wordToken {
		return t.text, p.advance()
	}
	if t.kind != symbolToken || t.text != "[" {
		return "", p.errorAt(t.at, "expected the name of a field, found %s", t)
	}
	var name strings.Builder
	for {
		if err := p.advance(); err != nil {
			return "", err
		}
		if closed, err := p.accept("]"); closed || err != nil {
			return "[" + name.String() + "]", err
		}
		if t := p.token; t.kind != wordToken && t.text != "." && t.text != "/" {
			return "", p.errorAt(t.at, "expected the name of an extension, found %s", t)
		}
		name.WriteString(p.token.text)
	}
}

func (p *parser) list(f *field, colon bool, depth int) error {
	if closed, err := p.accept("]"); closed || err != nil {
		return err
	}
	for {
		v, err := p.value(colon, depth)
		if err != nil {
			return err
		}
		f.values = append(f.values, v)
		if closed, err := p.accept("]"); closed || err != nil {
			return err
		}
		comma, err := p.accept(",")
		if err != nil {
			return err
		}
		if !comma {
			return p.errorAt(p.token.at, "expected \",\" or \"]\", found %s", p.token)
		}
	}
}

func (p *parser) value(colon bool, depth int) (value, error) {
	at := p.token.at
	for _, pair := range [][2]string{{"{", "}"}, {"<", ">"}} {
		open, err := p.accept(pair[0])
		if err != nil {
			return value{}, err
		}
		if open {
			m, err := p.message(pair[1], depth+1, at)
			return value{kind: block, message: m, at: at}, err
		}
	}
	if !colon {
		return value{}, p.errorAt(at, "expected \":\" or \"{\", found %s", p.token)
	}
	return p.scalar()
}

func (p *parser) scalar() (value, error) {
	v := value{at: p.token.at}
	minus, err := p.accept("-")
	if err != nil {
		return v, err
	}
	switch p.token.kind {
	case stringToken:
		v.kind = quoted
		for p.token.kind == stringToken && !minus {
			v.text += p.token.text
			if err := p.advance(); err != nil {
				return v, err
			}
		}
	case numberToken:
		v.kind, v.text = number, p.token.text
		err = p.advance()
	case wordToken:
		v.kind, v.text = identifier, p.token.text
		err = p.advance()
	default:
		return v, p.errorAt(p.token.at, "expected a value, found %s", p.token)
	}
	if !minus {
		return v, err
	}
	if v.kind == quoted || v.kind == identifier && !isFloatWord(v.text) {
		return v, p.errorAt(v.at, "expected a number after \"-\"")
	}
	v.kind, v.text = number, "-"+v.text
	return v, err
}

func isFloatWord(s string) bool {
	switch strings.ToLower(s) {
	case "inf", "infinity", "nan":
		return true
	}
	return false
}

// integer is the value of a number: decimal, 0x hexadecimal or 0 octal.
func (v value) integer() (int64, error) {
	if v.kind != number {
		return 0, fmt.Errorf("expected a whole number, found %s", v)
	}
	n, err := strconv.ParseInt(v.text, 0, 64)
	hex := strings.ContainsAny(v.text, "xX")
	if err != nil || strings.Contains(v.text, "_") || !hex && strings.ContainsAny(v.text, "oObB") {
		return 0, fmt.Errorf("expected a whole number, found %s", v)
	}
	return n, nil
}

// float is the value of a number rounded to double and then to single
// precision, as protobuf's C++ reader does it.
func (v value) float() (float32, error) {
	if n, err := v.integer(); err == nil {
		return float32(float64(n)), nil
	}
	text := strings.ToLower(v.text)
	if v.kind == number && !strings.HasSuffix(text, "inf") {
		text = strings.TrimSuffix(text, "f")
	}
	word := isFloatWord(strings.TrimPrefix(text, "-"))
	if v.kind == quoted || v.kind == block || (v.kind == identifier && !word) || strings.ContainsAny(text, "_x") {
		return 0, fmt.Errorf("expected a number, found %s", v)
	}
	if strings.HasSuffix(text, "nan") {
		text = "nan"
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil && !strings.Contains(err.Error(), "range") {
		return 0, fmt.Errorf("expected a number, found %s", v)
	}
	return float32(f), nil
}

// boolean is the value of true, t, True, 1 and their opposites.
func (v value) boolean() (bool, error) {
	switch v.kind {
	case identifier:
		switch v.text {
		case "true", "True", "t":
			return true, nil
		case "false", "False", "f":
			return false, nil
		}
	case number:
		if n, err := v.integer(); err == nil && (n == 0 || n == 1) {
			return n == 1, nil
		}
	}
	return false, fmt.Errorf("expected true or false, found %s", v)
}

// String shows the value in an error message.
func (v value) String() string {
	switch v.kind {
	case block:
		return "a block { ... }"
	case quoted:
		return "the string " + strconv.Quote(v.text)
	}
	return v.text
}
