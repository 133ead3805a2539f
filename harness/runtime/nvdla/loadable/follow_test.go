package loadable

import (
	"encoding/binary"
	"testing"

	"quantbench/harness/runtime/nvdla/hardware"
)

// TestFollowers: of four convolutions with their SDP operations, the second waits
// for nothing, the third for a result itself, the fourth through its SDP.
func TestFollowers(t *testing.T) {
	d := &dla{graph: make([]byte, 8*graphEntry)}
	for i := range 8 {
		for c := range 6 {
			binary.LittleEndian.PutUint16(d.graph[i*graphEntry+8+4*c:], 0xffff)
		}
	}
	tell := func(from, engine, to int, event byte) {
		at := d.graph[from*graphEntry+8+4*engine:]
		binary.LittleEndian.PutUint16(at, uint16(to))
		at[2] = event
	}
	const programmed = 2
	tell(0, int(hardware.Conv), 2, programmed)
	tell(3, int(hardware.Conv), 4, completed)
	tell(5, int(hardware.SDP), 7, completed)
	var ops []hardware.Operation
	for i := range 4 {
		ops = append(ops, hardware.Operation{Kind: hardware.Conv, Conv: &hardware.ConvDesc{Reserved: map[string]int{}}, FusedParent: -1},
			hardware.Operation{Kind: hardware.SDP, FusedParent: 2 * i})
	}
	d.markFollowers(ops)
	for i, want := range []int{0, 1, 0, 0} {
		if got := ops[2*i].Conv.Reserved[hardware.Follows]; got != want {
			t.Errorf("convolution %d: %d, want %d", i, got, want)
		}
	}
}
