package record

import (
	"encoding/json"
	"fmt"
)

// Certificate is the outcome of comparing the simulator, element by element,
// with what a virtual platform or a board recorded for one program.
type Certificate struct {
	// File is where a run read it from; empty in the file itself.
	File   string `json:"file,omitempty"`
	Target string `json:"target"`
	// Program is the fingerprint of the compared program: cells with the same one
	// execute the same operations on the same constants.
	Program    string `json:"program"`
	Source     string `json:"source,omitempty"` // the loadable or network, for people
	Recorded   string `json:"recorded_sha256"`  // sha256 over the recorded files, in hex
	Pictures   int    `json:"pictures"`
	Equal      int    `json:"equal"`
	Elements   int    `json:"elements"` // compared, over all pictures
	Mismatches int    `json:"mismatches"`
	// Upper95 bounds the share of pictures that differ: exact, one-sided, 95 %.
	Upper95    float64 `json:"upper95"`
	Conclusion string  `json:"conclusion"`
}

// ReadCertificate reads what `bench nvdla verify -o` wrote.
func ReadCertificate(file string, data []byte) (Certificate, error) {
	var c Certificate
	if err := json.Unmarshal(data, &c); err != nil {
		return c, fmt.Errorf("%s: not a certificate: %w; make one with `bench nvdla verify -o`", file, err)
	}
	switch {
	case c.Target == "" || c.Program == "" || c.Pictures <= 0:
		return c, fmt.Errorf("%s: not a certificate: target %q, program %q, %d pictures; make one with `bench nvdla verify -o`", file, c.Target, c.Program, c.Pictures)
	case c.Equal+c.Mismatches != c.Pictures || c.Equal < 0 || c.Mismatches < 0:
		return c, fmt.Errorf("%s: %d equal and %d different pictures are not the %d that were compared; the file was changed", file, c.Equal, c.Mismatches, c.Pictures)
	}
	c.File = file
	return c, nil
}
