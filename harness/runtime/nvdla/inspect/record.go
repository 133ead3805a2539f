package inspect

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"

	"quantbench/harness/runtime/nvdla/hardware"
	"quantbench/harness/runtime/nvdla/lower"
	"quantbench/harness/runtime/nvdla/simulate"
)

// Recorder writes what every operation was given and what it produced into a
// folder: opNNN_KIND.json (the programmed operation, as lower.WriteJSON has it)
// and opNNN_KIND.{src,x1,x2,y,dst}.bin (memory in the hardware's layout), NNN
// counting the hardware's operations in order of execution. The CPU's tasks have
// files of their own, cpuNNN_KIND.
type Recorder struct {
	dir   string
	names []string // by position in the program
	order []int
	err   error
}

// recorded are the names that a recorder may write.
var recorded = regexp.MustCompile(`^(op|cpu)\d{3}_[a-z0-9]+\.(json|(src|x1|x2|y|dst)\.bin)$`)

// NewRecorder makes the folder, or removes an earlier recording from it. Set Machine.Observe to the recorder's Observe.
func NewRecorder(dir string, p *hardware.Program) (*Recorder, error) {
	r := &Recorder{dir: dir, names: make([]string, len(p.Operations)), order: make([]int, len(p.Operations))}
	engines, tasks := 0, 0
	for _, i := range lower.ExecutionOrder(p.Operations) {
		k := p.Operations[i].Kind
		r.order[i] = engines
		if k == hardware.CPUPower || k == hardware.CPUSoftmax {
			r.names[i] = fmt.Sprintf("cpu%03d_%s", tasks, k)
			tasks++
			continue
		}
		r.names[i] = fmt.Sprintf("op%03d_%s", engines, k)
		engines++
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	return r, r.clean()
}

// clean removes what an earlier recorder wrote, so that the folder tells of one
// run only.
func (r *Recorder) clean() error {
	files, err := os.ReadDir(r.dir)
	for _, f := range files {
		if err == nil && recorded.MatchString(f.Name()) {
			err = os.Remove(filepath.Join(r.dir, f.Name()))
		}
	}
	return err
}

// Observe writes the files of one operation. After an error it does nothing.
func (r *Recorder) Observe(d simulate.Dump) {
	var text bytes.Buffer
	if r.err == nil {
		r.err = lower.WriteOperation(&text, r.order[d.Position], d.Op)
	}
	text.WriteByte('\n')
	r.write(d, ".json", text.Bytes())
	r.write(d, ".src.bin", d.Src)
	r.write(d, ".x1.bin", d.X1)
	r.write(d, ".x2.bin", d.X2)
	r.write(d, ".y.bin", d.Y)
	r.write(d, ".dst.bin", d.Dst)
}

func (r *Recorder) write(d simulate.Dump, ext string, data []byte) {
	if r.err == nil && len(data) > 0 {
		r.err = os.WriteFile(filepath.Join(r.dir, r.names[d.Position]+ext), data, 0o644)
	}
}

// Err is the first error of writing.
func (r *Recorder) Err() error { return r.err }
