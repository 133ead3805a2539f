// Package hardware states NVDLA's integer arithmetic once: what a hardware
// operation is, what each target can do, and plain functions for every rounding,
// shift and saturation. Everything fast elsewhere must equal these functions bit
// for bit.
package hardware

// Target is one configuration of NVDLA, as nvdla_compiler names it.
type Target struct {
	Name string // "nv_small", "nv_large", "nv_full"
	// AtomicC and AtomicK are the channels and kernels that one atomic int8
	// operation of the convolution core takes.
	AtomicC, AtomicK int
	// Atom is the size of a memory atom in bytes: 32, or 8 on nv_small.
	Atom int
	// CBUF is the convolution buffer: Banks x Entries x EntryBytes.
	Banks, Entries, EntryBytes int
	// WeightAlign is what the compiler rounds a weight blob's size up to, bytes:
	// the width of a buffer entry (Surface.cpp, WeightDesc::size).
	WeightAlign int
	// BDMA, Rubik, SDPY (with its look-up table) and Int16 tell what the
	// configuration has.
	BDMA, Rubik, SDPY, Int16 bool
}

// The targets that nvdla_compiler knows (TargetConfig.cpp; hw/spec/defs).
var (
	Small = Target{Name: "nv_small", AtomicC: 8, AtomicK: 8, Atom: 8, Banks: 32, Entries: 512, EntryBytes: 8, WeightAlign: 8}
	Large = Target{Name: "nv_large", AtomicC: 64, AtomicK: 32, Atom: 32, Banks: 16, Entries: 512, EntryBytes: 64, WeightAlign: 64, SDPY: true}
	Full  = Target{Name: "nv_full", AtomicC: 64, AtomicK: 32, Atom: 32, Banks: 16, Entries: 256, EntryBytes: 128, WeightAlign: 128, BDMA: true, Rubik: true, SDPY: true, Int16: true}
)

// Targets lists them in the order of their size.
var Targets = []Target{Small, Large, Full}

// TargetNamed finds a target by the compiler's name for it.
func TargetNamed(name string) (Target, bool) {
	for _, t := range Targets {
		if t.Name == name {
			return t, true
		}
	}
	return Target{}, false
}
