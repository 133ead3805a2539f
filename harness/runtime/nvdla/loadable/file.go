// Package loadable reads NVDLA loadables (.nvdla, *_fbuf): the flatbuffer
// container of nvdla/sw (core/src/common/loadable.fbs), the firmware's
// descriptors inside (kmd/firmware/include/dla_interface.h, both layouts of the
// data cube) and the emulator's tasks; it makes hardware operations of them.
// It also reads what nvdla_runtime is fed with and writes: pictures and .dimg.
//
// Files are taken as hostile: every offset is checked, nothing panics, and a
// file cannot make the reader allocate more than maxMemory. It does not write
// loadables.
package loadable

import (
	"fmt"
)

// maxMemory bounds the memory that one loadable may ask for, bytes. VGG-16, the
// largest network in use, takes a third of it.
const maxMemory = 512 << 20

// A file may spread its constants over memory, as the compiler's allocator does,
// but only so much wider than they are, so that small files stay small.
const (
	spread    = 8
	minMemory = 1 << 20
)

// Version is major, minor and sub-minor.
type Version [3]uint8

func (v Version) String() string { return fmt.Sprintf("%d.%d.%d", v[0], v[1], v[2]) }

// File is the container, decoded as it is.
type File struct {
	Name     string
	Version  Version
	Tasks    []Task
	Submits  [][]uint16 // task ids in the order of submission
	Memory   []Memory
	Address  []Address
	Blobs    []Blob
	Tensors  []Tensor
	size     int            // of the file, bytes
	memoryAt map[uint16]int // memory id -> index in Memory
	addrAt   map[uint16]int // address id -> index in Address
	regions  [][]byte       // first bytes of each memory, by index
	versions []Version      // interface version of each memory's first blob
}

// Interfaces of a task (Interface in loadable.fbs).
const (
	InterfaceDLA = 1
	InterfaceEMU = 2
)

// Task is TaskListEntry; Addresses are ids in the address list.
type Task struct {
	ID        uint16
	Interface uint32
	Addresses []uint16
}

// Flags of a memory entry (MemoryFlags).
const (
	FlagAlloc  = 1
	FlagSet    = 2
	FlagInput  = 4
	FlagOutput = 8
)

// Memory is MemoryListEntry.
type Memory struct {
	ID         uint16
	Domain     uint8 // 0 system memory, 1 SRAM
	Flags      uint16
	Size       int
	Contents   []string // blob names
	Offsets    []int
	BindID     uint16
	TensorDesc uint16
}

// Address is AddressListEntry.
type Address struct {
	ID, MemoryID uint16
	Offset, Size int
}

// Blob is one named piece of data.
type Blob struct {
	Name         string
	Interface    uint32
	SubInterface uint32
	Version      Version
	Data         []byte
}

// Tensor is TensorDescListEntry: what the application binds.
type Tensor struct {
	Name                               string
	ID, MemoryID                       uint16
	Size, Offset                       int
	DataFormat, DataType, DataCategory uint8
	PixelFormat, PixelMapping          uint8
	N, C, H, W                         int
	Stride                             [8]uint32 // element, line, surface, ...
}

// Parse reads the container. Errors name the file and the byte.
func Parse(name string, data []byte) (*File, error) {
	b := &buffer{b: data}
	f := &File{Name: name, size: len(data), memoryAt: map[uint16]int{}, addrAt: map[uint16]int{}}
	root := b.root()
	f.Version = root.version(0)
	f.readTasks(root)
	f.readMemory(root)
	f.readContents(root)
	if b.err != nil {
		return nil, fmt.Errorf("%s: not a loadable: %w", name, b.err)
	}
	if len(f.Tasks) == 0 || len(f.Memory) == 0 {
		return nil, fmt.Errorf("%s: not a loadable: %d tasks, %d memories", name, len(f.Tasks), len(f.Memory))
	}
	return f, f.load()
}

func (f *File) readTasks(root table) {
	root.tables(1, func(t table) {
		f.Tasks = append(f.Tasks, Task{ID: t.u16(0), Interface: t.u32(1), Addresses: t.u16s(3)})
	})
	root.tables(8, func(t table) { f.Submits = append(f.Submits, t.u16s(1)) })
}

func (f *File) readMemory(root table) {
	root.tables(2, func(t table) {
		m := Memory{ID: t.u16(0), Domain: t.u8(1), Flags: t.u16(2), Size: t.size64(3), Contents: t.texts(5), Offsets: t.sizes(6), BindID: t.u16(7), TensorDesc: t.u16(8)}
		f.memoryAt[m.ID] = len(f.Memory)
		f.Memory = append(f.Memory, m)
	})
	root.tables(3, func(t table) {
		a := Address{ID: t.u16(0), MemoryID: t.u16(1), Offset: t.size64(2), Size: t.size64(3)}
		f.addrAt[a.ID] = len(f.Address)
		f.Address = append(f.Address, a)
	})
}

func (f *File) readContents(root table) {
	root.tables(5, func(t table) {
		f.Blobs = append(f.Blobs, Blob{Name: t.text(0), Interface: t.u32(2), SubInterface: t.u32(3), Version: t.version(4), Data: t.data(5)})
	})
	root.tables(6, func(t table) {
		d := Tensor{
			Name: t.text(0), ID: t.u16(1), MemoryID: t.u16(2), Size: t.size64(3), Offset: t.size64(4),
			DataFormat: t.u8(5), DataType: t.u8(6), DataCategory: t.u8(7), PixelFormat: t.u8(8), PixelMapping: t.u8(9),
			N: t.i32(10), C: t.i32(11), H: t.i32(12), W: t.i32(13),
		}
		for k := range d.Stride {
			d.Stride[k] = t.u32(14 + k)
		}
		f.Tensors = append(f.Tensors, d)
	})
}

// load lays the blobs out in memory as the runtime does.
func (f *File) load() error {
	blobs := make(map[string]*Blob, len(f.Blobs))
	for i := range f.Blobs {
		blobs[f.Blobs[i].Name] = &f.Blobs[i]
	}
	f.regions = make([][]byte, len(f.Memory))
	f.versions = make([]Version, len(f.Memory))
	total := 0
	for i, m := range f.Memory {
		if total += m.Size; total > maxMemory {
			return fmt.Errorf("%s: memories take more than %d bytes together", f.Name, maxMemory)
		}
		if m.Flags&FlagSet == 0 {
			continue
		}
		if err := f.fill(i, blobs); err != nil {
			return err
		}
	}
	return nil
}

// fill copies the blobs of memory i.
func (f *File) fill(i int, blobs map[string]*Blob) error {
	m := f.Memory[i]
	for k, name := range m.Contents {
		b := blobs[name]
		if b == nil || k >= len(m.Offsets) {
			return fmt.Errorf("%s: memory %d is set from blob %q, which the file does not have", f.Name, m.ID, name)
		}
		end := m.Offsets[k] + len(b.Data)
		if end > spread*(len(b.Data)+f.size)+minMemory {
			return fmt.Errorf("%s: blob %q ends at byte %d of memory %d, too far for a file of %d bytes", f.Name, name, end, m.ID, f.size)
		}
		if end > m.Size {
			return fmt.Errorf("%s: blob %q ends at byte %d of memory %d, which has %d", f.Name, name, end, m.ID, m.Size)
		}
		if end > len(f.regions[i]) {
			f.regions[i] = append(f.regions[i], make([]byte, end-len(f.regions[i]))...)
		}
		copy(f.regions[i][m.Offsets[k]:], b.Data)
		if k == 0 {
			f.versions[i] = b.Version
		}
	}
	return nil
}

// InterfaceVersions lists the firmware interface versions of the tasks' blobs,
// without repetition, in the order of the file; data blobs have none.
func (f *File) InterfaceVersions() []Version {
	var list []Version
	for _, b := range f.Blobs {
		known := b.Version == Version{} || b.SubInterface == 0 && b.Interface == 0
		for _, v := range list {
			known = known || v == b.Version
		}
		if !known {
			list = append(list, b.Version)
		}
	}
	return list
}
