package diagnose

import (
	"fmt"
	"io"
	"strings"
)

// Rule is what is known about a code, whatever file it was found in.
type Rule struct {
	Code string
	// Title is the rule in half a line.
	Title    string
	Severity Severity // of its findings, unless a finding says otherwise
	// Why is the cause and what it costs; Do is the remedy. Plain text, one or
	// more paragraphs.
	Why, Do string
	// Sources are public threads and files in which the matter came up.
	Sources []string
}

// Explain writes the long form of a rule.
func (r Rule) Explain(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%s: %s (%s)\n\nWhy\n%s\n\nWhat to do\n%s\n", r.Code, r.Title, r.Severity, indent(r.Why), indent(r.Do))
	if err == nil && len(r.Sources) > 0 {
		_, err = fmt.Fprintf(w, "\nWhere it came up\n%s\n", indent(strings.Join(r.Sources, "\n")))
	}
	return err
}

// indent wraps text at 76 columns behind two spaces.
func indent(text string) string {
	var lines []string
	for _, paragraph := range strings.Split(text, "\n") {
		line := " "
		for _, word := range strings.Fields(paragraph) {
			if len(line)+1+len(word) > 78 && line != " " {
				lines = append(lines, line)
				line = " "
			}
			line += " " + word
		}
		lines = append(lines, strings.TrimRight(line, " "))
	}
	return strings.Join(lines, "\n")
}

// Worst is the worst severity among findings; empty for none.
func Worst(findings []Finding) Severity {
	for _, s := range []Severity{Error, Warning, Note} {
		if Count(findings, s) > 0 {
			return s
		}
	}
	return ""
}

// Count is how many findings have a severity.
func Count(findings []Finding, s Severity) int {
	n := 0
	for _, f := range findings {
		if f.Severity == s {
			n++
		}
	}
	return n
}
