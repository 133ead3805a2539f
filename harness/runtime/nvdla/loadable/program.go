package loadable

import (
	"fmt"

	"quantbench/harness/runtime/nvdla/hardware"
)

// Sizes of the lists' entries (dla_interface.h).
const (
	graphEntry     = 36
	operationEntry = 116
	surfaceEntry   = 644
	lutEntry       = 700
	networkDesc    = 40
	oldCube        = 28 // firmware interfaces 0.10 and 0.11: no offset field
	newCube        = 32
)

// Read makes a program of a loadable. The target is worked out from the file
// (see File.Target).
func Read(file string, data []byte) (*hardware.Program, error) {
	f, err := Parse(file, data)
	if err != nil {
		return nil, err
	}
	return f.Program()
}

// Program makes hardware operations of the loadable's tasks, in the order of
// submission, for the target that the file was made for.
func (f *File) Program() (*hardware.Program, error) {
	p := &hardware.Program{}
	for i, m := range f.Memory {
		p.Regions = append(p.Regions, hardware.Region{Name: f.regionName(i), Size: m.Size, Init: f.regions[i]})
	}
	for _, list := range f.order() {
		for _, id := range list {
			if err := f.task(p, id); err != nil {
				return nil, fmt.Errorf("%s: task %d: %w", f.Name, id, err)
			}
		}
	}
	p.Target = f.target(p)
	return p, f.bind(p)
}

// ProgramFor is Program for a target that the user names.
func (f *File) ProgramFor(t hardware.Target) (*hardware.Program, error) {
	p, err := f.Program()
	if err == nil {
		p.Target = t
	}
	return p, err
}

// order is the order of submission; files without a list run their tasks in turn.
func (f *File) order() [][]uint16 {
	if len(f.Submits) > 0 {
		return f.Submits
	}
	var all []uint16
	for _, t := range f.Tasks {
		all = append(all, t.ID)
	}
	return [][]uint16{all}
}

func (f *File) regionName(i int) string {
	m := f.Memory[i]
	if len(m.Contents) > 0 && m.Contents[0] != "" {
		return m.Contents[0]
	}
	switch {
	case m.Flags&FlagInput != 0:
		return "input"
	case m.Flags&FlagOutput != 0:
		return "output"
	}
	return fmt.Sprintf("memory %d", m.ID)
}

// task adds the operations of one task.
func (f *File) task(p *hardware.Program, id uint16) error {
	for i := range f.Tasks {
		if f.Tasks[i].ID != id {
			continue
		}
		if f.Tasks[i].Interface == InterfaceEMU {
			return f.emuTask(p, &f.Tasks[i])
		}
		return f.dlaTask(p, &f.Tasks[i])
	}
	return fmt.Errorf("the file does not have it")
}

// place is the memory and the offset of an index into a task's address list.
func (f *File) place(t *Task, index int) (region, offset int, err error) {
	if index < 0 || index >= len(t.Addresses) {
		return -1, 0, fmt.Errorf("address index %d, the task has %d", index, len(t.Addresses))
	}
	a, ok := f.addrAt[t.Addresses[index]]
	if !ok {
		return -1, 0, fmt.Errorf("address id %d is not in the file", t.Addresses[index])
	}
	m, ok := f.memoryAt[f.Address[a].MemoryID]
	if !ok {
		return -1, 0, fmt.Errorf("memory id %d is not in the file", f.Address[a].MemoryID)
	}
	return m, f.Address[a].Offset, nil
}

// list is one descriptor list of a task: the bytes from where it begins.
func (f *File) list(t *Task, index int, what string) ([]byte, Version, error) {
	region, off, err := f.place(t, index)
	if err != nil {
		return nil, Version{}, fmt.Errorf("%s: %w", what, err)
	}
	mem := f.regions[region]
	if off > len(mem) {
		return nil, Version{}, fmt.Errorf("%s begins at byte %d of %d", what, off, len(mem))
	}
	return mem[off:], f.versions[region], nil
}

// entry cuts entry i out of a list.
func entry(list []byte, i, size int, what string) (desc, error) {
	if i < 0 || (i+1)*size > len(list) {
		return nil, fmt.Errorf("%s %d lies beyond its list of %d bytes", what, i, len(list))
	}
	return desc(list[i*size : (i+1)*size]), nil
}

// dla is a DLA task being decoded.
type dla struct {
	file                             *File
	task                             *Task
	graph, operations, surfaces, lut []byte
	cube                             int // size of a data cube
}

func (f *File) dlaTask(p *hardware.Program, t *Task) error {
	raw, _, err := f.list(t, 0, "network descriptor")
	if err != nil {
		return err
	}
	net, err := entry(raw, 0, networkDesc, "network descriptor")
	if err != nil {
		return err
	}
	d := &dla{file: f, task: t, cube: newCube}
	var v Version
	if d.operations, _, err = f.list(t, net.i16(0), "operation list"); err != nil {
		return err
	}
	if d.surfaces, v, err = f.list(t, net.i16(2), "surface list"); err != nil {
		return err
	}
	if d.graph, _, err = f.list(t, net.i16(4), "dependency graph"); err != nil {
		return err
	}
	if net.i16(6) > 0 {
		if d.lut, _, err = f.list(t, net.i16(6), "look-up tables"); err != nil {
			return err
		}
	}
	if v[0] == 0 && v[1] <= 11 {
		d.cube = oldCube
	}
	first := len(p.Operations)
	for i := range net.u16(30) {
		if err := d.operation(p, i); err != nil {
			return fmt.Errorf("operation %d: %w", i, err)
		}
	}
	d.markFollowers(p.Operations[first:])
	return nil
}

// completed is the event of an operation that another one waits for the result
// of, in a dependency entry's list of consumers.
const completed = 1

// markFollowers marks convolutions, beyond the first, that wait for no result,
// nor do the SDP operations behind them: such are the parts of a convolution that
// was cut into pieces.
func (d *dla) markFollowers(ops []hardware.Operation) {
	waits := map[int]bool{}
	for i := range ops {
		g := desc(d.graph[i*graphEntry:][:graphEntry])
		for c := 8; c < 32; c += 4 {
			if g.u8(c+2) == completed {
				waits[g.i16(c)] = true
			}
		}
	}
	for i := range ops {
		if waits[i] && ops[i].Kind == hardware.SDP {
			waits[ops[i].FusedParent] = true
		}
	}
	convs := 0
	for i := range ops {
		if ops[i].Kind != hardware.Conv {
			continue
		}
		if convs > 0 && !waits[i] {
			ops[i].Conv.Reserved[hardware.Follows] = 1
		}
		convs++
	}
}

// operation decodes operation i of a task and adds it.
func (d *dla) operation(p *hardware.Program, i int) error {
	g, err := entry(d.graph, i, graphEntry, "dependency entry")
	if err != nil {
		return err
	}
	o, err := entry(d.operations, i, operationEntry, "operation")
	if err != nil {
		return err
	}
	s, err := entry(d.surfaces, i, surfaceEntry, "surface")
	if err != nil {
		return err
	}
	op := hardware.Operation{Kind: hardware.Kind(g.u8(3)), Index: g.i16(0), FusedParent: g.i16(32)}
	if err := d.decode(&op, o, s); err != nil {
		return err
	}
	p.Operations = append(p.Operations, op)
	return nil
}

func (d *dla) decode(op *hardware.Operation, o, s desc) (err error) {
	lut := -1
	op.Src, op.Dst, op.Weights, op.X1, op.X2, op.Y = none, none, none, none, none, none
	cubes := []*hardware.Cube{&op.Src, &op.Dst}
	var unused hardware.Cube
	switch op.Kind {
	case hardware.BDMA:
		op.BDMA, err = d.bdma(s)
		return err
	case hardware.Conv:
		op.Conv = o.conv()
		cubes = []*hardware.Cube{&op.Weights, &unused, &unused, &op.Src, &op.Dst}
	case hardware.SDP:
		op.SDP, lut = o.sdp()
		cubes = []*hardware.Cube{&op.Src, &op.X1, &op.X2, &op.Y, &op.Dst}
	case hardware.PDP:
		op.PDP = o.pdp()
	case hardware.CDP:
		op.CDP, lut = o.cdp()
		op.CDP.LUTIndex = lut
	case hardware.Rubik:
		op.Rubik = o.rubik()
	default:
		return fmt.Errorf("engine %d is unknown", op.Kind)
	}
	for k, q := range cubes {
		if *q, err = d.decodeCube(s, k*d.cube); err != nil {
			return fmt.Errorf("cube %d: %w", k, err)
		}
	}
	return d.attach(op, lut)
}

// attach gives an operation its look-up table.
func (d *dla) attach(op *hardware.Operation, lut int) error {
	if lut < 0 {
		return nil
	}
	t, err := entry(d.lut, lut, lutEntry, "look-up table")
	if err != nil {
		return err
	}
	if op.Kind == hardware.CDP {
		op.CDP.LUT = t.lut()
	} else {
		op.SDP.LUT = t.lut()
	}
	return nil
}

var none = hardware.Cube{Region: -1}

// decodeCube decodes the data cube at byte o of a surface.
func (d *dla) decodeCube(s desc, o int) (hardware.Cube, error) {
	q := hardware.Cube{Kind: hardware.CubeKind(s.u16(o)), Region: -1}
	address := s.i16(o + 2)
	o += 4
	offset := 0
	if d.cube == newCube {
		offset = s.u32(o)
		o += 4
	}
	q.Size, q.W, q.H, q.C = s.u32(o), s.u16(o+4), s.u16(o+6), s.u16(o+8)
	q.LineStride, q.SurfStride, q.PlaneStride = s.u32(o+12), s.u32(o+16), s.u32(o+20)
	if q.Kind > hardware.CubeOnTheFly {
		return q, fmt.Errorf("memory type %d is unknown", q.Kind)
	}
	if address == -1 || q.Kind == hardware.CubeOnTheFly || q.W == 0 {
		return q, nil
	}
	region, base, err := d.file.place(d.task, address)
	if err != nil {
		return q, err
	}
	q.Region, q.Offset = region, base+offset
	return q, nil
}

func (d *dla) bdma(s desc) (*hardware.BDMADesc, error) {
	n := s.u16(2)
	if 4+32*n > len(s) {
		return nil, fmt.Errorf("%d transfers do not fit the descriptor", n)
	}
	b := &hardware.BDMADesc{}
	for i := range n {
		o := 4 + 32*i
		src, so, err := d.file.place(d.task, s.i16(o))
		if err != nil {
			return nil, err
		}
		dst, do, err := d.file.place(d.task, s.i16(o+2))
		if err != nil {
			return nil, err
		}
		b.Transfers = append(b.Transfers, hardware.BDMATransfer{
			SrcRegion: src, SrcOffset: so, DstRegion: dst, DstOffset: do,
			LineSize: s.u32(o + 4), LineRepeat: s.u32(o + 8), SrcLine: s.u32(o + 12), DstLine: s.u32(o + 16),
			SurfaceRepeat: s.u32(o + 20), SrcSurface: s.u32(o + 24), DstSurface: s.u32(o + 28),
		})
	}
	return b, nil
}
