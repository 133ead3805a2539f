package compute

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// scattered is a deconvolution as Caffe defines it: every input element adds its
// kernel to the output.
func scattered(x []int8, w []float32, c, h, width int, d Conv, outH, outW int) []int32 {
	y := make([]int32, d.Out*outH*outW)
	outs, size := d.Out/d.Groups, d.KernelH*d.KernelW
	for i, v := range x {
		ch, row, column := i/(h*width), i/width%h*d.StrideH-d.PadH, i%width*d.StrideW-d.PadW
		for k := range outs * size {
			o, r, q := ch/(c/d.Groups)*outs+k/size, row+k%size/d.KernelW*d.DilationH, column+k%d.KernelW*d.DilationW
			if r >= 0 && r < outH && q >= 0 && q < outW {
				y[(o*outH+r)*outW+q] += int32(v) * int32(w[ch*outs*size+k])
			}
		}
	}
	return y
}

// TestDeconv compares exact int8 sums for random sizes, with every padding that
// leaves an output.
func TestDeconv(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 1))
	ran := 0
	for range 200 {
		g := 1 + r.IntN(3)
		c, h, width := g*(1+r.IntN(3)), 1+r.IntN(5), 1+r.IntN(5)
		d := Conv{Out: g * (1 + r.IntN(3)), Groups: g, KernelH: 1 + r.IntN(4), KernelW: 1 + r.IntN(4), StrideH: 1 + r.IntN(3), StrideW: 1 + r.IntN(3),
			PadH: r.IntN(4), PadW: r.IntN(4), DilationH: 1 + r.IntN(2), DilationW: 1 + r.IntN(2)}
		outH := (h-1)*d.StrideH + (d.KernelH-1)*d.DilationH + 1 - 2*d.PadH
		outW := (width-1)*d.StrideW + (d.KernelW-1)*d.DilationW + 1 - 2*d.PadW
		if outH < 1 || outW < 1 {
			continue
		}
		ran++
		w := make([]float32, c*d.Out/g*d.KernelH*d.KernelW)
		for i := range w {
			w[i] = float32(r.IntN(255) - 127)
		}
		for _, v := range Transposed(w, c, d.Out, g, d.KernelH, d.KernelW) {
			d.Int8 = append(d.Int8, int8(v))
		}
		if err := sameScattered(r, w, c, h, width, d, outH, outW); err != nil {
			d.Int8 = nil
			t.Errorf("%dx%dx%d %+v: %v", c, h, width, d, err)
		}
	}
	if ran < 100 {
		t.Errorf("only %d deconvolutions ran", ran)
	}
}

func sameScattered(r *rand.Rand, w []float32, c, h, width int, d Conv, outH, outW int) error {
	b := NewBuilder()
	b.Groups = 2
	y := b.Deconv(b.Input(Int8, c, h, width), d)
	b.Keep(y)
	p, err := b.Build()
	if err != nil {
		return err
	}
	const pictures = 20
	in := make([]int8, pictures*c*h*width)
	for i := range in {
		in[i] = int8(r.IntN(256) - 128)
	}
	worker := p.NewWorker()
	if err := worker.RunInt8(in); err != nil {
		return err
	}
	got := make([]int32, d.Out*outH*outW)
	for i := range pictures {
		worker.Int32(y, i, got)
		if want := scattered(in[i*c*h*width:][:c*h*width], w, c, h, width, d, outH, outW); !slices.Equal(got, want) {
			return fmt.Errorf("picture %d: %v, want %v", i, got, want)
		}
	}
	return nil
}

func TestDeconvErrors(t *testing.T) {
	b := NewBuilder()
	b.Deconv(b.Input(Float32, 1, 2, 2), Conv{Out: 1, KernelH: 1, KernelW: 1, PadH: 5, Float32: []float32{1}})
	if _, err := b.Build(); err == nil {
		t.Error("a deconvolution whose padding leaves nothing was accepted")
	}
}
