package calibrate

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
)

// magic opens a file of statistics, version 1.
const magic = "quantbench-histograms-1\n"

// Append writes the statistics in their binary form: magic; the number of
// layers; for each First, Min and Max (float32, little-endian), doublings, the
// number of bins up to the last one in use (plus 1; 0 for a tensor never seen)
// and their counts; a CRC-32 of all that. Integers are unsigned varints.
func (s *Statistics) Append(b []byte) []byte {
	start := len(b)
	b = append(b, magic...)
	b = binary.AppendUvarint(b, uint64(len(s.Layers)))
	for i := range s.Layers {
		b = s.Layers[i].append(b)
	}
	return binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(b[start:]))
}

func (h *Histogram) append(b []byte) []byte {
	for _, f := range []float32{h.First, h.Min, h.Max} {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(f))
	}
	b = binary.AppendUvarint(b, uint64(h.Doublings))
	if h.Counts == nil {
		return binary.AppendUvarint(b, 0)
	}
	n := len(h.Counts)
	for n > 0 && h.Counts[n-1] == 0 {
		n--
	}
	b = binary.AppendUvarint(b, uint64(n)+1)
	for _, c := range h.Counts[:n] {
		b = binary.AppendUvarint(b, c)
	}
	return b
}

// ReadStatistics reads what Append wrote.
func ReadStatistics(file string, data []byte) (*Statistics, error) {
	s, err := readStatistics(data)
	if err != nil {
		return nil, fmt.Errorf("%s: not a file of histograms: %w; delete it and calibrate again", file, err)
	}
	return s, nil
}

func readStatistics(data []byte) (*Statistics, error) {
	if !bytes.HasPrefix(data, []byte(magic)) {
		return nil, errors.New("it does not begin with " + magic[:len(magic)-1])
	}
	end := len(data) - 4
	if end < len(magic) || crc32.ChecksumIEEE(data[:end]) != binary.LittleEndian.Uint32(data[end:]) {
		return nil, errors.New("the checksum is wrong")
	}
	r := bytes.NewReader(data[len(magic):end])
	n, err := binary.ReadUvarint(r)
	if err != nil || n > uint64(r.Len()) {
		return nil, fmt.Errorf("%d layers in %d bytes", n, r.Len())
	}
	s := &Statistics{make([]Histogram, n)}
	for i := range s.Layers {
		if err := s.Layers[i].read(r); err != nil {
			return nil, fmt.Errorf("layer %d: %w", i, err)
		}
	}
	if r.Len() > 0 {
		return nil, fmt.Errorf("%d bytes follow", r.Len())
	}
	return s, nil
}

func (h *Histogram) read(r *bytes.Reader) error {
	var f [3]float32
	if err := binary.Read(r, binary.LittleEndian, f[:]); err != nil {
		return err
	}
	h.First, h.Min, h.Max = f[0], f[1], f[2]
	doublings, err := binary.ReadUvarint(r)
	if err != nil {
		return err
	}
	h.Doublings = int(min(doublings, 1<<20))
	// From the smallest to the largest float32 are 277 doublings.
	if doublings > 300 || !finite(h.First) || h.First < 0 || !finite(h.Min) || !finite(h.Max) || h.Min > 0 || h.Max < 0 {
		return errors.New("a range that no tensor has")
	}
	n, err := binary.ReadUvarint(r)
	if err != nil || n == 0 {
		return err
	}
	if n-1 > Bins {
		return fmt.Errorf("%d bins instead of %d", n-1, Bins)
	}
	h.Counts = make([]uint64, Bins)
	var total uint64
	for b := range n - 1 {
		c, err := binary.ReadUvarint(r)
		if err != nil {
			return err
		}
		if total += c; total < c {
			return errors.New("counts overflow")
		}
		h.Counts[b] = c
	}
	return nil
}
