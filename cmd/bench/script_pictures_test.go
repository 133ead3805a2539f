package main

import (
	"bytes"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"
)

// scriptCommands are what scripts can do besides the usual: exits, weights, "picture KIND FILE..."
// writes a picture, sound or damaged; "cut FILE N" keeps the first N bytes.
var scriptCommands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	"exits":   exits,
	"weights": weights,
	"picture": func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) < 2 {
			ts.Fatalf("usage: picture KIND FILE...")
		}
		for _, name := range args[1:] {
			path := ts.MkAbs(name)
			ts.Check(os.MkdirAll(filepath.Dir(path), 0o755))
			data := scriptPicture(args[0])
			if data == nil {
				ts.Fatalf("no kind of picture is called %q", args[0])
			}
			ts.Check(os.WriteFile(path, data, 0o644))
		}
	},
	"cut": func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) != 2 {
			ts.Fatalf("usage: cut FILE BYTES")
		}
		n, err := strconv.ParseInt(args[1], 10, 64)
		ts.Check(err)
		ts.Check(os.Truncate(ts.MkAbs(args[0]), n))
	},
}

// scriptPicture is a picture of a kind: 40x30 pixels unless it says otherwise.
func scriptPicture(kind string) []byte {
	m := image.NewNRGBA(image.Rect(0, 0, 40, 30))
	for y := range 30 {
		for x := range 40 {
			m.SetNRGBA(x, y, color.NRGBA{byte(x * 6), byte(y * 8), 90, 255})
		}
	}
	var b bytes.Buffer
	var err error
	switch kind {
	case "jpeg", "cut":
		err = jpeg.Encode(&b, m, nil)
	case "png":
		err = png.Encode(&b, m)
	case "gif":
		err = gif.Encode(&b, m, nil)
	case "pixel":
		err = jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 1, 1)), nil)
	case "cmyk": // the header of one: four components
		b.WriteString("\xff\xd8\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00\xff\xc0\x00\x14\x08\x00\x1e\x00\x28\x04")
		for i := range byte(4) {
			b.Write([]byte{i + 1, 0x11, 0})
		}
		b.WriteString("\xff\xda\x00\x02")
	default:
		return nil
	}
	if err != nil {
		panic(err)
	}
	if kind == "cut" {
		b.Truncate(b.Len() / 2)
	}
	return b.Bytes()
}
