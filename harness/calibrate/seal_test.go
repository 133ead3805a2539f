package calibrate

import (
	"encoding/binary"
	"hash/crc32"
)

// seal makes a file of statistics of a body, with the right magic and checksum.
func seal(body []byte) []byte {
	b := append([]byte(magic), body...)
	return binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
}
