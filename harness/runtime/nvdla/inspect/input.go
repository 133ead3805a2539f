package inspect

import (
	"fmt"

	"quantbench/harness/runtime/nvdla/hardware"
	"quantbench/harness/runtime/nvdla/loadable"
	"quantbench/harness/runtime/nvdla/simulate"
)

// Picture makes a program's input of a JPEG or PGM file as nvdla_runtime does.
func Picture(p *hardware.Program, file string, data []byte) ([]int8, error) {
	pic, err := loadable.ReadPicture(file, data)
	if err != nil {
		return nil, err
	}
	in, err := pic.Input(p.Input)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return in, nil
}

// Tensor makes a program's input of raw bytes: int8 in channel, line, column
// order. A picture input (image format) may leave its last channels out.
func Tensor(p *hardware.Program, file string, data []byte) ([]int8, error) {
	q := p.Input.Cube
	if plane := q.H * q.W; plane == 0 || len(data)%plane != 0 || len(data) > q.C*plane || len(data) == 0 {
		return nil, fmt.Errorf("%s: has %d bytes, input %q is %d x %d x %d: %d bytes of int8 in channel, line, column order", file, len(data), p.Input.Name, q.C, q.H, q.W, q.C*plane)
	}
	in := make([]int8, len(data))
	for i, b := range data {
		in[i] = int8(b)
	}
	return in, nil
}

// Image is the program's output as the binary DIMG of NVIDIA's regression, header
// included, whose md5 sum the goldens give.
func (l *Loadable) Image(m *simulate.Machine) ([]byte, error) {
	q := l.Program.Output.Cube
	if q.Region < 0 {
		return nil, fmt.Errorf("%s: the program has no output", l.File.Name)
	}
	for i := range l.File.Tensors {
		t := &l.File.Tensors[i]
		if t.Name != l.Program.Output.Name {
			continue
		}
		d, err := t.Image()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", l.File.Name, err)
		}
		data, err := d.Gather(m.Memory(q.Region)[q.Offset:])
		return d.File(data), err
	}
	return nil, fmt.Errorf("%s: no tensor is called %q", l.File.Name, l.Program.Output.Name)
}
