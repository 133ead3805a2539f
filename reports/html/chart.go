package html

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"
)

// node is a piece of an ECharts option.
type node = map[string]any

// Colours and functions go into an option as tokens; the boot script resolves
// them, so that one option serves light, dark, print and export.
func colour(name string) string   { return "@c." + name }
func function(name string) string { return "@f." + name }

// chart is what a typed go-echarts chart offers.
type chart interface {
	Validate()
	JSON() map[string]any
}

// axes are the two typed axes of a chart.
type axes struct {
	X opts.XAxis
	Y opts.YAxis
}

// series is one series of a chart: typed by go-echarts, with data and settings
// that go-echarts has no type for.
type series struct {
	kind     string // "scatter", "line", "heatmap", "custom"
	name     string
	data     []node
	settings node
}

// option builds a chart with go-echarts and adds what its types lack: data with
// tips and cell numbers, custom series, tokens.
func option(a axes, grid node, list ...series) (node, error) {
	base := charts.NewScatter()
	if a.X.AxisLabel == nil {
		a.X.AxisLabel = &opts.AxisLabel{}
	}
	if a.Y.AxisLabel == nil {
		a.Y.AxisLabel = &opts.AxisLabel{}
	}
	base.SetGlobalOptions(charts.WithXAxisOpts(a.X), charts.WithYAxisOpts(a.Y))
	base.SetXAxis(a.X.Data)
	for _, s := range list {
		base.Overlap(s.typed())
	}
	n, err := plain(base)
	if err != nil {
		return nil, err
	}
	n["grid"] = grid
	for i, s := range list {
		target := n["series"].([]any)[i].(node)
		target["data"] = s.data
		merge(target, s.settings)
	}
	return n, nil
}

func (s series) typed() charts.Overlaper {
	switch s.kind {
	case "line":
		return charts.NewLine().AddSeries(s.name, nil)
	case "heatmap":
		return charts.NewHeatMap().AddSeries(s.name, nil)
	case "custom":
		return charts.NewCustom().AddSeries(s.name, nil)
	}
	return charts.NewScatter().AddSeries(s.name, nil)
}

// plain turns a typed chart into maps and drops what the page draws itself.
func plain(c chart) (node, error) {
	c.Validate()
	b, err := json.Marshal(c.JSON())
	if err != nil {
		return nil, fmt.Errorf("building a chart: %w", err)
	}
	var n node
	if err := json.Unmarshal(b, &n); err != nil {
		return nil, fmt.Errorf("building a chart: %w", err)
	}
	for _, key := range []string{"title", "legend", "tooltip", "toolbox", "color"} {
		delete(n, key)
	}
	for _, key := range []string{"xAxis", "yAxis"} {
		for _, axis := range n[key].([]any) {
			clean(axis.(node))
		}
	}
	return n, nil
}

// clean drops nulls, and axis labels' defaults that are not ours.
func clean(n node) {
	for k, v := range n {
		if v == nil {
			delete(n, k)
		} else if inner, ok := v.(node); ok {
			clean(inner)
		}
	}
}

// merge sets the values of from in into, maps within maps included.
func merge(into, from node) {
	for k, v := range from {
		inner, ok := v.(node)
		old, was := into[k].(node)
		if ok && was {
			merge(old, inner)
			continue
		}
		into[k] = v
	}
}

// axis sets what go-echarts has no type for on one axis.
func axis(n node, which string, settings node) { merge(n[which].([]any)[0].(node), settings) }

// rich makes group names bold; labels use {b|...}, so braces in names go.
var bold = node{"b": node{"fontWeight": 600, "color": colour("ink")}}

var braces = strings.NewReplacer("{", "(", "}", ")", "|", "/")

func boldLabel(group, rest string) string {
	if group == "" {
		return braces.Replace(rest)
	}
	label := "{b|" + braces.Replace(group) + "}"
	if rest != "" {
		label += "  " + braces.Replace(rest)
	}
	return label
}

// margin estimates the room that labels need, in px at 12 px text.
func margin(labels []string, size float64) int {
	longest := 0
	for _, l := range labels {
		l = strings.NewReplacer("{b|", "", "}", "").Replace(l)
		longest = max(longest, len([]rune(l)))
	}
	return int(math.Ceil(float64(longest)*size)) + 12
}

// span is an axis with ticks at round numbers.
type span struct {
	lo, hi float64
	ticks  []float64
}

// around finds an axis that holds [lo, hi], starting and ending at half steps.
func around(lo, hi float64, wanted int) span {
	if hi <= lo {
		lo, hi = lo-0.5, hi+0.5
	}
	step := niceStep((hi - lo) / float64(wanted))
	s := span{lo: math.Floor(lo/step*2) * step / 2, hi: math.Ceil(hi/step*2) * step / 2}
	return s.withTicks(step)
}

func (s span) withTicks(step float64) span {
	s.ticks = nil
	for i := math.Ceil(s.lo/step - 1e-9); i*step <= s.hi+1e-9; i++ {
		s.ticks = append(s.ticks, round(i*step))
	}
	s.lo, s.hi = round(s.lo), round(s.hi)
	return s
}

func niceStep(raw float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, f := range []float64{1, 2, 5} {
		if raw <= f*power*1.0001 {
			return f * power
		}
	}
	return 10 * power
}

// round drops the noise of binary fractions, for short and stable JSON.
func round(x float64) float64 { return math.Round(x*1e6) / 1e6 }

// trim prints an axis value without trailing zeros.
func trim(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }
