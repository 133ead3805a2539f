package harness

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"quantbench/harness/record"
)

// EngineVersion is part of every key. It goes up whenever the same inputs may
// give another result, which makes all earlier cells count as not yet run.
const EngineVersion = "5"

// key collects the inputs that a result depends on.
type key []record.KeyPart

func (k *key) add(name, value string) { *k = append(*k, record.KeyPart{Name: name, Value: value}) }

// sum is the sha256 over the parts, in hex. Lengths are hashed too, so that no
// two different lists of parts run together.
func (k key) sum() string {
	h := sha256.New()
	for _, p := range k {
		fmt.Fprintf(h, "%d:%s%d:%s", len(p.Name), p.Name, len(p.Value), p.Value)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// digest is the sha256 of data in hex.
func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// idLength is how many digits of a key make a cell's ID.
const idLength = 12
