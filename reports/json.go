package reports

import (
	"encoding/json"
	"fmt"
	"io"

	"quantbench/harness/record"
)

// JSON writes results.json: the whole run, indented by two spaces, with fields in
// the order of record.Run and a final newline. It fails on NaN and infinity.
func JSON(w io.Writer, r *record.Run) error {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("results.json: %w", err)
	}
	_, err = w.Write(append(b, '\n'))
	return err
}
