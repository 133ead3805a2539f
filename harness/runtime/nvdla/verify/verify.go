// Package verify compares the simulator with outputs that a virtual platform or
// a board recorded, and says what the comparison proves. Equal means every
// element of every output; there is no tolerance.
package verify

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"

	"quantbench/harness/runtime/nvdla/hardware"
	"quantbench/harness/runtime/nvdla/inspect"
	"quantbench/harness/runtime/nvdla/loadable"
	"quantbench/harness/runtime/nvdla/simulate"
	"quantbench/harness/stats"
)

// Mismatch is a picture whose recorded output is not the simulator's.
type Mismatch struct {
	Name     string `json:"name"`
	Elements int    `json:"elements"` // of the output
	Differ   int    `json:"differ"`   // how many of them differ
	// At is the first element that differs, in channel, line, column order, with
	// both values there; Largest is the largest difference of any.
	At       int `json:"at"`
	Recorded int `json:"recorded"`
	Computed int `json:"computed"`
	Largest  int `json:"largest"`
}

// Error describes the mismatch.
func (m *Mismatch) Error() string {
	return fmt.Sprintf("%s: %d of %d elements differ, by %d at most; the first is element %d: recorded %d, simulated %d",
		m.Name, m.Differ, m.Elements, m.Largest, m.At, m.Recorded, m.Computed)
}

// Result is what a comparison found.
type Result struct {
	Pictures   int         `json:"pictures"`
	Equal      int         `json:"equal"`
	Elements   int         `json:"elements"` // compared, over all pictures
	Mismatches []*Mismatch `json:"mismatches"`
}

// Upper is the exact one-sided 95 % bound on the share of pictures that differ
// (Clopper and Pearson): with no mismatch in n it is 1 - 0.05^(1/n). It holds for
// pictures drawn at random like the compared ones.
func (r Result) Upper() float64 {
	return stats.ClopperPearson(len(r.Mismatches), r.Pictures, 0.90).Hi
}

// RuleOfThree is the familiar approximation of that bound without mismatches,
// 3/n, never below the exact one (Hanley and Lippman-Hand 1983, JAMA 249:1743).
func RuleOfThree(n int) float64 { return min(1, 3/float64(max(n, 1))) }

// Conclusion says in one sentence what the result proves.
func (r Result) Conclusion() string {
	if k := len(r.Mismatches); k > 0 {
		return fmt.Sprintf("%d mismatches in %d pictures: the simulator is not bit for bit what was recorded (up to %.3g %% of such pictures differ, 95 %% bound)", k, r.Pictures, 100*r.Upper())
	}
	return fmt.Sprintf("0 mismatches in %d pictures (%d elements): with 95 %% confidence less than %.3g %% of pictures drawn like these differ (rule of three, 3/%d; exactly %.3g %%)",
		r.Pictures, r.Elements, 100*RuleOfThree(r.Pictures), r.Pictures, 100*r.Upper())
}

// Compare runs every pair's input, jobs at a time, and compares with what was
// recorded. The result does not depend on jobs; the error is that of the first
// pair that cannot be compared, or the context's.
func Compare(ctx context.Context, m *simulate.Machine, pairs []Pair, jobs int) (Result, error) {
	found := make([]outcome, len(pairs))
	var next atomic.Int64
	var wg sync.WaitGroup
	for range max(1, min(jobs, len(pairs))) {
		worker := m.Fork()
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(pairs) && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				found[i] = one(worker, pairs[i])
			}
		})
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return Result{}, err
	}
	return gather(found)
}

// outcome is what comparing one pair found.
type outcome struct {
	mismatch *Mismatch
	elements int
	err      error
}

// gather sums outcomes up in the order of the pairs.
func gather(found []outcome) (Result, error) {
	var r Result
	for _, o := range found {
		if o.err != nil {
			return Result{}, o.err
		}
		r.Pictures++
		r.Elements += o.elements
		if o.mismatch == nil {
			r.Equal++
		} else {
			r.Mismatches = append(r.Mismatches, o.mismatch)
		}
	}
	return r, nil
}

// one compares one pair.
func one(m *simulate.Machine, p Pair) outcome {
	in, err := input(m.Program(), p.Input)
	if err != nil {
		return outcome{err: err}
	}
	if err := m.Execute(in); err != nil {
		return outcome{err: fmt.Errorf("%s: %w", p.Input, err)}
	}
	data, err := os.ReadFile(p.Output)
	if err != nil {
		return outcome{err: err}
	}
	want, got, err := outputs(m, p.Output, data)
	return outcome{compare(p.Name, want, got), len(want), err}
}

func input(p *hardware.Program, path string) ([]int8, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if strings.HasSuffix(path, rawExt) {
		return inspect.Tensor(p, path, data)
	}
	return inspect.Picture(p, path, data)
}

// outputs are the recorded integers and the simulator's: text as nvdla_runtime
// --rawdump writes it, or NVIDIA's binary DIMG.
func outputs(m *simulate.Machine, file string, data []byte) (want, got []int, err error) {
	if strings.HasPrefix(string(data), "DIMG") {
		return golden(m, file, data)
	}
	if want, err = loadable.ReadRaw(file, data); err != nil {
		return nil, nil, err
	}
	for _, v := range m.Output() {
		got = append(got, int(v))
	}
	if len(want) != len(got) {
		return nil, nil, fmt.Errorf("%s: has %d integers, the program's output %q has %d elements; was it recorded from this program?", file, len(want), m.Program().Output.Name, len(got))
	}
	return want, got, nil
}

// golden reads a DIMG and gathers the simulator's elements as its writer did.
func golden(m *simulate.Machine, file string, data []byte) (want, got []int, err error) {
	d, err := loadable.ReadDIMG(file, data)
	if err != nil {
		return nil, nil, err
	}
	q := m.Program().Output.Cube
	if q.Region < 0 {
		return nil, nil, fmt.Errorf("%s: the program has no output to compare it with", file)
	}
	mine, err := d.Gather(m.Memory(q.Region)[q.Offset:])
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w; was it recorded from this program?", file, err)
	}
	return integers(d.Data, d.ElementBytes()), integers(mine, d.ElementBytes()), nil
}

func integers(b []byte, size int) []int {
	out := make([]int, 0, len(b)/size)
	for i := 0; i+size <= len(b); i += size {
		if size == 1 {
			out = append(out, int(int8(b[i])))
		} else {
			out = append(out, int(int16(binary.LittleEndian.Uint16(b[i:]))))
		}
	}
	return out
}

// compare is nil if all elements are equal.
func compare(name string, want, got []int) *Mismatch {
	var m *Mismatch
	for i, w := range want {
		if w == got[i] {
			continue
		}
		if m == nil {
			m = &Mismatch{Name: name, Elements: len(want), At: i, Recorded: w, Computed: got[i]}
		}
		m.Differ++
		m.Largest = max(m.Largest, w-got[i], got[i]-w)
	}
	return m
}
