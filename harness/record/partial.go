package record

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"sync"
)

// Partial is the predictions of a cell that is under way, block by block. A block
// is on disk when Add returns, in a place of its own with its own checksum: a
// process that dies leaves whole blocks, and several processes may work on the
// same cell, since they write the same bytes.
type Partial struct {
	path            string
	pictures, block int
	mu              sync.Mutex
	f               *os.File // nil until a block is written
	done            map[int][]Prediction
}

const (
	partialKind  = "partial"
	partialMagic = "QBPART1\n"
	partialHead  = len(partialMagic) + 8
)

// recordSize is the bytes of a block: how many predictions it has, they
// themselves, and the CRC-32C of both.
func (p *Partial) recordSize() int { return 4 + predictionSize*p.block + 4 }

// Partial opens what is there of a cell of so many pictures in blocks of block. A
// file that is of other blocks, or cannot be read, counts as empty.
func (s *Store) Partial(key string, pictures, block int) *Partial {
	p := &Partial{path: s.entry(partialKind, key), pictures: pictures, block: block, done: map[int][]Prediction{}}
	data, err := os.ReadFile(p.path)
	if err != nil || len(data) < partialHead || string(data[:partialHead]) != string(p.head()) {
		return p
	}
	for from, rest := 0, data[partialHead:]; from < pictures && len(rest) > 0; from += block {
		n := min(p.recordSize(), len(rest))
		if list, ok := p.parse(from, rest[:n]); ok {
			p.done[from] = list
		}
		rest = rest[n:]
	}
	return p
}

func (p *Partial) head() []byte {
	b := binary.LittleEndian.AppendUint32([]byte(partialMagic), uint32(p.pictures))
	return binary.LittleEndian.AppendUint32(b, uint32(p.block))
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// parse reads the block of the pictures from from on; false if it is not there
// or damaged.
func (p *Partial) parse(from int, b []byte) ([]Prediction, bool) {
	n := min(p.block, p.pictures-from)
	if len(b) != p.recordSize() || int(binary.LittleEndian.Uint32(b)) != n {
		return nil, false
	}
	body, sum := b[:len(b)-4], binary.LittleEndian.Uint32(b[len(b)-4:])
	if crc32.Checksum(body, castagnoli) != sum {
		return nil, false
	}
	list := make([]Prediction, n)
	for i := range list {
		list[i] = decodePrediction(body[4+i*predictionSize:])
	}
	return list, true
}

// Block is the predictions of the block that begins with picture from; false if
// they are still to be made.
func (p *Partial) Block(from int) ([]Prediction, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	list, ok := p.done[from]
	return list, ok
}

// Pictures is how many pictures were there when the cell was opened.
func (p *Partial) Pictures() int {
	n := 0
	for _, list := range p.done {
		n += len(list)
	}
	return n
}

// Add keeps the predictions of the block that begins with picture from, which
// must be a whole block or the last one. Safe for concurrent use.
func (p *Partial) Add(from int, list []Prediction) error {
	if from%p.block != 0 || len(list) != min(p.block, p.pictures-from) {
		return fmt.Errorf("%s: pictures %d to %d are no block of %d", p.path, from, from+len(list), p.block)
	}
	b := binary.LittleEndian.AppendUint32(make([]byte, 0, p.recordSize()), uint32(len(list)))
	for _, x := range list {
		b = appendPrediction(b, x)
	}
	b = append(b, make([]byte, p.recordSize()-4-len(b))...)
	b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.open(); err != nil {
		return err
	}
	_, err := p.f.WriteAt(b, int64(partialHead+from/p.block*p.recordSize()))
	return err
}

// open opens the file for writing, and begins it if it is not of these blocks.
func (p *Partial) open() error {
	if p.f != nil {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(p.path), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(p.path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	head := make([]byte, partialHead)
	if _, err = f.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return errors.Join(err, f.Close())
	}
	if string(head) != string(p.head()) {
		err = f.Truncate(0)
		if err == nil {
			_, err = f.WriteAt(p.head(), 0)
		}
		if err != nil {
			return errors.Join(err, f.Close())
		}
	}
	p.f = f
	return nil
}

// Close leaves the finished blocks on the disk for another process.
func (p *Partial) Close() error {
	if p.f == nil {
		return nil
	}
	err := errors.Join(p.f.Sync(), p.f.Close())
	p.f = nil
	return err
}

// Remove drops the blocks: the cell is finished.
func (p *Partial) Remove() error {
	if p.f != nil {
		_ = p.f.Close() // what it holds is not needed any more
		p.f = nil
	} else if len(p.done) == 0 {
		return nil
	}
	if err := os.Remove(p.path); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
