package graph

import (
	"fmt"
	"html"
	"math"
	"strings"
	"unicode/utf8"

	"quantbench/harness/record"
)

// Budget is how many bytes a drawing may take unless the caller says otherwise.
const Budget = 24_000

// fileStyle makes a file of its own readable on light and dark ground.
const fileStyle = "<style>svg{color:#16191d;background:#fff;font:11px system-ui,Arial,sans-serif}@media(prefers-color-scheme:dark){svg{color:#e8eaed;background:#14171a}}</style>"

// File is the drawing as an SVG file: all layers, as many boxes as they need.
func File(name string, g *record.Graph) []byte {
	return []byte(draw(name, g, boxes(g, 0), fileStyle) + "\n")
}

// Inline is the drawing for a page: an svg element of at most budget bytes, whose
// colours are the page's. A network that is too large is drawn coarser. Empty for
// a network without layers.
func Inline(name string, g *record.Graph, budget int) string {
	if g == nil || len(g.Nodes) == 0 {
		return ""
	}
	for level := range 3 {
		if s := draw(name, g, boxes(g, level), ""); len(s) <= budget {
			return s
		}
	}
	blocks := boxes(g, 2)
	for most := len(blocks) / 2; most > 1; most /= 2 {
		if s := draw(name, g, coarser(blocks, most), ""); len(s) <= budget {
			return s
		}
	}
	return draw(name, g, coarser(blocks, 1), "")
}

// draw is the svg element.
func draw(name string, g *record.Graph, list []box, style string) string {
	texts, sizes := make([][]string, len(list)), make([][2]float64, len(list))
	for i, b := range list {
		texts[i] = b.lines(g)
		sizes[i] = [2]float64{boxWidth(texts[i]), lineHeight*float64(len(texts[i])) + 2*boxPad}
	}
	l := arrange(list, sizes)
	w, h := l.size()
	var s strings.Builder
	fmt.Fprintf(&s, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f" role="img" aria-label="%s" fill="currentColor" font-size="11" text-anchor="middle">%s`,
		w, h, w, h, html.EscapeString(fmt.Sprintf("graph of %s: %d layers in %d boxes", name, len(g.Nodes), len(list))), style)
	l.edges(&s)
	total := macs(g, nil)
	for i, b := range list {
		l.box(&s, l.places[l.at[i]], texts[i], float64(macs(g, b.nodes))/max(float64(total), 1))
	}
	s.WriteString("</svg>")
	return s.String()
}

// macs sums the work of some nodes, or of all.
func macs(g *record.Graph, nodes []int) (sum int64) {
	if nodes == nil {
		for _, n := range g.Nodes {
			sum += n.MACs
		}
		return sum
	}
	for _, i := range nodes {
		sum += g.Nodes[i].MACs
	}
	return sum
}

func boxWidth(lines []string) float64 {
	w := 8 * letter
	for i, t := range lines {
		n := letter * float64(min(utf8.RuneCountInString(t), widest))
		if i == 0 {
			n *= bold
		}
		w = max(w, n)
	}
	return math.Ceil(w) + 14
}

// box draws one box: the more of the network's work it does, the darker. The name
// is set in bold.
func (l *layout) box(s *strings.Builder, p place, lines []string, share float64) {
	full := ""
	for _, t := range lines {
		if utf8.RuneCountInString(t) > widest {
			full = "<title>" + html.EscapeString(strings.Join(lines, ", ")) + "</title>"
		}
	}
	fmt.Fprintf(s, `<g><rect x="%.0f" y="%.0f" width="%.0f" height="%.0f" rx="3" stroke="currentColor" stroke-opacity=".5" fill-opacity="%.2f"/>`,
		p.x-p.width/2, p.y, p.width, p.height, 0.02+0.3*math.Sqrt(share))
	for i, t := range lines {
		weight := ""
		if i == 0 {
			weight = ` font-weight="600"`
		}
		fmt.Fprintf(s, `<text x="%.0f" y="%.0f"%s>%s</text>`, p.x, p.y+boxPad+lineHeight*float64(i)+11, weight, html.EscapeString(cut(t)))
	}
	s.WriteString(full + "</g>")
}

// cut shortens a line from the middle: both ends of a layer's name tell it apart.
func cut(t string) string {
	r := []rune(t)
	if len(r) <= widest {
		return t
	}
	return string(r[:widest/2]) + "…" + string(r[len(r)-widest/2+1:])
}

// edges draws what is read from what, all in one path, with an arrow head at
// each box.
func (l *layout) edges(s *strings.Builder) {
	var path, heads strings.Builder
	for _, p := range l.places {
		for _, d := range p.down {
			q := l.places[d]
			x1, y1, x2, y2 := p.x, p.y+p.height, q.x, q.y
			if math.Abs(x1-x2) < 0.5 {
				fmt.Fprintf(&path, "M%.0f %.0fV%.0f", x1, y1, y2)
			} else {
				m := (y2 - y1) * 0.6
				fmt.Fprintf(&path, "M%.0f %.0fC%.0f %.0f %.0f %.0f %.0f %.0f", x1, y1, x1, y1+m, x2, y2-m, x2, y2)
			}
			if q.box < 0 {
				fmt.Fprintf(&path, "V%.0f", y2+q.height)
			} else {
				fmt.Fprintf(&heads, "M%.0f %.0fl-3-6h6z", x2, y2)
			}
		}
	}
	fmt.Fprintf(s, `<path fill="none" stroke="currentColor" stroke-opacity=".6" d="%s"/><path fill-opacity=".7" d="%s"/>`, path.String(), heads.String())
}
