// Package diagnose gives what a user should know a stable form: a code that can
// be searched for, what is wrong, the evidence, and what to do.
package diagnose

import (
	"errors"
	"fmt"
	"strings"
)

// Severity of a finding.
type Severity string

// The severities, worst first. An error makes a result wrong or impossible, a
// warning costs accuracy or comparability, a note explains.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Note    Severity = "note"
)

// Finding is one thing that a user should know. It is an error value, so that
// packages can return it where they return errors.
type Finding struct {
	Code     string   `json:"code"` // stable: "NV101"
	Severity Severity `json:"severity"`
	Fact     string   `json:"fact"`             // what, with the numbers
	Where    string   `json:"where,omitempty"`  // file:line or layer
	Advice   string   `json:"advice,omitempty"` // what to do
}

// Error renders "where: code: fact; advice".
func (f Finding) Error() string {
	s := f.Fact
	if f.Code != "" {
		s = f.Code + ": " + s
	}
	if f.Where != "" {
		s = f.Where + ": " + s
	}
	if f.Advice != "" {
		s += "; " + f.Advice
	}
	return s
}

// FromError makes a finding of any warning: the Finding inside it, or one of
// the given code that carries the error's text.
func FromError(err error, code string) Finding {
	var f Finding
	if errors.As(err, &f) {
		return f
	}
	return Finding{Code: code, Severity: Warning, Fact: err.Error()}
}

// DidYouMean is a suggestion to append to a message about an unknown name:
// `; did you mean "x"?` if a known name is close, else the list of them all.
func DidYouMean(name string, known []string) string {
	best, distance := "", len(name)/2+1
	for _, k := range known {
		d := editDistance(name, k)
		if len(name) > 2 && strings.HasPrefix(k, name) {
			d = 1 // a name cut short
		}
		if d < distance {
			best, distance = k, d
		}
	}
	if best != "" {
		return fmt.Sprintf("; did you mean %q?", best)
	}
	return fmt.Sprintf("; known are %q", known)
}

// editDistance is Levenshtein's distance in bytes.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
