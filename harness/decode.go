package harness

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"

	"quantbench/harness/diagnose"
)

// ConfigError is a mistake in a configuration, with its place.
type ConfigError struct {
	File         string
	Line, Column int
	Msg          string
}

// Error renders file:line:column: message.
func (e *ConfigError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %s", e.File, e.Msg)
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Msg)
}

// ParseConfig reads a configuration strictly: an unknown field, a wrong type, a
// second document or an unknown name is a *ConfigError. All mistakes of a file
// are returned at once, joined.
func ParseConfig(file string, data []byte) (*Config, error) {
	root, err := singleDocument(file, data)
	if err != nil {
		return nil, err
	}
	c := &Config{File: file}
	d := decoder{file: file}
	d.value(root, reflect.ValueOf(c).Elem())
	if len(d.errs) == 0 {
		d.validate(c, root)
	}
	if len(d.errs) > 0 {
		return nil, errors.Join(d.errs...)
	}
	sum := sha256.Sum256(data)
	c.Digest = hex.EncodeToString(sum[:])
	c.applyDefaults()
	return c, nil
}

// singleDocument parses data and refuses a second YAML document, which the
// library would leave unread.
func singleDocument(file string, data []byte) (*yaml.Node, error) {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, second yaml.Node
	if err := dec.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, &ConfigError{File: file, Msg: "the configuration is empty; see `bench run --help` for an example"}
		}
		return nil, syntaxError(file, err)
	}
	switch err := dec.Decode(&second); {
	case err == nil:
		return nil, &ConfigError{file, second.Line, max(second.Column, 1), "a second YAML document begins here; a configuration is one document"}
	case !errors.Is(err, io.EOF):
		return nil, syntaxError(file, err)
	}
	return doc.Content[0], nil
}

// syntaxError gives the library's "yaml: line 3: ..." our form.
func syntaxError(file string, err error) error {
	e := &ConfigError{File: file, Column: 1, Msg: strings.TrimPrefix(err.Error(), "yaml: ")}
	if n, _ := fmt.Sscanf(e.Msg, "line %d:", &e.Line); n == 1 {
		_, e.Msg, _ = strings.Cut(e.Msg, ": ")
	}
	return e
}

// decoder fills structs from YAML nodes and collects mistakes with their place.
type decoder struct {
	file string
	errs []error
}

func (d *decoder) fail(n *yaml.Node, format string, args ...any) {
	d.errs = append(d.errs, &ConfigError{d.file, n.Line, n.Column, fmt.Sprintf(format, args...)})
}

// value decodes n into v, whose kinds are those of Config's fields.
func (d *decoder) value(n *yaml.Node, v reflect.Value) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.value(n, v.Elem())
	case reflect.Struct:
		d.structure(n, v)
	case reflect.Slice:
		d.list(n, v)
	default:
		d.scalar(n, v)
	}
}

func (d *decoder) structure(n *yaml.Node, v reflect.Value) {
	if _, named := v.Type().FieldByName("Name"); named && n.Kind == yaml.ScalarNode {
		d.scalar(n, v.FieldByName("Name"))
		return
	}
	if n.Kind != yaml.MappingNode {
		d.fail(n, "expected fields (%s), found %s", strings.Join(fieldNames(v.Type()), ", "), kindName(n))
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, val := n.Content[i], n.Content[i+1]
		if line, twice := seen[key.Value]; twice {
			d.fail(key, "field %q is given twice; the first is in line %d", key.Value, line)
			continue
		}
		seen[key.Value] = key.Line
		f, ok := fieldByTag(v, key.Value)
		if !ok {
			d.fail(key, "unknown field %q%s", key.Value, diagnose.DidYouMean(key.Value, fieldNames(v.Type())))
			continue
		}
		d.value(val, f)
	}
}

// list decodes a sequence; a single value stands for a list of one.
func (d *decoder) list(n *yaml.Node, v reflect.Value) {
	items := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		items = n.Content
	}
	v.Set(reflect.MakeSlice(v.Type(), len(items), len(items)))
	for i, item := range items {
		d.value(item, v.Index(i))
	}
}

func (d *decoder) scalar(n *yaml.Node, v reflect.Value) {
	want := map[reflect.Kind]string{reflect.String: "a text", reflect.Int: "a whole number", reflect.Float64: "a number",
		reflect.Float32: "a number", reflect.Bool: "true or false"}[v.Kind()]
	if n.Kind != yaml.ScalarNode {
		d.fail(n, "expected %s, found %s", want, kindName(n))
		return
	}
	ok := map[reflect.Kind][]string{reflect.String: {"!!str", "!!int", "!!float", "!!bool"}, reflect.Int: {"!!int"},
		reflect.Float64: {"!!float", "!!int"}, reflect.Float32: {"!!float", "!!int"}, reflect.Bool: {"!!bool"}}[v.Kind()]
	for _, tag := range ok {
		if n.Tag == tag {
			if v.Kind() == reflect.String {
				v.SetString(n.Value)
			} else if err := n.Decode(v.Addr().Interface()); err != nil {
				d.fail(n, "expected %s, found %q", want, n.Value)
			}
			return
		}
	}
	d.fail(n, "expected %s, found %q", want, n.Value)
}

func kindName(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	return fmt.Sprintf("%q", n.Value)
}

// fieldNames are the YAML names of a struct type's fields, in order.
func fieldNames(t reflect.Type) []string {
	var names []string
	for i := range t.NumField() {
		if name, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ","); name != "" && name != "-" {
			names = append(names, name)
		}
	}
	return names
}

func fieldByTag(v reflect.Value, name string) (reflect.Value, bool) {
	for i := range v.NumField() {
		if tag, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ","); tag == name && tag != "-" {
			return v.Field(i), true
		}
	}
	return reflect.Value{}, false
}
