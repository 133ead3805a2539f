// Package inspect opens NVDLA programs for people: it makes a program of a
// loadable or of a network, makes inputs of pictures and raw tensors, records
// what every operation was given and produced, and describes operations in
// words. It computes nothing itself; that is package simulate's.
package inspect

import (
	"fmt"
	"strings"

	"quantbench/harness/runtime/nvdla/hardware"
	"quantbench/harness/runtime/nvdla/loadable"
	"quantbench/harness/runtime/nvdla/lower"
	"quantbench/harness/runtime/nvdla/simulate"
	"quantbench/harness/table"
	"quantbench/models"
)

// Target finds a target by nvdla_compiler's name for it.
func Target(name string) (hardware.Target, error) {
	if t, ok := hardware.TargetNamed(name); ok {
		return t, nil
	}
	var names []string
	for _, t := range hardware.Targets {
		names = append(names, t.Name)
	}
	return hardware.Target{}, fmt.Errorf("unknown target %q; choose one of %s", name, strings.Join(names, ", "))
}

// Loadable is an opened .nvdla file.
type Loadable struct {
	File    *loadable.File
	Program *hardware.Program
	// Told is true if the file or the user says which target it is for;
	// otherwise nv_full stands for nv_large too, which gives the same results.
	Told     bool
	Warnings []error
}

// Open makes a program of a loadable. The target is worked out from the file if
// its name is empty. A target whose memory atoms differ from the file's is an
// error: every tensor would be read from the wrong place.
func Open(file string, data []byte, target string) (*Loadable, error) {
	f, err := loadable.Parse(file, data)
	if err != nil {
		return nil, err
	}
	p, err := f.Program()
	if err != nil {
		return nil, err
	}
	l := &Loadable{File: f, Program: p, Told: f.TellsTarget(p)}
	if target == "" {
		return l, nil
	}
	return l, l.retarget(target)
}

// retarget takes the target that the user names.
func (l *Loadable) retarget(name string) error {
	t, err := Target(name)
	if err != nil {
		return err
	}
	made := l.Program.Target
	if t.Atom != made.Atom && len(l.File.Tensors) > 0 {
		return fmt.Errorf("%s: made for memory atoms of %d bytes (%s), but %s has atoms of %d; choose a target of that size, or compile it for %s",
			l.File.Name, made.Atom, made.Name, t.Name, t.Atom, t.Name)
	}
	if l.Told && t != made {
		l.Warnings = append(l.Warnings, fmt.Errorf("%s: looks made for %s; it is run as on %s, whose convolution buffer a real device would fill differently", l.File.Name, made.Name, t.Name))
	}
	l.Program.Target, l.Told = t, true
	return nil
}

// Scales finds the scale of every layer, by Layer.Index, as nvdla_compiler does:
// under the layer's name, the input's under its blob's. Layers without an entry
// have 0, which the lowering refuses where it matters; entries that name no layer
// are warnings, for the compiler does not look at them.
func Scales(net *models.Network, t *table.Table) ([]float32, []error) {
	scales := make([]float32, len(net.Layers))
	used := map[string]bool{}
	for i, l := range net.Layers {
		name := l.Name
		if _, ok := l.Op.(models.Input); ok {
			name = l.Top()
		}
		if r, ok := t.Row(name); ok {
			scales[i], used[name] = r.Scale, true
		}
	}
	warnings := append([]error(nil), t.Warnings...)
	for _, r := range t.Rows {
		if !used[r.Name] {
			warnings = append(warnings, fmt.Errorf("%s:%d: entry %q belongs to no layer of %s; the compiler ignores it", t.File, r.Line, r.Name, net.File))
		}
	}
	return scales, warnings
}

// Compile lowers a network with its table. The warnings are the table's and the
// lowering's.
func Compile(net *models.Network, t *table.Table, opt lower.Options) (*hardware.Program, []error, error) {
	scales, warnings := Scales(net, t)
	p, more, err := lower.Lower(net, scales, opt)
	return p, append(append(warnings, net.Warnings...), more...), err
}

// Runnable warns of what compiles but will not run on the target, by name.
func Runnable(p *hardware.Program) []error {
	if err := simulate.Check(p); err != nil {
		return []error{fmt.Errorf("compiles, but will not run: %w", err)}
	}
	return nil
}
