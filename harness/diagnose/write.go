package diagnose

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Text writes a line a finding, its advice behind the last of those that share
// it, and a line of counts.
func Text(w io.Writer, findings []Finding) error {
	for i, f := range findings {
		where := ""
		if f.Where != "" {
			where = f.Where + ": "
		}
		if _, err := fmt.Fprintf(w, "%s%s %s: %s\n", where, f.Severity, f.Code, f.Fact); err != nil {
			return err
		}
		shared := i+1 < len(findings) && findings[i+1].Code == f.Code && findings[i+1].Advice == f.Advice
		if f.Advice != "" && !shared {
			if _, err := fmt.Fprintf(w, "    to do: %s\n", f.Advice); err != nil {
				return err
			}
		}
	}
	_, err := fmt.Fprintln(w, Summary(findings))
	return err
}

// Summary is "2 errors, 1 warning, 0 notes".
func Summary(findings []Finding) string {
	var parts []string
	for _, s := range []Severity{Error, Warning, Note} {
		n, plural := Count(findings, s), "s"
		if n == 1 {
			plural = ""
		}
		parts = append(parts, fmt.Sprintf("%d %s%s", n, s, plural))
	}
	return strings.Join(parts, ", ")
}

// JSON writes the findings as an array.
func JSON(w io.Writer, findings []Finding) error {
	if findings == nil {
		findings = []Finding{}
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(findings)
}

// Place splits "file:line"; line is 0 if there is none.
func Place(where string) (file string, line int) {
	if at := strings.LastIndexByte(where, ':'); at > 0 {
		if n, err := strconv.Atoi(where[at+1:]); err == nil && n > 0 {
			return where[:at], n
		}
	}
	return where, 0
}

// The parts of SARIF 2.1.0 that are used.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool    sarifTool     `json:"tool"`
		Results []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name  string      `json:"name"`
		Rules []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID     string    `json:"id"`
		Short  sarifText `json:"shortDescription"`
		Full   sarifText `json:"fullDescription"`
		Help   sarifText `json:"help"`
		Config struct {
			Level string `json:"level"`
		} `json:"defaultConfiguration"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations,omitempty"`
	}
	sarifLocation struct {
		Physical struct {
			Artifact struct {
				URI string `json:"uri"`
			} `json:"artifactLocation"`
			Region *sarifRegion `json:"region,omitempty"`
		} `json:"physicalLocation"`
	}
	sarifRegion struct {
		StartLine int `json:"startLine"`
	}
)

// SARIF writes the findings as a SARIF 2.1.0 log of one run, with those of the
// rules that occur.
func SARIF(w io.Writer, tool string, findings []Finding, rules []Rule) error {
	run := sarifRun{Tool: sarifTool{sarifDriver{Name: tool, Rules: []sarifRule{}}}, Results: []sarifResult{}}
	used := map[string]bool{}
	for _, f := range findings {
		used[f.Code] = true
		run.Results = append(run.Results, sarifOf(f))
	}
	for _, r := range rules {
		if !used[r.Code] {
			continue
		}
		s := sarifRule{ID: r.Code, Short: sarifText{r.Title}, Full: sarifText{r.Why}, Help: sarifText{r.Do}}
		s.Config.Level = string(r.Severity)
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, s)
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(sarifLog{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []sarifRun{run}})
}

func sarifOf(f Finding) sarifResult {
	text := f.Fact
	if f.Advice != "" {
		text += "; " + f.Advice
	}
	r := sarifResult{RuleID: f.Code, Level: string(f.Severity), Message: sarifText{text}}
	if f.Where != "" {
		var l sarifLocation
		file, line := Place(f.Where)
		l.Physical.Artifact.URI = strings.ReplaceAll(file, "\\", "/")
		if line > 0 {
			l.Physical.Region = &sarifRegion{line}
		}
		r.Locations = append(r.Locations, l)
	}
	return r
}

// The parts of JUnit's XML that are used.
type (
	junitSuite struct {
		XMLName  xml.Name    `xml:"testsuite"`
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string        `xml:"classname,attr"`
		Name    string        `xml:"name,attr"`
		Failure *junitFailure `xml:"failure"`
		Out     string        `xml:"system-out,omitempty"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",chardata"`
	}
)

// JUnit writes a test case a finding. Errors are failures, and so are warnings
// if strict; the rest are passed cases with their text as output. Without
// findings there is one passed case.
func JUnit(w io.Writer, suite string, findings []Finding, strict bool) error {
	s := junitSuite{Name: suite, Tests: max(1, len(findings))}
	for _, f := range findings {
		c := junitCase{Class: f.Code, Name: strings.TrimSpace(f.Code + " " + f.Where)}
		if f.Severity == Error || strict && f.Severity == Warning {
			c.Failure = &junitFailure{f.Fact, string(f.Severity), f.Error()}
			s.Failures++
		} else {
			c.Out = f.Error()
		}
		s.Cases = append(s.Cases, c)
	}
	if len(findings) == 0 {
		s.Cases = []junitCase{{Class: suite, Name: "no findings"}}
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(s); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}
