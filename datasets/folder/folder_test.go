package folder

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"quantbench/datasets"
	ownjpeg "quantbench/datasets/jpeg"
)

var ctx = context.Background()

func pngOf(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func jpegOf(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 100}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func flat(m interface {
	image.Image
	Set(x, y int, c color.Color)
}, c color.Color) image.Image {
	for y := range m.Bounds().Dy() {
		for x := range m.Bounds().Dx() {
			m.Set(x, y, c)
		}
	}
	return m
}

var box = image.Rect(0, 0, 3, 2)

// cmyk is the header of a JPEG of four components.
func cmyk() []byte {
	b := []byte("\xff\xd8\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00\xff\xc0\x00\x14\x08\x00\x02\x00\x03\x04")
	for i := range byte(4) {
		b = append(b, i+1, 0x11, 0)
	}
	return append(b, "\xff\xda\x00\x02"...)
}

func TestDecode(t *testing.T) {
	red := color.NRGBA{200, 10, 30, 255}
	pixels := func(v ...byte) (out []byte) {
		for _, b := range v {
			out = append(out, bytes.Repeat([]byte{b}, 6)...)
		}
		return out
	}
	for name, c := range map[string]struct {
		data []byte
		want []byte
	}{
		"PNG":         {pngOf(t, flat(image.NewNRGBA(box), red)), pixels(200, 10, 30)},
		"grey PNG":    {pngOf(t, flat(image.NewGray(box), color.Gray{77})), pixels(77)},
		"16-bit grey": {pngOf(t, flat(image.NewGray16(box), color.Gray16{0x1234})), pixels(0x12)},
		"palette":     {pngOf(t, flat(image.NewPaletted(box, color.Palette{red}), red)), pixels(200, 10, 30)},
		"grey JPEG":   {jpegOf(t, flat(image.NewGray(box), color.Gray{77})), pixels(77)},
		"JPEG":        {jpegOf(t, flat(image.NewNRGBA(box), color.Gray{90})), pixels(90, 90, 90)},
	} {
		p, err := Decode(name, c.data)
		if err != nil || p.Height != 2 || p.Width != 3 || p.ID != name || !bytes.Equal(p.Pixels, c.want) {
			t.Errorf("%s: %dx%dx%d %v %v, want %v", name, p.Channels, p.Height, p.Width, p.Pixels, err, c.want)
		}
	}
	// Chroma is subsampled: it is interpolated between its samples.
	grad := image.NewNRGBA(image.Rect(0, 0, 17, 9))
	for i := range grad.Pix {
		grad.Pix[i] = byte(i * 5)
	}
	data := jpegOf(t, grad)
	p, err := Decode("f", data)
	if err != nil {
		t.Fatal(err)
	}
	var planes ownjpeg.Planes
	if err := ownjpeg.Decode(data, &planes); err != nil {
		t.Fatal(err)
	}
	if want, err := planes.RGB(nil, ownjpeg.Fancy); err != nil || !bytes.Equal(p.Pixels, want) {
		t.Errorf("the pixels are not those of interpolated chroma (%v)", err)
	}
}

func TestDecodeErrors(t *testing.T) {
	good, goodPNG := jpegOf(t, flat(image.NewNRGBA(image.Rect(0, 0, 64, 64)), color.Gray{9})), pngOf(t, image.NewGray(box))
	bad := bytes.Clone(goodPNG)
	bad[len(bad)-20] ^= 0xff
	for want, data := range map[string][]byte{
		"is CMYK":                   cmyk(),
		"1x1 pixels":                jpegOf(t, image.NewGray(image.Rect(0, 0, 1, 1))),
		"is cut off after 300 byte": good[:300],
		"is cut off after 20 bytes": good[:20],
		"cut off after 40":          goodPNG[:40],
		"is damaged":                bad,
		"transparent":               pngOf(t, image.NewNRGBA(box)),
		"but a GIF":                 []byte("GIF89a..."),
		"but a web page":            []byte("<html>"),
		"is empty":                  nil,
		"begins with 00 01":         {0, 1},
	} {
		if _, err := Decode("f", data); err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "f: ") {
			t.Errorf("%v, want %q", err, want)
		}
	}
	huge := bytes.Clone(goodPNG)
	huge[16], huge[20] = 0x10, 0x10 // the sum of the header is wrong now, too
	if _, err := Decode("f", huge); err == nil {
		t.Error("a huge picture was read")
	}
}

func pictures(t testing.TB) fstest.MapFS {
	grey := pngOf(t, flat(image.NewGray(box), color.Gray{5}))
	return fstest.MapFS{
		"cat/b.png": {Data: grey}, "cat/a.JPG": {Data: jpegOf(t, flat(image.NewNRGBA(box), color.Gray{90}))}, "cat/.hidden.png": {Data: grey},
		"dog/x/y.png": {Data: grey}, "dog/notes.txt": {Data: []byte("x")}, ".git/z.png": {Data: grey}, "top.png": {Data: grey},
	}
}

func names(t *testing.T, d datasets.Dataset) string {
	t.Helper()
	var out []string
	for i := range d.Info().Len {
		p, err := d.Picture(ctx, i)
		if err != nil {
			t.Fatal(err)
		}
		if id, err := datasets.ID(ctx, d, i); err != nil || id != p.ID {
			t.Errorf("picture %d is called %q, and its ID is %q (%v)", i, id, p.ID, err)
		}
		out = append(out, fmt.Sprint(p.ID, "=", p.Label))
	}
	return strings.Join(out, " ")
}

func TestTree(t *testing.T) {
	fsys := pictures(t)
	s, err := Tree(ctx, "pets", "test", fsys)
	if err != nil {
		t.Fatal(err)
	}
	if got := names(t, s); got != "pets/test/cat/a.JPG=0 pets/test/cat/b.png=0 pets/test/dog/x/y.png=1" {
		t.Error(got)
	}
	if i := s.Info(); i.Len != 3 || !slices.Equal(i.Classes, []string{"cat", "dog"}) || len(i.Digest) != 64 || len(s.Entries()) != 3 {
		t.Errorf("%+v", i)
	}
	part, err := datasets.Range(s, 1, 3)
	if want, _ := s.RangeDigest(ctx, 1, 3); err != nil || part.Info().Digest != want || want == s.Info().Digest {
		t.Error("digest of a range")
	}
	for _, i := range []int{-1, 3} {
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
	if _, err := Tree(done, "pets", "test", fsys); err == nil {
		t.Error("opened though cancelled")
	}
	fsys["cat/b.png"].Data = fsys["cat/a.JPG"].Data
	if _, err := s.Picture(ctx, 1); err == nil || !strings.Contains(err.Error(), "has changed") {
		t.Error(err)
	}
	delete(fsys, "cat/b.png")
	if _, err := s.Picture(ctx, 1); err == nil {
		t.Error("a missing file")
	}
	fsys["empty/notes.txt"] = &fstest.MapFile{}
	if _, err := Tree(ctx, "pets", "test", fsys); err == nil || !strings.Contains(err.Error(), "empty has no picture") {
		t.Error(err)
	}
	if _, err := Tree(ctx, "pets", "test", fstest.MapFS{"a.png": {}}); err == nil {
		t.Error("no subfolders")
	}
}

func TestBadPicturesAreListed(t *testing.T) {
	fsys := pictures(t)
	fsys["cat/cut.jpg"] = &fstest.MapFile{Data: fsys["cat/a.JPG"].Data[:100]}
	s, err := Tree(ctx, "pets", "test", fsys)
	if err != nil {
		t.Fatal(err)
	}
	good, bad, err := datasets.Check(ctx, s)
	if err != nil || !slices.Equal(good, []int{0, 1, 3}) || len(bad) != 1 || bad[0].Index != 2 || !strings.Contains(bad[0].Err.Error(), "pets/test/cat/cut.jpg: the picture is cut off") {
		t.Fatalf("%v %v %v", good, bad, err)
	}
	d, err := datasets.Select(ctx, s, good)
	if err != nil || d.Info().Len != 3 || d.Info().Digest == s.Info().Digest {
		t.Fatal(err)
	}
	if got := names(t, d); strings.Contains(got, "cut") {
		t.Error(got)
	}
	if n, err := datasets.ClassCounts(ctx, d); err != nil || !slices.Equal(n, []int{2, 1}) {
		t.Error(n, err)
	}
	if _, err := datasets.ClassCounts(ctx, s); err == nil {
		t.Error("classes of a set with a bad picture were counted")
	}
}

func TestCSV(t *testing.T) {
	fsys := pictures(t)
	write := func(text string) *Set {
		fsys["cat/l.csv"] = &fstest.MapFile{Data: []byte(text)}
		s, err := CSV(ctx, "pets", "test", fsys, "cat/l.csv")
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		return s
	}
	s := write("\ufeffpath,label\nb.png,zebra\r\n \"a.JPG\", ant\n")
	if got := names(t, s); got != "pets/test/cat/b.png=1 pets/test/cat/a.JPG=0" || !reflect.DeepEqual(s.Info().Classes, []string{"ant", "zebra"}) {
		t.Error(got, s.Info().Classes)
	}
	s = write("./b.png,2\na.JPG,0\n")
	if got := names(t, s); got != "pets/test/cat/b.png=2 pets/test/cat/a.JPG=0" || len(s.Info().Classes) != 3 {
		t.Error(got, s.Info().Classes)
	}
	for text, want := range map[string]string{
		"":                   "no line names a picture",
		"path,label\n":       "no line",
		"a.png\n":            "l.csv:1: 1 fields",
		"a.png,1\n\nb,c,d\n": "l.csv:3: 3 fields",
		"../a.png,1\n":       "l.csv:1: path",
		"/a.png,1\n":         "stay within",
		"a.png,\n":           "has no label",
		"a.png,1\na.png,2\n": "l.csv:2: a.png is there twice, before in line 1",
		"a.png,\"1\n":        "l.csv:",
		"b.png,99999999\n":   "larger than",
		"none.png,1\n":       "none.png",
	} {
		fsys["cat/l.csv"] = &fstest.MapFile{Data: []byte(text)}
		if _, err := CSV(ctx, "pets", "test", fsys, "cat/l.csv"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	if _, err := CSV(ctx, "pets", "test", fsys, "none.csv"); err == nil {
		t.Error("no file")
	}
}

func TestNewErrors(t *testing.T) {
	info := datasets.Info{Name: "n", Split: "test", Classes: []string{"a"}}
	if _, err := New(ctx, info, nil); err == nil {
		t.Error("no entries")
	}
	if _, err := New(ctx, info, []Entry{{Name: "x", Label: 1}}); err == nil {
		t.Error("label")
	}
	boom := errors.New("boom")
	many := make([]Entry, 100)
	for i := range many {
		many[i] = Entry{Name: "x", Read: func() ([]byte, error) { return nil, boom }}
	}
	if _, err := New(ctx, info, many); !errors.Is(err, boom) {
		t.Error(err)
	}
	info.Channels = 3
	s, err := New(ctx, info, []Entry{FileEntry(pictures(t), "cat/b.png", 0)})
	if err != nil {
		t.Fatal(err)
	}
	if p, err := s.Picture(ctx, 0); err != nil || p.Channels != 3 || len(p.Pixels) != 18 || p.Pixels[12] != 5 {
		t.Errorf("%+v %v", p, err)
	}
}

func TestFind(t *testing.T) {
	write := func(files fstest.MapFS) string {
		dir := t.TempDir()
		if err := os.CopyFS(dir, files); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	png := &fstest.MapFile{Data: pngOf(t, image.NewGray(box)), Mode: 0o600}
	text := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s), Mode: 0o600} }
	for name, c := range map[string]struct {
		split string
		files fstest.MapFS
	}{
		"subfolder": {"train", fstest.MapFS{"train/a/1.png": png}},
		"csv":       {"train", fstest.MapFS{"train.csv": text("1.png,0\n"), "1.png": png}},
		"labels":    {"test", fstest.MapFS{"labels.csv": text("1.png,0\n"), "1.png": png}},
		"root":      {"test", fstest.MapFS{"a/1.png": png}},
	} {
		if d, err := Find(ctx, "folder", c.split, []string{t.TempDir(), write(c.files)}, nil); err != nil || d.Info().Len != 1 {
			t.Errorf("%s: %v", name, err)
		}
	}
	var miss *datasets.MissingError
	if _, err := Find(ctx, "folder", "test", []string{t.TempDir(), filepath.Join(t.TempDir(), "none")}, nil); !errors.As(err, &miss) || len(miss.Looked) == 0 {
		t.Error(err)
	}
}

func FuzzParseCSV(f *testing.F) {
	f.Add("path,label\na.png,1\n\"b,c.png\", cat\n")
	f.Add("a.png,1\na.png,2\n")
	f.Fuzz(func(t *testing.T, text string) {
		rows, err := ParseCSV("f", strings.NewReader(text))
		if err == nil {
			if classes, labels := number(rows); classes != nil && (len(labels) != len(rows) || labels[0] >= len(classes)) {
				t.Fatal("labels")
			}
		}
	})
}

func FuzzDecode(f *testing.F) {
	f.Add(jpegOf(f, flat(image.NewNRGBA(box), color.Gray{90})))
	f.Add(pngOf(f, image.NewGray(box)))
	f.Add(cmyk())
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<12 {
			return
		}
		if p, err := Decode("f", data); err == nil && len(p.Pixels) != p.Channels*p.Height*p.Width {
			t.Fatal("sizes")
		}
	})
}
