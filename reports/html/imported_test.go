package html

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"quantbench/reports/internal/testrun"
)

// Imported cells stand in every part of the page where a cell of ours stands.
func TestImported(t *testing.T) {
	r := testrun.Imported()
	page := write(t, r)
	for _, c := range r.Cells {
		if c.Imported == nil {
			continue
		}
		parts := []string{`title="cell ` + c.ID, `"c":"` + c.ID + `"`, "<td>" + c.ID + "</td>", "logs/" + c.ID[:1] + "&lt;b&gt;.json.gz"}
		for _, p := range parts {
			if !strings.Contains(page, p) {
				t.Errorf("%s (%s): no %q", c.ID, c.Runtime, p)
			}
		}
	}
	if strings.Contains(page, "<b>.json") {
		t.Error("a file's name is markup")
	}
	for _, want := range []string{"TensorRT on T4 (imported)", "fp32 (imported)", "pot-aq"} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q", want)
		}
	}
}

// A page whose reference is not fp32 does not speak of fp32.
func TestForeignReference(t *testing.T) {
	page := strings.Replace(write(t, testrun.Foreign()), echartsScript, "", 1)
	page = regexp.MustCompile(`(?s)<style>.*?</style>|<script.*?</script>|var\(--fp32\)`).ReplaceAllString(page, "")
	for _, word := range []string{"fp32", "int8 cell", " with ,", " with <", ", :", "with \""} {
		if i := strings.Index(page, word); i >= 0 {
			t.Errorf("the page says %q: …%s…", word, page[max(0, i-120):min(len(page), i+60)])
		}
	}
	if !strings.Contains(page, "differ from bfloat16 board (imported)") {
		t.Error("the lede does not name the reference")
	}
}

func TestImportedInBrowser(t *testing.T) {
	b := open(t, write(t, testrun.Imported()))
	for i, page := range []string{write(t, testrun.Imported()), write(t, testrun.Foreign())} {
		b.visit(t, page)
		for _, scheme := range []string{"light", "dark"} {
			b.media(t, "screen", scheme)
			b.checkCharts(t, scheme)
			b.checkWidth(t, 1280)
			b.keep(t, fmt.Sprintf("imported-%d-%s.png", i, scheme))
		}
		b.width(t, 400)
		b.checkWidth(t, 400)
		b.keep(t, fmt.Sprintf("imported-%d-400.png", i))
		b.width(t, 1280)
	}
	b.checkQuiet(t)
}
