package reports

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"

	"quantbench/harness/record"
)

// prediction is one line of Predictions.
type prediction struct {
	Picture string  `json:"image_id"`
	Label   int     `json:"label"`
	Pred    int     `json:"pred"`
	Margin  float32 `json:"margin"`
	Tied    int     `json:"tied"`
	Cell    string  `json:"cell"`
}

// Predictions writes JSON lines, one a picture and cell: image_id, label, pred,
// margin, tied, cell.
func Predictions(w io.Writer, list []record.Answers) error {
	b := bufio.NewWriter(w)
	e := json.NewEncoder(b)
	for _, a := range list {
		for i, p := range a.Predictions {
			if err := e.Encode(prediction{a.Pictures[i], a.Labels[i], int(p.Class), p.Margin, int(p.Tied), a.Cell}); err != nil {
				return err
			}
		}
	}
	return b.Flush()
}

// MLPerfLog writes one cell's answers as MLPerf's LoadGen does in accuracy mode:
// qsl_idx counts the pictures in the order of the dataset, data is the class as a
// little-endian int32 in hex. MLPerf's accuracy-imagenet.py --dtype int32 scores it.
func MLPerfLog(w io.Writer, a *record.Answers) error {
	b := bufio.NewWriter(w)
	for i, p := range a.Predictions {
		head := ","
		if i == 0 {
			head = "["
		}
		fmt.Fprintf(b, "%s\n{ \"seq_id\" : %d, \"qsl_idx\" : %d, \"data\" : \"%X\" }", head, i, i, binary.LittleEndian.AppendUint32(nil, uint32(p.Class)))
	}
	fmt.Fprint(b, "\n]\n")
	return b.Flush()
}
