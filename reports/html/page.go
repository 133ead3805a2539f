// Package html writes a run as one page that needs nothing else: verdict,
// table, figures, findings and manifest, with ECharts inside, readable without
// JavaScript, on paper and without colour vision.
//
// go-echarts builds the chart options; its page renderer is not used, because
// it fetches scripts from elsewhere and does not escape names. Options carry
// colours and functions as tokens that the boot script resolves, so data never
// holds code and one option serves light, dark and print. The same run gives the
// same bytes.
package html

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the scripts, style and template below
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"

	"quantbench/harness/record"
	"quantbench/reports/format"
	"quantbench/reports/matrix"
)

//go:embed assets/echarts.min.js
var echartsScript string

//go:embed assets/boot.js
var bootScript string

//go:embed assets/style.css
var styleSheet string

//go:embed assets/page.tmpl
var pageTemplate string

//go:embed assets/LICENSE-echarts.txt
var echartsLicence string

//go:embed assets/NOTICE-echarts.txt
var echartsNotice string

//go:embed assets/LICENSE-zrender.txt
var zrenderLicence string

//go:embed assets/LICENSE-d3.txt
var d3Licence string

//go:embed assets/LICENSE-tslib.txt
var tslibLicence string

// page is what the template shows.
type page struct {
	Title, Lede, Kick string
	Style             template.CSS
	Policy            string
	Ident             []entry
	Verdict           verdict
	Base              string // what cells are compared with
	Comparison        comparison
	Figures           []section
	Galleries         []gallery
	Findings          []finding
	Manifest          []entry
	Contents          []section
	Bad               bool // some cell failed
	Whole             bool // the page holds all of the results
}

// entry is a name with its value.
type entry struct {
	Name, Value string
	Code        bool
}

// section holds figures under one heading.
type section struct {
	ID, Heading, Short string
	Figures            []figure
	Omitted            string // groups left out for the size of the page
}

// Write writes the page. The error names the figure that could not be drawn.
func Write(w io.Writer, r *record.Run) error {
	m := matrix.Of(r)
	sections, err := figures(m)
	if err != nil {
		return err
	}
	results, whole, err := embedded(r)
	if err != nil {
		return err
	}
	body, err := render(m, sections, whole)
	if err != nil {
		return err
	}
	if err := scripts(body, sections, results); err != nil {
		return err
	}
	_, err = w.Write(body.Bytes())
	return err
}

func render(m *matrix.Matrix, sections []section, whole bool) (*bytes.Buffer, error) {
	t, err := template.New("page").Parse(pageTemplate)
	if err != nil {
		return nil, err
	}
	findings := findingsOf(m)
	p := page{Base: m.Base(), Title: joined(m.Title()), Lede: joined(m.Lede()), Kick: kick(m), Ident: ident(m), Verdict: verdictOf(m), Comparison: comparisonOf(m, findings),
		Figures: sections, Galleries: galleries(m), Findings: findings, Manifest: manifest(m), Bad: m.Count(record.Failed) > 0, Whole: whole,
		Style:  template.CSS(variables() + styleSheet + printBoxes(m)),
		Policy: fmt.Sprintf("default-src 'none'; script-src %s %s; img-src data:; style-src 'unsafe-inline'", hash(echartsScript), hash(bootScript))}
	p.Contents = contents(p)
	var b bytes.Buffer
	err = t.Execute(&b, p)
	return &b, err
}

func hash(script string) string {
	sum := sha256.Sum256([]byte(script))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// scripts appends data and code. Data is JSON with < escaped, so no name in it
// can end a script.
func scripts(b *bytes.Buffer, sections []section, results []byte) error {
	pal, err := json.Marshal(colours())
	if err != nil {
		return err
	}
	data := func(id string, text []byte) {
		fmt.Fprintf(b, "<script type=\"application/json\" id=\"%s\">%s</script>\n", id, text)
	}
	data("palette", pal)
	data("results", results)
	for _, s := range sections {
		for _, f := range s.Figures {
			for _, p := range f.Panels {
				data("o-"+p.ID, []byte(p.Option))
			}
		}
	}
	fmt.Fprintf(b, "<!--\n%s-->\n<script>%s</script>\n<script>%s</script>\n</body></html>\n", licences(), echartsScript, bootScript)
	return nil
}

// licences are the texts that must travel with the bundle, as a comment.
func licences() string {
	var b strings.Builder
	for _, l := range []struct{ name, text string }{
		{"Apache ECharts 6.1.0, NOTICE", echartsNotice}, {"Apache ECharts 6.1.0, LICENSE", echartsLicence},
		{"zrender, LICENSE", zrenderLicence}, {"d3, LICENSE", d3Licence}, {"tslib, LICENSE", tslibLicence},
	} {
		fmt.Fprintf(&b, "==== %s ====\n%s\n", l.name, strings.TrimSpace(l.text))
	}
	return strings.ReplaceAll(b.String(), "--", "- -")
}

const embeddedLimit = 128 << 10 // bytes of results in the page

// embedded is the run as JSON without thumbnails and graphs, which the page shows. When
// it is large, layers, confusion, flips, keys, cycles, scales, histograms, pairs of
// calibrators and cells that do not stand for their calibrator are in results.json only, and
// whole is false.
func embedded(r *record.Run) (b []byte, whole bool, err error) {
	c := *r
	c.Cells = append([]record.Cell(nil), r.Cells...)
	for i := range c.Cells {
		flips := append([]record.Flip(nil), c.Cells[i].Flips...)
		for j := range flips {
			flips[j].PNG = nil
		}
		c.Cells[i].Flips = flips
	}
	c.Models = append([]record.Model(nil), r.Models...)
	for i := range c.Models {
		c.Models[i].Graph = nil // drawn on the page
	}
	if b, err = json.Marshal(&c); err != nil {
		return nil, false, fmt.Errorf("results: %w", err)
	}
	if len(b) <= embeddedLimit {
		return b, true, nil
	}
	for i := range c.Cells {
		x := &c.Cells[i]
		x.Layers, x.Confusion, x.Flips, x.Key, x.Cycles = nil, nil, nil, nil, nil
	}
	c.Tables, c.Activations = nil, nil
	c.Cells = slices.DeleteFunc(c.Cells, func(x record.Cell) bool { return !x.Stands() })
	if r.Bakeoff != nil {
		c.Bakeoff = &record.Bakeoff{Lines: slices.Clone(r.Bakeoff.Lines)}
		for i := range c.Bakeoff.Lines {
			c.Bakeoff.Lines[i].Pairs = nil
		}
	}
	b, err = json.Marshal(&c)
	return b, false, err
}

func kick(m *matrix.Matrix) string {
	if m.Run.Title != "" {
		return m.Run.Title
	}
	return format.List(m.Models) + " on " + format.List(m.Datasets)
}

func ident(m *matrix.Matrix) []entry {
	runtimes := map[string]bool{}
	for i := range m.Run.Cells {
		runtimes[matrix.SeriesOf(&m.Run.Cells[i]).Name] = true
	}
	size := []string{format.Plural(len(m.Models), "model"), format.Plural(len(m.Datasets), "dataset"), format.Plural(len(runtimes), "runtime")}
	if len(m.Calibrators) > 0 {
		size = append(size, format.Plural(len(m.Calibrators), "calibrator"))
	}
	list := []entry{{Name: "Matrix", Value: strings.Join(size, " × ")},
		{Name: "Cells", Value: fmt.Sprintf("%d ok, %d failed, %d skipped", m.Count(record.OK), m.Count(record.Failed), m.Count(record.Skipped))}}
	if n := images(m.Groups); n > 0 {
		list = append(list, entry{Name: "Pictures", Value: format.Count(n) + " a cell"})
	}
	return append(list, entry{Name: "bench", Value: m.Run.Manifest.Version})
}

func contents(p page) []section {
	var list []section
	if len(p.Verdict.Lines) > 0 {
		list = append(list, section{ID: "verdict", Short: p.Verdict.Heading})
	}
	list = append(list, section{ID: "comparison", Short: "Comparison"})
	list = append(list, p.Figures...)
	if len(p.Galleries) > 0 {
		list = append(list, section{ID: "flips", Short: "Flipped pictures"})
	}
	if len(p.Findings) > 0 {
		list = append(list, section{ID: "findings", Short: "Findings"})
	}
	return append(list, section{ID: "manifest", Short: "Manifest"})
}

// printBoxes puts the run's identity on every printed page.
func printBoxes(m *matrix.Matrix) string {
	box := `font:8pt system-ui,Arial,sans-serif;color:#4a525c`
	return fmt.Sprintf("@page{@top-left{content:%s;%s}@bottom-left{content:%s;%s}@bottom-right{content:counter(page) \" / \" counter(pages);%s}}\n",
		cssString("bench report · "+kick(m)), box, cssString("cells sha256 "+m.Run.Manifest.Digest), box, box)
}

// cssString quotes text for CSS; letters that could end the string, the rule or
// the style element become escapes.
func cssString(s string) string {
	var b strings.Builder
	for _, c := range s {
		if strings.ContainsRune(`"\<>&{};`, c) || c < 0x20 {
			fmt.Fprintf(&b, `\%06x`, c)
			continue
		}
		b.WriteRune(c)
	}
	return `"` + b.String() + `"`
}

// joined keeps numbers and their signs on one line.
func joined(s string) string {
	return strings.NewReplacer(" %", "\u00a0%", "p = ", "p\u00a0=\u00a0", "p < ", "p\u00a0<\u00a0", " pp", "\u00a0pp").Replace(s)
}
