package loadable

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"quantbench/harness/runtime/nvdla/hardware"
	"quantbench/harness/runtime/nvdla/simulate"
)

func TestRead(t *testing.T) {
	for _, v := range []Version{{0, 10, 0}, {0, 11, 0}, {0, 12, 3}} {
		s := plainSample()
		s.version = v
		p, err := Read("x", s.file())
		if err != nil {
			t.Fatal(err)
		}
		if p.Target.Name != "nv_full" || len(p.Operations) != 2 || p.Input.Name != "data" || p.Output.Name != "prob" {
			t.Fatalf("%s: %+v", v, p)
		}
		d := p.Operations[0].PDP
		if d.Mode != hardware.PoolMax || d.Width != 2 || d.StrideX != 2 || p.Operations[0].Dst.W != 2 || p.Operations[0].Src.LineStride != 128 {
			t.Errorf("%s: %+v, %+v", v, p.Operations[0], d)
		}
		if f := p.Operations[1].Softmax; f.InScale != 1 || f.OutScale != 1.0/128 {
			t.Errorf("%s: %+v", v, f)
		}
	}
}

// The CPU takes its two channels as neighbouring bytes: the pooled element and
// the zero beside it.
func TestRun(t *testing.T) {
	p, err := Read("x", plainSample().file())
	if err != nil {
		t.Fatal(err)
	}
	m, err := simulate.New(p)
	if err != nil {
		t.Fatal(err)
	}
	// Windows 1 2 3 -4 and others; softmax of 3 and 0: 0.9526 and 0.0474 of 128, cut.
	out, err := m.Run([]int8{1, 2, 9, 9, 3, -4, 9, 9})
	if err != nil || !slices.Equal(out, []int8{121, 6}) {
		t.Errorf("%v, %v", out, err)
	}
	if got := string(FormatRaw(m.Output())); got != "121 6 " {
		t.Errorf("raw %q", got)
	}
}

func TestRefusedFiles(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*sample)
		want   string
	}{
		"unknown engine":   {func(s *sample) { s.engine = 77 }, "engine 77 is unknown"},
		"input too small":  {func(s *sample) { s.size = 100 }, "does not fit memory of 100 bytes"},
		"too much memory":  {func(s *sample) { s.size = 1 << 40 }, "allowed"},
		"sum of memories":  {func(s *sample) { s.size = maxMemory }, "more than"},
		"two inputs":       {func(s *sample) { s.flags = FlagInput }, "more than one input"},
		"unknown format":   {func(s *sample) { s.format = 9 }, "buffer format 9"},
		"unknown CPU task": {func(s *sample) { s.emuOld, s.format = true, 9 }, "buffer format 10"},
	} {
		s := plainSample()
		c.change(&s)
		if _, err := Read("f.nvdla", s.file()); err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "f.nvdla: ") {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	s := plainSample()
	s.emuOld, s.format = true, 2
	p, err := Read("x", s.file())
	if err != nil || p.Operations[1].Softmax.Precision != hardware.FP16 {
		t.Errorf("old CPU task: %v", err)
	}
	for _, b := range [][]byte{nil, []byte("no loadable"), make([]byte, 64), plainSample().file()[:200]} {
		if _, err := Read("x", b); err == nil {
			t.Errorf("%d bytes accepted", len(b))
		}
	}
}

func TestDIMG(t *testing.T) {
	d := &DIMG{Format: dimgInt8, W: 2, H: 1, C: 33, LineStride: 64, SurfStride: 64, Size: 128}
	buffer := make([]byte, 128)
	buffer[0], buffer[32], buffer[64], buffer[96] = 1, 2, 3, 4
	data, err := d.Gather(buffer)
	if err != nil || data[0] != 1 || data[1] != 2 || data[64] != 3 || data[65] != 4 {
		t.Errorf("%v, %v", data, err)
	}
	back, err := ReadDIMG("x", d.File(data))
	if err != nil || back.C != 33 || !bytes.Equal(back.Data, data) || back.ElementBytes() != 1 {
		t.Errorf("%+v, %v", back, err)
	}
	if _, err := d.Gather(buffer[:90]); err == nil {
		t.Error("short buffer accepted")
	}
	if (&DIMG{Format: dimgInt16}).ElementBytes() != 2 {
		t.Error("int16 has two bytes")
	}
	bad := d.File(data)
	for name, b := range map[string][]byte{"short": bad[:20], "cut": bad[:80], "no DIMG": append([]byte("GMID"), bad[4:]...), "format": append(slices.Concat(bad[:8], []byte{99}), bad[9:]...)} {
		if _, err := ReadDIMG("x", b); err == nil {
			t.Errorf("%s accepted", name)
		}
	}
}

func TestRaw(t *testing.T) {
	v, err := ReadRaw("x", []byte("1 -2 3 \n"))
	if err != nil || !slices.Equal(v, []int{1, -2, 3}) {
		t.Errorf("%v, %v", v, err)
	}
	if _, err := ReadRaw("x", []byte("1 two")); err == nil || !strings.Contains(err.Error(), "word 2") {
		t.Errorf("%v", err)
	}
}

func TestPicture(t *testing.T) {
	p, err := ReadPicture("x", []byte("P5 # comment\n2 1\n255\n\x00\xff"))
	if err != nil || p.W != 2 || p.H != 1 || !bytes.Equal(p.Pixels, []byte{0, 255}) {
		t.Fatalf("%+v, %v", p, err)
	}
	in, err := p.Input(hardware.Tensor{Cube: hardware.Cube{C: 1, H: 1, W: 2}})
	if err != nil || !slices.Equal(in, []int8{0, 127}) {
		t.Errorf("%v, %v", in, err)
	}
	if _, err := p.Input(hardware.Tensor{Cube: hardware.Cube{C: 1, H: 1, W: 3}}); err == nil {
		t.Error("picture of another size accepted")
	}
	for _, s := range []string{"", "P6 1 1 255\n...", "P5 x", "P5 1 1 65535\n..", "P5 9 9 255\n.", "\xff\xd8 no", "P5 0 1 255\n"} {
		if _, err := ReadPicture("x", []byte(s)); err == nil {
			t.Errorf("%q accepted", s)
		}
	}
}

// TestTarget: the buffer entries of a line tell nv_large from nv_full, atoms of
// eight bytes nv_small.
func TestTarget(t *testing.T) {
	conv := func(w, c, perSlice int) *hardware.Program {
		return &hardware.Program{Operations: []hardware.Operation{{
			Kind: hardware.Conv, Src: hardware.Cube{W: w, C: c},
			Conv: &hardware.ConvDesc{DataFormat: hardware.FormatFeature, EntryPerSlice: perSlice},
		}}}
	}
	f := &File{}
	for _, c := range []struct {
		w, c, n int
		want    string
	}{{12, 3, 3, "nv_full"}, {12, 3, 6, "nv_large"}, {9, 96, 9, "nv_full"}, {9, 96, 14, "nv_large"}, {11, 40, 6, "nv_full"}, {1, 32, 1, "nv_full"}} {
		if got := f.target(conv(c.w, c.c, c.n)); got.Name != c.want {
			t.Errorf("%+v: %s", c, got.Name)
		}
	}
	picture := conv(28, 4, 2)
	picture.Operations[0].Conv.DataFormat = hardware.FormatA8B8G8R8
	if got := f.target(picture); got.Name != "nv_large" {
		t.Errorf("picture: %s", got.Name)
	}
	f.Tensors = []Tensor{{DataType: typeInt8, PixelFormat: hardware.FormatFeatureX8}}
	if got := f.target(conv(1, 1, 1)); got.Name != "nv_small" {
		t.Errorf("x8: %s", got.Name)
	}
}

func FuzzRead(f *testing.F) {
	s := plainSample()
	f.Add(s.file())
	s.version = Version{0, 10, 0}
	f.Add(s.file())
	s.emuOld = true
	f.Add(s.file())
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Read("fuzz", b)
		if err != nil {
			return
		}
		total := 0
		for _, r := range p.Regions {
			total += r.Size
		}
		if total > 1<<20 {
			return // only time, no other paths
		}
		m, err := simulate.New(p)
		if err != nil {
			return
		}
		q := p.Input.Cube
		_ = m.Execute(make([]int8, max(0, q.C*q.H*q.W)))
	})
}

func FuzzReadPicture(f *testing.F) {
	f.Add([]byte("P5 2 1 255\n\x00\xff"))
	f.Add([]byte("\xff\xd8\xff\xc4\x00\x03\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, err := ReadPicture("fuzz", b); err == nil && len(p.Pixels) != p.C*p.H*p.W {
			t.Errorf("%d bytes for %d x %d x %d", len(p.Pixels), p.C, p.H, p.W)
		}
	})
}

func FuzzReadDIMG(f *testing.F) {
	f.Add((&DIMG{Format: dimgInt8, W: 1, H: 1, C: 1}).File([]byte{1}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if d, err := ReadDIMG("fuzz", b); err == nil {
			_, _ = d.Gather(b)
		}
	})
}
func TestProgramFor(t *testing.T) {
	f, err := Parse("x", plainSample().file())
	if err != nil {
		t.Fatal(err)
	}
	p, err := f.ProgramFor(hardware.Large)
	if err != nil || p.Target.Name != "nv_large" {
		t.Errorf("%v, %v", p, err)
	}
}
