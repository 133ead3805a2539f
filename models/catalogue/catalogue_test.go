package catalogue

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"quantbench/models/zoo"
)

// Every entry is described, and its files can be recognised and had.
func TestEntries(t *testing.T) {
	seen := map[string]bool{}
	for _, e := range List() {
		if seen[e.Name] || e.Name == "" || e.Title == "" || e.Licence == "" || e.Source == "" || e.Dataset == "" || e.Classes < 2 || e.Input.Len() == 0 {
			t.Errorf("%+v", e)
		}
		seen[e.Name] = true
		for _, f := range append(e.Files(), e.Train) {
			if f.Name == "" {
				continue
			}
			if len(f.SHA256) != 64 && len(f.MD5) != 32 {
				t.Errorf("%s: %s has no checksum", e.Name, f.Name)
			}
			if !e.Shipped && (len(f.Mirrors) == 0) == (f.Manual == "") {
				t.Errorf("%s: %s needs either mirrors or words", e.Name, f.Name)
			}
			for _, m := range f.Mirrors {
				if !strings.HasPrefix(m, "https://") || path.Base(m) != f.Name {
					t.Errorf("%s: mirror %s", f.Name, m)
				}
			}
		}
		if got, ok := Named(e.Name); !ok || got.Title != e.Title {
			t.Errorf("Named(%q)", e.Name)
		}
	}
	for _, m := range zoo.Models {
		if !seen[m.Name] {
			t.Errorf("%s ships but is not listed", m.Name)
		}
	}
	if _, ok := Named("alexnet"); ok || len(Names()) != len(seen) {
		t.Error("names")
	}
}

// The networks that ship, and those that are at hand, are what the entries say.
func TestNetworks(t *testing.T) {
	data := os.Getenv("BENCH_DATA")
	for _, e := range List() {
		t.Run(e.Name, func(t *testing.T) {
			var fsys fs.FS
			prototxt, caffemodel := "", ""
			if !e.Shipped {
				if data == "" {
					t.Skip("BENCH_DATA is not set: the network is not part of the repository")
				}
				if e.Name == "resnet18-imagenet" {
					t.Skip("its weights are published by checksum only")
				}
				fsys, prototxt, caffemodel = os.DirFS(data), e.Prototxt.Places[0], e.Caffemodel.Places[0]
			}
			net, err := e.Open(fsys, prototxt, caffemodel)
			if err != nil {
				t.Fatal(err)
			}
			if net.Input().Out != e.Input || net.Output().Out.Len() != e.Classes || net.Output().Weights != nil && net.Output().Type == "Softmax" {
				t.Errorf("%s to %s", net.Input().Out, net.Output().Out)
			}
			size := e.Caffemodel.Size
			if e.Shipped {
				info, err := fs.Stat(zoo.Files(), e.Caffemodel.Name)
				if err != nil || info.Size() != size {
					t.Errorf("%v %v", info, err)
				}
			} else if info, err := os.Stat(filepath.Join(data, caffemodel)); err != nil || info.Size() != size {
				t.Errorf("%v %v", info, err)
			}
		})
	}
}
