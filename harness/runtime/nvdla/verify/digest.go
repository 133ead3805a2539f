package verify

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
)

// Digest is the sha256, in hex, over the names and bytes of all files of the
// pairs, in their order: it says which recording a certificate is about.
func Digest(pairs []Pair) (string, error) {
	h := sha256.New()
	for _, p := range pairs {
		for _, file := range []string{p.Input, p.Output} {
			data, err := os.ReadFile(file)
			if err != nil {
				return "", err
			}
			fmt.Fprintf(h, "%s\x00%d\x00", filepath.Base(file), len(data))
			h.Write(data)
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
