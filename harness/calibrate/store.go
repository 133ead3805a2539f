package calibrate

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
)

// magic opens a file of statistics, version 2. Version 1 had Counts only.
const magic = "quantbench-histograms-2\n"

// Append writes the statistics in their binary form: magic; the number of
// layers; for each First, Min and Max (float32, little-endian), doublings,
// pictures, zeros and the lists Counts, Negative, Positive, Signed, Appended and
// Widened, each as the number of bins up to the last one in use (plus 1; 0 for
// an absent list) and their counts; a CRC-32 of all that. Integers are unsigned
// varints.
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
	for _, n := range []uint64{uint64(h.Doublings), uint64(h.Pictures), h.Zeros} {
		b = binary.AppendUvarint(b, n)
	}
	for _, counts := range h.arrays() {
		b = appendCounts(b, *counts)
	}
	return b
}

func appendCounts(b []byte, counts []uint64) []byte {
	if counts == nil {
		return binary.AppendUvarint(b, 0)
	}
	n := len(counts)
	for n > 0 && counts[n-1] == 0 {
		n--
	}
	b = binary.AppendUvarint(b, uint64(n)+1)
	for _, c := range counts[:n] {
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
	if err != nil || n > uint64(r.Len())/minLayer {
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

// minLayer is the fewest bytes that a layer takes.
const minLayer = 3*4 + 3 + 6

func (h *Histogram) read(r *bytes.Reader) error {
	var f [3]float32
	if err := binary.Read(r, binary.LittleEndian, f[:]); err != nil {
		return err
	}
	h.First, h.Min, h.Max = f[0], f[1], f[2]
	var n [3]uint64
	for i := range n {
		var err error
		if n[i], err = binary.ReadUvarint(r); err != nil {
			return err
		}
	}
	h.Doublings, h.Pictures = int(min(n[0], 1<<20)), int(min(n[1], 1<<40))
	// From the smallest to the largest float32 are 277 doublings.
	if n[0] > 300 || n[1] > 1<<40 || !h.possible() {
		return errors.New("a range that no tensor has")
	}
	h.Extra = h.blank().Extra
	h.Zeros = n[2]
	h.Counts = make([]uint64, Bins)
	for _, counts := range h.arrays() {
		if err := readCounts(r, counts); err != nil {
			return err
		}
	}
	return nil
}

// possible reports whether a tensor can have such extremes.
func (h *Histogram) possible() bool {
	return finite(h.First) && h.First >= 0 && finite(h.Min) && finite(h.Max) && h.Min <= 0 && h.Max >= 0 &&
		h.First <= h.AbsMax() && (h.First > 0) == (h.AbsMax() > 0)
}

// readCounts fills a list that has its full length already, or sets it to nil.
func readCounts(r *bytes.Reader, to *[]uint64) error {
	n, err := binary.ReadUvarint(r)
	if err != nil {
		return err
	}
	if n == 0 {
		*to = nil
		return nil
	}
	if n-1 > uint64(len(*to)) {
		return fmt.Errorf("%d bins instead of %d", n-1, len(*to))
	}
	var total uint64
	for b := range n - 1 {
		c, err := binary.ReadUvarint(r)
		if err != nil {
			return err
		}
		if total += c; total < c {
			return errors.New("counts overflow")
		}
		(*to)[b] = c
	}
	return nil
}
