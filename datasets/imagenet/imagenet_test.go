package imagenet

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"quantbench/datasets"
	"quantbench/datasets/folder"
)

var ctx = context.Background()

// words are a thousand made-up classes.
func words() string {
	var b strings.Builder
	for i := range classes {
		fmt.Fprintf(&b, "n%08d thing %d, other name\n", 100+2*i, i)
	}
	return b.String()
}

func picture(shade byte) []byte {
	m := image.NewGray(image.Rect(0, 0, 2, 2))
	m.Pix[0] = shade
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func tarOf(names ...string) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for i, n := range names {
		data := picture(byte(i))
		w.WriteHeader(&tar.Header{Name: n, Size: int64(len(data)), Mode: 0o644})
		w.Write(data)
	}
	w.Close()
	return b.Bytes()
}

func dirOf(t *testing.T, files map[string]string) string {
	t.Helper()
	m := fstest.MapFS{}
	for n, s := range files {
		m[n] = &fstest.MapFile{Data: []byte(s), Mode: 0o600}
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, m); err != nil {
		t.Fatal(err)
	}
	return dir
}

func labels(t *testing.T, d datasets.Dataset) string {
	t.Helper()
	var out []string
	for i := range d.Info().Len {
		p, err := d.Picture(ctx, i)
		if err != nil || p.Channels != 3 {
			t.Fatal(p.Channels, err)
		}
		out = append(out, fmt.Sprint(filepath.Base(p.ID), "=", p.Label))
	}
	return strings.Join(out, " ")
}

func name(i int) string { return fmt.Sprintf("ILSVRC2012_val_%08d.JPEG", i) }

func TestFind(t *testing.T) {
	one, txt := string(picture(1)), name(3)+" 7\n"+name(1)+" 999\n"+name(2)+" 0\n"
	for what, c := range map[string]struct {
		split, want string
		files       map[string]string
	}{
		"flat":          {"test", name(3) + "=7 " + name(1) + "=999", map[string]string{"imagenet/val/" + name(1): one, "imagenet/val/" + name(3): one, "imagenet/val.txt": txt, "imagenet/synset_words.txt": words()}},
		"beside":        {"test", name(2) + "=0", map[string]string{name(2): one, "val.txt": txt, "synset_words.txt": words()}},
		"tar":           {"test", name(3) + "=7 " + name(1) + "=999", map[string]string{valTar: string(tarOf(name(1), "x/"+name(3))), "val.txt": txt, "synset_words.txt": words()}},
		"class folders": {"test", "b.JPEG=1 a.png=2", map[string]string{"val/n00000104/a.png": one, "val/n00000102/b.JPEG": one, "synset_words.txt": words()}},
		"prefixes":      {"train", "n00000102_x_y.JPEG=1 n00000106.JPEG=3", map[string]string{"full-size/n00000102_x_y.JPEG": one, "full-size/n00000106.JPEG": one, "synset_words.txt": words()}},
	} {
		d, err := Find(ctx, c.split, []string{dirOf(t, c.files)}, nil)
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		if got := labels(t, d); got != c.want || d.Info().Classes[7] != "thing 7, other name" {
			t.Errorf("%s: %s, want %s", what, got, c.want)
		}
	}
}

func TestLMDB(t *testing.T) {
	data, err := os.ReadFile("../lmdb/testdata/few.mdb")
	if err != nil {
		t.Fatal(err)
	}
	dir := dirOf(t, map[string]string{"ilsvrc12_val_lmdb/data.mdb": string(data), "synset_words.txt": words()})
	d, err := Find(ctx, "test", []string{dir}, nil)
	if err != nil || labels(t, d) != "00000000_x=0 00000001_x=1 00000002_x=0 00000003_x=1" {
		t.Error(err)
	}
	// The first stored plane is blue.
	if p, err := d.Picture(ctx, 0); err != nil || p.Pixels[8] != 0 || p.Pixels[0] != 24 {
		t.Error(p.Pixels, err)
	}
	for _, files := range []map[string]string{{"ilsvrc12_train_lmdb/data.mdb": string(data)}, {"ilsvrc12_train_lmdb/data.mdb": "", "synset_words.txt": words()}} {
		if _, err := Find(ctx, "train", []string{dirOf(t, files)}, nil); err == nil {
			t.Error("accepted")
		}
	}
}

func TestFindErrors(t *testing.T) {
	one := string(picture(1))
	for want, files := range map[string]map[string]string{
		"imagenet/test: files not found":  {},
		"imagenet: synset_words.txt":      {name(1): one},
		"imagenet: val.txt":               {name(1): one, "synset_words.txt": words()},
		"1 pictures have no label":        {name(1): one, "synset_words.txt": words(), "val.txt": "x.JPEG 1"},
		"synset_words.txt: 2 classes":     {name(1): one, "synset_words.txt": "n00000001 a\nn00000002 b\n"},
		"wrong.png does not begin":        {"val/n00000100/a.png": one, "val/wrong.png": one, "synset_words.txt": words()},
		"val.txt:1: class":                {valTar: "", "synset_words.txt": words(), "val.txt": "x.JPEG 1000"},
		"the tar has no picture":          {valTar: string(tarOf()), "synset_words.txt": words(), "val.txt": "x.JPEG 1"},
		"has no label in":                 {valTar: string(tarOf("y.JPEG")), "synset_words.txt": words(), "val.txt": "x.JPEG 1"},
		"imagenet: synset_words.txt: fil": {valTar: ""},
	} {
		if _, err := Find(ctx, "test", []string{dirOf(t, files)}, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	var miss *datasets.MissingError
	if _, err := Find(ctx, "train", []string{t.TempDir()}, nil); !errors.As(err, &miss) {
		t.Error(err)
	}
	if _, err := Find(ctx, "val", nil, nil); err == nil {
		t.Error("split val")
	}
	if _, err := Find(ctx, "train", []string{dirOf(t, map[string]string{"train/n00000100/a.png": one})}, nil); err == nil {
		t.Error("no synsets")
	}
	if _, err := OpenTar(ctx, filepath.Join(dirOf(t, map[string]string{"val.txt": "x 1", "synset_words.txt": words()}), valTar), nil); err == nil {
		t.Error("no tar")
	}
}

func TestLists(t *testing.T) {
	s, err := ParseSynsets("s", []byte(words()))
	if err != nil || s.Label("n00000104") != 2 || s.Label("n00000103") != -1 {
		t.Error(err)
	}
	for text, want := range map[string]string{
		"tench\n":                      "s:1: ",
		"n00000002 b\n\nn00000001 a\n": "s:3: n00000001 follows n00000002",
		"n00000002 b\n" + strings.Repeat("x", 1<<17): "s: bufio",
	} {
		if _, err := ParseSynsets("s", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: %v", text, err)
		}
	}
	for text, want := range map[string]string{
		"": "is empty", "490\n": "ground truth", "a 1 2\n": "3 words", "a x\n": `class "x"`, "a -1\n": "0 to 999", "a 1\na 2\n": "l:2: a is there twice",
	} {
		if _, err := ParseLabels("l", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestTarErrors(t *testing.T) {
	good := tarOf("a.JPEG", "b.JPEG")
	for want, data := range map[string][]byte{
		"the tar ends inside a.JPEG":          good[:530],
		"a member's header cannot be read":    bytes.Repeat([]byte("x"), 1024),
		"a.JPEG is there twice":               tarOf("a.JPEG", "x/a.JPEG"),
		"the tar ends inside a member's head": good[:1300],
	} {
		if _, err := Tar("f", bytes.NewReader(data), nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestCounts(t *testing.T) {
	entries := make([]folder.Entry, full)
	for i := range entries {
		entries[i] = folder.Entry{Label: i % classes, Sum: [32]byte{1}}
	}
	s, _ := ParseSynsets("s", []byte(words()))
	if _, err := validated(ctx, entries, s); err != nil {
		t.Error(err)
	}
	entries[0].Label = 5
	if _, err := validated(ctx, entries, s); err == nil || !strings.Contains(err.Error(), "class 0 has 49") {
		t.Error(err)
	}
}

func TestReal(t *testing.T) {
	dir := os.Getenv("BENCH_DATA")
	if dir == "" {
		t.Skip("BENCH_DATA is not set: ImageNet's pictures are not part of the repository")
	}
	d, err := Find(ctx, "test", []string{dir}, nil)
	if err != nil || d.Info().Len != 1300 || d.Info().Classes[0] != "tench, Tinca tinca" {
		t.Fatal(err)
	}
	good, bad, err := datasets.Check(ctx, d)
	if err != nil || len(good) != 1300 || len(bad) != 0 {
		t.Errorf("%d good, %v, %v", len(good), bad, err)
	}
	d, err = Find(ctx, "train", []string{dir}, nil)
	if err != nil || d.Info().Len != 100 {
		t.Fatal(err)
	}
	p, err := d.Picture(ctx, 0)
	if err != nil || p.Label != 0 || p.Channels != 3 {
		t.Errorf("%+v %v", p.ID, err)
	}
	pre := datasets.Preprocess{Order: "bgr", Resize: datasets.Resize{Rule: datasets.Shorter, Size: 256}, Crop: datasets.Center}
	for i := range d.Info().Len {
		p, err := d.Picture(ctx, i)
		if err != nil {
			t.Fatal(err)
		}
		if err := pre.Bytes(p, 3, 224, 224, make([]byte, 3*224*224)); err != nil {
			t.Error(err)
		}
	}
	data, err := os.ReadFile(filepath.Join(dir, "imagenet/val.txt"))
	if err != nil {
		t.Fatal(err)
	}
	list, err := ParseLabels("val.txt", data)
	n := make([]int, classes)
	for _, l := range list {
		n[l.Label]++
	}
	if err != nil || len(list) != full || n[0] != 50 || n[999] != 50 {
		t.Error(len(list), err)
	}
}

func FuzzTar(f *testing.F) {
	f.Add(tarOf("a.JPEG", "b.JPEG"))
	f.Add(tarOf("a.JPEG")[:600])
	f.Fuzz(func(t *testing.T, data []byte) {
		entries, err := Tar("f", bytes.NewReader(data), nil)
		if err != nil {
			return
		}
		for _, e := range entries {
			if _, err := e.Read(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func FuzzLists(f *testing.F) {
	f.Add([]byte("a.JPEG 1\nb.JPEG 2\n"))
	f.Add([]byte(words()))
	f.Fuzz(func(t *testing.T, data []byte) {
		if l, err := ParseLabels("f", data); err == nil && len(l) == 0 {
			t.Fatal("nothing")
		}
		ParseSynsets("f", data)
	})
}
