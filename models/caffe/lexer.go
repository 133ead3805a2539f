package caffe

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

type tokenKind int

const (
	endToken tokenKind = iota
	wordToken
	numberToken
	stringToken
	symbolToken
)

// token is the smallest unit of the text format; the text of a string has its
// escapes resolved.
type token struct {
	kind tokenKind
	text string
	at   place
}

// String shows the token in an error message.
func (t token) String() string {
	switch t.kind {
	case endToken:
		return "the end of the file"
	case stringToken:
		return fmt.Sprintf("the string %q", t.text)
	}
	return fmt.Sprintf("%q", t.text)
}

// lexer cuts a text into tokens.
type lexer struct {
	file string
	text string // what is left
	at   place  // where it begins
}

func (l *lexer) errorAt(at place, format string, args ...any) error {
	return fmt.Errorf("%s:%d:%d: %s", l.file, at.line, at.column, fmt.Sprintf(format, args...))
}

// skipMark drops a byte order mark.
func (l *lexer) skipMark() { l.text = strings.TrimPrefix(l.text, "\ufeff") }

// take cuts n bytes off the text and moves the place over them.
func (l *lexer) take(n int) string {
	s := l.text[:n]
	l.text = l.text[n:]
	if lines := strings.Count(s, "\n"); lines > 0 {
		l.at.line += lines
		l.at.column = n - strings.LastIndexByte(s, '\n')
	} else {
		l.at.column += n
	}
	return s
}

// skipSpace drops white space and # comments.
func (l *lexer) skipSpace() {
	for l.text != "" {
		n := span(l.text, func(c byte) bool { return strings.IndexByte(" \t\r\n\v\f", c) >= 0 })
		if n == 0 && l.text[0] == '#' {
			n = strings.IndexByte(l.text, '\n')
			if n < 0 {
				n = len(l.text)
			}
		}
		if n == 0 {
			return
		}
		l.take(n)
	}
}

func (l *lexer) next() (token, error) {
	l.skipSpace()
	t := token{at: l.at}
	if l.text == "" {
		return t, nil
	}
	switch c := l.text[0]; {
	case isLetter(c):
		t.kind = wordToken
		t.text = l.take(span(l.text, func(c byte) bool { return isLetter(c) || isDigit(c) }))
	case isDigit(c), c == '.' && len(l.text) > 1 && isDigit(l.text[1]):
		t.kind = numberToken
		t.text = l.take(numberLength(l.text))
	case c == '"' || c == '\'':
		s, err := l.quoted()
		t.kind, t.text = stringToken, s
		return t, err
	case strings.IndexByte("{}<>[]:;,-./", c) >= 0:
		t.kind, t.text = symbolToken, l.take(1)
	default:
		r, _ := utf8.DecodeRuneInString(l.text)
		return t, l.errorAt(t.at, "unexpected character %q; is this a prototxt?", r)
	}
	return t, nil
}

func span(s string, in func(byte) bool) int {
	n := 0
	for n < len(s) && in(s[n]) {
		n++
	}
	return n
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' }

// numberLength covers letters too, so that 12abc is one bad number and not two
// tokens, and the sign of an exponent.
func numberLength(s string) int {
	hex := len(s) > 1 && s[0] == '0' && s[1]|0x20 == 'x'
	n := 0
	for n < len(s) {
		c := s[n]
		sign := (c == '+' || c == '-') && n > 0 && s[n-1]|0x20 == 'e' && !hex
		if !isDigit(c) && !isLetter(c) && c != '.' && !sign {
			break
		}
		n++
	}
	return n
}

// quoted reads one string in single or double quotes.
func (l *lexer) quoted() (string, error) {
	open, quote := l.at, l.text[0]
	l.take(1)
	var b strings.Builder
	for {
		n := span(l.text, func(c byte) bool { return c != quote && c != '\\' && c != '\n' })
		b.WriteString(l.take(n))
		if l.text == "" || l.text[0] == '\n' {
			return "", l.errorAt(open, "the string is not closed on its line; %c is missing", quote)
		}
		if l.text[0] == quote {
			l.take(1)
			return b.String(), nil
		}
		if err := l.escape(&b); err != nil {
			return "", err
		}
	}
}

// escape reads one backslash sequence.
func (l *lexer) escape(b *strings.Builder) error {
	at := l.at
	l.take(1)
	if l.text == "" {
		return l.errorAt(at, "the file ends inside a string")
	}
	c := l.text[0]
	if i := strings.IndexByte(`abfnrtv\'"?`, c); i >= 0 {
		l.take(1)
		b.WriteByte("\a\b\f\n\r\t\v\\'\"?"[i])
		return nil
	}
	if c >= '0' && c <= '7' {
		b.WriteByte(byte(l.digits(8, 3)))
		return nil
	}
	if size := map[byte]int{'x': 2, 'X': 2, 'u': 4, 'U': 8}[c]; size > 0 {
		l.take(1)
		before := len(l.text)
		n := l.digits(16, size)
		got := before - len(l.text)
		switch {
		case size == 2 && got > 0:
			b.WriteByte(byte(n))
			return nil
		case size > 2 && got == size && utf8.ValidRune(rune(n)) && n <= utf8.MaxRune:
			b.WriteRune(rune(n))
			return nil
		}
	}
	return l.errorAt(at, "unknown escape \\%c in a string", c)
}

// digits takes up to limit digits of the base.
func (l *lexer) digits(base uint32, limit int) uint32 {
	var n uint32
	for range limit {
		if l.text == "" {
			break
		}
		d := strings.IndexByte("0123456789abcdef", l.text[0]|0x20)
		if d < 0 || uint32(d) >= base {
			break
		}
		n = n*base + uint32(d)
		l.take(1)
	}
	return n
}
