package html

import (
	"html/template"
	"strings"

	"quantbench/reports/matrix"
)

// role is one colour of the page in both schemes. Text keeps 4.7:1 and marks
// 5:1 on their ground; runtimes stay apart under simulated colour blindness,
// and shape and line pattern tell them apart without any colour.
type role struct{ name, light, dark string }

var palette = []role{
	{"bg", "#ffffff", "#14171a"}, {"ink", "#16191d", "#e8eaed"}, {"ink2", "#4a525c", "#b7bec6"}, {"ink3", "#646d78", "#959ea8"},
	{"line", "#d5dadf", "#3a4149"}, {"hair", "#eaedf0", "#262b31"}, {"tint", "#f5f6f8", "#1c2025"},
	{"fp32", "#3a4149", "#cdd4db"}, {"trt", "#0b63b0", "#62aef0"}, {"nvf", "#00785f", "#3ecba9"}, {"nvk", "#c04a00", "#ff9650"}, {"other", "#646d78", "#959ea8"},
	{"fail", "#b4122f", "#ff8093"}, {"pass", "#1e6b34", "#7bd08f"}, {"unsure", "#7a5a00", "#e2b93b"},
	{"s0", "#f5f2f8", "#1f1b26"}, {"s1", "#d9cbe6", "#3a2d4d"}, {"s2", "#b497cf", "#5d4582"}, {"s3", "#8558ab", "#9374c3"}, {"s4", "#4c2872", "#d6c2f2"},
	{"sHi", "#ffffff", "#14171a"}, {"sLo", "#16191d", "#e8eaed"},
	{"gm2", "#1b7a3d", "#7fd397"}, {"gm1", "#a9d6b4", "#2b5e3a"}, {"g0", "#f5f6f7", "#1d2125"}, {"gp1", "#dccbe8", "#3d2d4f"}, {"gp2", "#a679c2", "#7c55a3"}, {"gp3", "#662b8c", "#cda2ee"},
}

// colours is the palette as the boot script wants it.
func colours() map[string]map[string]string {
	light, dark := map[string]string{}, map[string]string{}
	for _, r := range palette {
		light[r.name], dark[r.name] = r.light, r.dark
	}
	return map[string]map[string]string{"light": light, "dark": dark}
}

// variables are the CSS variables of both schemes.
func variables() string {
	var light, dark strings.Builder
	for _, r := range palette {
		light.WriteString("--" + r.name + ":" + r.light + ";")
		dark.WriteString("--" + r.name + ":" + r.dark + ";")
	}
	return ":root{" + light.String() + "}\n@media screen and (prefers-color-scheme:dark){:root{" + dark.String() + "}}\n"
}

// shape is how a series is drawn: mark, line pattern, and the mark as SVG in a
// box of 12 by 12.
type shape struct {
	symbol  string
	pattern any
	svg     string
}

var shapes = map[string]shape{
	"fp32":  {"diamond", "solid", `<path d="M6 0 12 6 6 12 0 6z" fill="var(--fp32)"/>`},
	"trt":   {"circle", "solid", `<circle cx="6" cy="6" r="5" fill="var(--trt)"/>`},
	"nvf":   {"triangle", []int{7, 3}, `<path d="M6 .5 12 11.5H0z" fill="var(--nvf)"/>`},
	"nvk":   {"rect", []int{2, 3}, `<rect x="1" y="1" width="10" height="10" fill="var(--nvk)"/>`},
	"other": {"path://M0 0H12L6 11z", []int{9, 3, 2, 3}, `<path d="M0 .5H12L6 11.5z" fill="var(--other)"/>`},
}

// mark draws a series' marker.
func mark(s matrix.Series) template.HTML {
	return template.HTML(`<svg class="mk" viewBox="0 0 12 12" aria-hidden="true">` + shapes[s.Key].svg + `</svg>`)
}

// stroke is how a calibrator is drawn. Calibrators never use runtime colours.
type stroke struct {
	colour, symbol string
	pattern        any
	dashes, svg    string
	width          float64
}

var strokes = []stroke{
	{"ink", "circle", "solid", "", `<circle cx="19" cy="6" r="3" fill="var(--ink)"/>`, 2},
	{"ink3", "triangle", []int{6, 3}, "6 3", `<path d="M19 2.5l4 7h-8z" fill="var(--ink3)"/>`, 1.6},
	{"gp3", "rect", []int{2, 3}, "2 3", `<rect x="16" y="3" width="6" height="6" fill="var(--gp3)"/>`, 1.8},
	{"ink3", "diamond", []int{9, 3, 2, 3}, "9 3 2 3", `<path d="M19 2l4 4-4 4-4-4z" fill="var(--ink3)"/>`, 1.6},
	{"ink", "rect", []int{1, 4}, "1 4", `<rect x="16" y="3" width="6" height="6" fill="var(--ink)"/>`, 2},
	{"gp3", "circle", []int{12, 4}, "12 4", `<circle cx="19" cy="6" r="3" fill="var(--gp3)"/>`, 1.6},
}
