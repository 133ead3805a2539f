package lmdb

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"quantbench/datasets"
)

var ctx = context.Background()

func classes(n int) []string { return strings.Split(strings.Repeat("c ", n-1)+"c", " ") }

func info(n int) datasets.Info {
	return datasets.Info{Name: "db", Split: "test", Classes: classes(n)}
}

func bytesOf(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name + ".mdb")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func pixels(n, seed int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(seed + 3*i)
	}
	return b
}

func TestFew(t *testing.T) {
	for _, bgr := range []bool{false, true} {
		s, err := OpenSet(ctx, info(2), "testdata/few.mdb", bgr)
		if err != nil || s.Info().Len != 4 {
			t.Fatal(err)
		}
		for i := range 3 {
			p, err := s.Picture(ctx, i)
			want := pixels(12, i)
			if bgr {
				want = bytes.Join([][]byte{want[8:], want[4:8], want[:4]}, nil)
			}
			if err != nil || p.Label != i%2 || p.ID != fmt.Sprintf("db/test/%08d_x", i) || p.Channels != 3 || p.Height != 2 || p.Width != 2 || !bytes.Equal(p.Pixels, want) {
				t.Errorf("%d: %+v %v", i, p, err)
			}
		}
		p, err := s.Picture(ctx, 3)
		if err != nil || p.Label != 1 || !bytes.Equal(p.Pixels, []byte{200, 200, 1, 1, 2, 2}) {
			t.Errorf("encoded: %+v %v", p, err)
		}
	}
}

func TestMany(t *testing.T) {
	i := info(10)
	i.Channels = 3
	s, err := OpenSet(ctx, i, "testdata/many.mdb", true)
	if err != nil || s.Info().Len != 400 {
		t.Fatal(err)
	}
	for i := range 400 {
		n := 16
		if i < 20 && i%2 == 0 {
			n = 3072
		}
		p, err := s.Picture(ctx, i)
		if err != nil || p.Label != i%10 || p.Channels != 3 || !bytes.Equal(p.Pixels[:n], pixels(n, i)) || len(p.Pixels) != 3*n {
			t.Fatalf("%d: %d bytes, label %d, %v", i, len(p.Pixels), p.Label, err)
		}
		if id, err := s.ID(i); err != nil || id != p.ID {
			t.Fatalf("picture %d is called %q, and its ID is %q (%v)", i, id, p.ID, err)
		}
	}
	part, err := datasets.Range(s, 3, 5)
	if want, _ := s.RangeDigest(ctx, 3, 5); err != nil || part.Info().Digest != want {
		t.Error(err)
	}
	for _, i := range []int{-1, 400} {
		if _, err := s.Picture(ctx, i); err == nil {
			t.Errorf("picture %d", i)
		}
		if _, err := s.ID(i); err == nil {
			t.Errorf("picture %d has a name", i)
		}
	}
	done, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := s.Picture(done, 0); err == nil {
		t.Error("cancelled")
	}
	if _, err := OpenSet(done, info(10), "testdata/many.mdb", true); err == nil {
		t.Error("opened though cancelled")
	}
}

func TestFolderAndChange(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "data.mdb")
	data := bytesOf(t, "few")
	os.WriteFile(file, data, 0o600)
	s, err := OpenSet(ctx, info(2), dir, false)
	if err != nil {
		t.Fatal(err)
	}
	os.WriteFile(file, bytes.ReplaceAll(data, pixels(12, 0), pixels(12, 9)), 0o600)
	if _, err := s.Picture(ctx, 0); err == nil || !strings.Contains(err.Error(), "has changed") {
		t.Error(err)
	}
	if _, err := OpenSet(ctx, info(2), filepath.Join(dir, "none"), false); err == nil {
		t.Error("no file")
	}
}

func openBytes(data []byte) (*Set, error) {
	db, err := Open("f", bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	return New(ctx, info(10), db, true)
}

// TestCut: a database that is cut anywhere up to its last used byte is refused.
func TestCut(t *testing.T) {
	data := bytesOf(t, "many")
	whole, err := openBytes(data)
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; n < len(data); n += 509 {
		s, err := openBytes(data[:n])
		if err == nil && s.Info().Digest != whole.Info().Digest {
			t.Fatalf("cut to %d bytes: another set", n)
		}
		if err != nil && !strings.HasPrefix(err.Error(), "f: ") {
			t.Fatal(err)
		}
		if err == nil && n < len(data)/2 {
			t.Fatalf("cut to %d of %d bytes: accepted", n, len(data))
		}
	}
}

func TestRefused(t *testing.T) {
	change := func(name string, at int, v ...byte) []byte {
		b := bytesOf(t, name)
		for _, meta := range []int{pageHeader, 4096 + pageHeader} {
			copy(b[meta+at:], v)
		}
		return b
	}
	page := func(at int, v ...byte) []byte { // changes the root page of few.mdb
		b := bytesOf(t, "few")
		db, _ := Open("f", bytes.NewReader(b), int64(len(b)))
		copy(b[int64(db.root)*db.page+int64(at):], v)
		return b
	}
	few := bytesOf(t, "few")
	node := int(binary.LittleEndian.Uint16(few[2*4096+pageHeader:]))
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"nothing":       {nil, "152 bytes were expected at byte 0"},
		"text":          {bytes.Repeat([]byte("x"), 9000), "no LMDB database"},
		"version":       {change("few", 4, 2), "version 2"},
		"page size":     {change("few", 24, 0, 1, 1), "powers of two"},
		"no keys":       {bytesOf(t, "empty"), "the database is empty"},
		"named":         {bytesOf(t, "named"), "holds other databases"},
		"duplicates":    {bytesOf(t, "double"), "several values a key"},
		"count":         {change("few", 24+dbSize+32, 9), "the header says 9"},
		"root":          {change("few", 24+dbSize+40, 200), "page 200 is used"},
		"meta as root":  {change("few", 24+dbSize+40, 0), "is no page of the tree"},
		"entry outside": {page(pageHeader, 0xff, 0xff), "entry 0 lies outside"},
		"branch circle": {page(10, pageBranch), ""},
		"value outside": {page(node, 0xff, 0xff), "lies outside its page"},
		"big outside":   {page(node+4, nodeBig), "pages"},
		"order":         {page(node+nodeHeader, 'z'), "follows"},
		"protobuf":      {page(node+nodeHeader+10, 0), "begins no protobuf field"},
		"cut field":     {page(node+nodeHeader+10+7, 0x7f), "is cut off"},
		"label":         {bytes.ReplaceAll(few, []byte{0x28, 0}, []byte{0x28, 11}), "has label 11"},
	} {
		if _, err := openBytes(c.data); err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "f: ") {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestDatum(t *testing.T) {
	good := Datum{Channels: 1, Height: 1, Width: 2, Data: []byte{1, 2}, Label: 3}
	if p, err := good.Picture("p", true); err != nil || p.Label != 3 || len(p.Pixels) != 2 {
		t.Error(err)
	}
	for want, d := range map[string]Datum{
		"floats":            {Channels: 1, Height: 1, Width: 2, floats: true},
		"2 channels":        {Channels: 2, Height: 1, Width: 1, Data: []byte{1, 2}},
		"1 channels of 0x1": {Channels: 1, Width: 1},
		"1 bytes instead":   {Channels: 1, Height: 1, Width: 2, Data: []byte{1}},
		"begins with":       {Encoded: true, Data: []byte("abcdef")},
	} {
		if _, err := d.Picture("p", false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	d, err := ParseDatum(protowire.AppendFixed32(protowire.AppendTag(nil, datumFloats, protowire.Fixed32Type), 1))
	if err != nil || !d.floats {
		t.Error(err)
	}
}

func FuzzOpen(f *testing.F) {
	for _, name := range []string{"few", "many", "empty", "named", "double"} {
		f.Add(bytesOf(f, name))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := openBytes(data)
		if err != nil {
			return
		}
		for i := range s.Info().Len {
			s.Picture(ctx, i)
		}
	})
}

func FuzzParseDatum(f *testing.F) {
	f.Add([]byte("\x08\x01\x10\x01\x18\x02\x22\x02ab\x28\x03"))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := ParseDatum(data)
		if err == nil && len(d.Data) < 1<<16 {
			if p, err := d.Picture("p", true); err == nil && len(p.Pixels) != p.Channels*p.Height*p.Width {
				t.Fatal("sizes")
			}
		}
	})
}
