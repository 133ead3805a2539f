package record

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Answers are one cell's predictions with the pictures they are of, in the order
// of the dataset. The three lists have the same length.
type Answers struct {
	Cell        string // Cell.ID
	Pictures    []string
	Labels      []int
	Predictions []Prediction
}

// Imported says where the answers of a cell are from that was not run here.
type Imported struct {
	File     string `json:"file"` // as it was given
	SHA256   string `json:"sha256,omitempty"`
	Format   string `json:"format,omitempty"`    // "mlperf", "csv", "jsonl"
	DataType string `json:"data_type,omitempty"` // MLPerf: "int32", "float32", "int64"
	Labels   string `json:"labels,omitempty"`    // where the labels are from
}

// AnswersPath is where the answers of a results file lie: results.json has
// results.predictions.csv.gz.
func AnswersPath(results string) string {
	return strings.TrimSuffix(results, ".json") + ".predictions.csv.gz"
}

// answersHead are the columns of a file of answers.
var answersHead = []string{"cell", "image_id", "label", "pred", "margin", "tied", "best"}

// WriteAnswers writes gzipped CSV, a row a cell and picture: cell, image_id,
// label, pred, margin, tied, best (1 if the label is among the best scores). The
// same answers give the same bytes.
func WriteAnswers(w io.Writer, list []Answers) error {
	z := gzip.NewWriter(w)
	out := csv.NewWriter(z)
	if err := out.Write(answersHead); err != nil {
		return err
	}
	row := make([]string, len(answersHead))
	for _, a := range list {
		for i, p := range a.Predictions {
			row[0], row[1], row[2], row[3] = a.Cell, a.Pictures[i], strconv.Itoa(a.Labels[i]), strconv.Itoa(int(p.Class))
			row[4], row[5], row[6] = strconv.FormatFloat(float64(p.Margin), 'g', -1, 32), strconv.Itoa(int(p.Tied)), "0"
			if p.Best {
				row[6] = "1"
			}
			if err := out.Write(row); err != nil {
				return err
			}
		}
	}
	out.Flush()
	return errors.Join(out.Error(), z.Close())
}

// ReadAnswers reads what WriteAnswers wrote, cells in the order of the file.
func ReadAnswers(file string, data []byte) ([]Answers, error) {
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("%s: not gzip (%w); `bench run` and `bench import` write this file", file, err)
	}
	r := csv.NewReader(z)
	r.ReuseRecord, r.FieldsPerRecord = true, len(answersHead)
	head, err := r.Read()
	if err != nil || strings.Join(head, ",") != strings.Join(answersHead, ",") {
		return nil, fmt.Errorf("%s:1: the header is %q, not %q (%v); run the experiment again", file, strings.Join(head, ","), strings.Join(answersHead, ","), err)
	}
	var list []Answers
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w; the file is cut or damaged: run the experiment again", file, err)
		}
		line, _ := r.FieldPos(0)
		if n := len(list); n == 0 || list[n-1].Cell != row[0] {
			list = append(list, Answers{Cell: strings.Clone(row[0])})
		}
		if err := list[len(list)-1].add(row); err != nil {
			return nil, fmt.Errorf("%s:%d: %w; run the experiment again", file, line, err)
		}
	}
}

// add takes the picture of one row.
func (a *Answers) add(row []string) error {
	label, err := strconv.ParseUint(row[2], 10, 16)
	if err != nil {
		return fmt.Errorf("label %q: %w", row[2], err)
	}
	class, err := strconv.ParseUint(row[3], 10, 16)
	if err != nil {
		return fmt.Errorf("pred %q: %w", row[3], err)
	}
	margin, err := strconv.ParseFloat(row[4], 32)
	if err != nil {
		return fmt.Errorf("margin %q: %w", row[4], err)
	}
	tied, err := strconv.ParseUint(row[5], 10, 16)
	if err != nil || tied == 0 {
		return fmt.Errorf("tied is %q, and at least 1", row[5])
	}
	if row[6] != "0" && row[6] != "1" {
		return fmt.Errorf("best is %q, not 0 or 1", row[6])
	}
	a.Pictures, a.Labels = append(a.Pictures, strings.Clone(row[1])), append(a.Labels, int(label))
	a.Predictions = append(a.Predictions, Prediction{Class: uint16(class), Tied: uint16(tied), Best: row[6] == "1", Margin: float32(margin)})
	return nil
}
