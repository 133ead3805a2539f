package html

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"quantbench/harness/record"
	"quantbench/reports/internal/testrun"
)

// browser is a headless Chromium with the report open, and what it noticed.
type browser struct {
	ctx      context.Context
	mu       sync.Mutex
	requests []string
	messages []string
}

// open starts Chromium on a page from disk; without Chromium it skips.
func open(t *testing.T, page string) *browser {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a browser")
	}
	program := ""
	for _, name := range []string{"chromium", "google-chrome", "chromium-browser"} {
		if path, err := exec.LookPath(name); err == nil {
			program = path
			break
		}
	}
	if program == "" {
		t.Skip("neither chromium nor google-chrome is in PATH; install one to look at the report in a browser")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program))
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium refuses root otherwise
	}
	parent, stop := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(stop)
	allocator, stopAllocator := chromedp.NewExecAllocator(parent, options...)
	t.Cleanup(stopAllocator)
	ctx, stopContext := chromedp.NewContext(allocator)
	t.Cleanup(stopContext)
	b := &browser{ctx: ctx}
	b.watch(t)
	b.visit(t, page)
	return b
}

// visit opens a page from disk.
func (b *browser) visit(t *testing.T, page string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
		t.Fatal(err)
	}
	b.do(t, chromedp.EmulateViewport(1280, 900), chromedp.Navigate("file://"+path))
}

func (b *browser) watch(t *testing.T) {
	t.Helper()
	if _, err := chromedp.Call(b.ctx, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	messages := chromedp.Console(b.ctx)
	requests := chromedp.Events(b.ctx, network.RequestWillBeSent)
	go func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			b.mu.Lock()
			b.messages = append(b.messages, fmt.Sprint(m))
			b.mu.Unlock()
		}
	}()
	go func() {
		for r, err := range requests {
			if err != nil {
				return
			}
			b.mu.Lock()
			b.requests = append(b.requests, r.Request.URL)
			b.mu.Unlock()
		}
	}()
}

func (b *browser) do(t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

func eval[T any](t *testing.T, b *browser, script string) T {
	t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](script))
	if err != nil {
		t.Fatalf("%s: %v", script, err)
	}
	return v
}

// media switches colour scheme and medium, and lets the page redraw.
func (b *browser) media(t *testing.T, medium, scheme string) {
	t.Helper()
	p := emulation.SetEmulatedMediaParams{Media: medium, Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, p); err != nil {
		t.Fatal(err)
	}
	b.settle(t)
}

// width resizes the page and waits for the redraw that follows.
func (b *browser) width(t *testing.T, px int64) {
	t.Helper()
	b.do(t, chromedp.EmulateViewport(px, 900))
	b.settle(t)
}

func (b *browser) settle(t *testing.T) {
	t.Helper()
	if _, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](`new Promise(r => setTimeout(() => r(true), 400))`, chromedp.EvalAwaitPromise)); err != nil {
		t.Fatal(err)
	}
}

// checkCharts requires every chart to hold an SVG with marks in it.
func (b *browser) checkCharts(t *testing.T, when string) {
	t.Helper()
	total := eval[int](t, b, `document.querySelectorAll('.chart').length`)
	drawn := eval[int](t, b, `[...document.querySelectorAll('.chart')].filter(e => { const s = e.querySelector('svg'); return s && s.querySelectorAll('path').length > 2 && e.getAttribute('role') === 'img' && e.getAttribute('aria-label') }).length`)
	if total == 0 || drawn != total {
		t.Errorf("%s: %d of %d charts are drawn", when, drawn, total)
	}
}

func (b *browser) checkWidth(t *testing.T, px int) {
	t.Helper()
	if w := eval[int](t, b, `document.documentElement.scrollWidth`); w > px {
		t.Errorf("page is %d px wide in a window of %d px: %s", w, px, eval[string](t, b, fmt.Sprintf(`[...document.querySelectorAll("main *")].filter(e => e.getBoundingClientRect().right > %d && !e.closest(".scroll, svg")).slice(0, 5).map(e => e.tagName + "." + e.getAttribute("class") + "#" + e.id).join(" ")`, px)))
	}
}

// keep stores what the browser shows when BENCH_SHOTS names a folder to look at
// it; nothing otherwise.
func (b *browser) keep(t *testing.T, name string) {
	t.Helper()
	dir := os.Getenv("BENCH_SHOTS")
	if dir == "" {
		return
	}
	picture, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), picture, 0o644); err != nil {
		t.Fatal(err)
	}
}

func (b *browser) checkQuiet(t *testing.T) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range b.messages {
		t.Errorf("console: %s", m)
	}
	if len(b.requests) == 0 {
		t.Error("no request seen, not even for the page: the watch does not work")
	}
	for _, u := range b.requests {
		if !strings.HasPrefix(u, "file:") && !strings.HasPrefix(u, "data:") {
			t.Errorf("page asks for %s", u)
		}
	}
}

func TestBrowser(t *testing.T) {
	b := open(t, write(t, testrun.Whole()))
	background := `getComputedStyle(document.body).backgroundColor`
	b.media(t, "screen", "light")
	b.checkCharts(t, "light")
	b.checkWidth(t, 1280)
	b.keep(t, "light.png")
	light := eval[string](t, b, background)

	b.media(t, "screen", "dark")
	b.checkCharts(t, "dark")
	if dark := eval[string](t, b, background); dark == light {
		t.Errorf("dark scheme has the light background %s", dark)
	}
	if n := eval[int](t, b, `document.querySelectorAll('.chart[data-mode=dark]').length`); n == 0 {
		t.Error("no chart was redrawn dark")
	}
	b.keep(t, "dark.png")

	b.media(t, "print", "dark")
	b.checkCharts(t, "print")
	if n := eval[int](t, b, `document.querySelectorAll('.chart[data-mode=dark]').length`); n != 0 {
		t.Errorf("%d charts stay dark on paper", n)
	}
	b.pdf(t)

	b.media(t, "screen", "light")
	for _, px := range []int64{400, 700, 1000} {
		b.width(t, px)
		b.checkCharts(t, fmt.Sprint(px, " px"))
		b.checkWidth(t, int(px))
		b.keep(t, fmt.Sprintf("w%d.png", px))
	}
	b.checkQuiet(t)
}

// TestWithoutJavaScript requires verdict, table and the data of all figures to be
// readable, and nothing empty to be shown.
func TestWithoutJavaScript(t *testing.T) {
	page := write(t, testrun.Whole())
	b := open(t, page)
	if _, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	b.visit(t, page)
	if n := eval[int](t, b, `[...document.querySelectorAll('.chart, .key, .ramp')].filter(e => e.getClientRects().length).length`); n != 0 {
		t.Errorf("%d charts or legends without content are shown", n)
	}
	if n := eval[int](t, b, `[...document.querySelectorAll('.gates li, .main tr:not(.mobh), .gal li, .find li, figcaption, details summary')].filter(e => !e.getClientRects().length).length`); n != 0 {
		t.Errorf("%d parts of the page are missing", n)
	}
	if n := eval[int](t, b, `document.querySelectorAll('figure').length - document.querySelectorAll('figure table.dt').length`); n > 0 {
		t.Errorf("%d figures have no data table", n)
	}
	b.keep(t, "nojs.png")
}

// TestSaves requires the SVG of each figure to be well-formed XML.
func TestSaves(t *testing.T) {
	b := open(t, write(t, testrun.Whole()))
	bad := eval[string](t, b, `(() => {
		const out = [];
		const click = HTMLAnchorElement.prototype.click;
		HTMLAnchorElement.prototype.click = function () { out.push([this.download, decodeURIComponent(this.href.slice(this.href.indexOf(',') + 1))]); };
		document.querySelectorAll('.tools button').forEach(b => b.click());
		HTMLAnchorElement.prototype.click = click;
		const bad = out.filter(([name, text]) => name.endsWith('.svg') ? new DOMParser().parseFromString(text, 'image/svg+xml').querySelector('parsererror') : text.split('\n').length < 2 || text.includes('\u2212'));
		return out.length === 2 * document.querySelectorAll('figure').length || out.length > 2 ? bad.map(b => b[0]).join(' ') : 'only ' + out.length + ' files';
	})()`)
	if bad != "" {
		t.Errorf("files that cannot be read: %s", bad)
	}
}

// TestOtherShapes opens runs that are much smaller, larger or more broken than
// the usual one.
func TestOtherShapes(t *testing.T) {
	shapes := otherShapes()
	b := open(t, write(t, shapes["bare"]))
	for _, name := range slices.Sorted(maps.Keys(shapes)) {
		t.Run(name, func(t *testing.T) {
			b.visit(t, write(t, shapes[name]))
			for _, px := range []int64{1280, 400} {
				b.width(t, px)
				b.checkWidth(t, int(px))
				if len(shapes[name].Cells) > 0 && name != "failed" {
					b.checkCharts(t, fmt.Sprint(px, " px"))
				}
				b.keep(t, fmt.Sprintf("%s-%d.png", name, px))
			}
			if len(write(t, shapes[name])) > 1_200_000 {
				t.Errorf("page has more than 1,200,000 bytes")
			}
		})
	}
	b.checkQuiet(t)
}

func otherShapes() map[string]*record.Run {
	all := []string{"entropy2", "percentile", "minmax"}
	bare := testrun.New(testrun.Shape{Models: []string{"tiny5"}, Datasets: []string{"invented"}, Calibrators: all[:1], Pictures: 200})
	bare.Tables, bare.Models, bare.Datasets = nil, nil, nil
	reference := testrun.New(testrun.Shape{Models: []string{"tiny5"}, Datasets: []string{"invented"}, Pictures: 200})
	failed := testrun.New(testrun.Shape{Models: []string{"tiny5"}, Datasets: []string{"invented"}, Calibrators: all, Pictures: 200})
	for i := range failed.Cells {
		failed.Cells[i].Status, failed.Cells[i].Reason = record.Failed, "weights.caffemodel: truncated at byte 1024; copy the file again"
	}
	partly := testrun.New(testrun.Shape{Models: []string{"tiny5", "tiny18"}, Datasets: []string{"invented"}, Calibrators: all, Pictures: 2000, Layers: true, Gates: true})
	for i := 0; i < len(partly.Cells); i += 3 {
		partly.Cells[i].Status, partly.Cells[i].Reason = record.Failed, "deploy.prototxt:12: no scale for conv2"
	}
	targets := testrun.New(testrun.Shape{Models: []string{"tiny5"}, Datasets: []string{"invented"}, Calibrators: all[:2], Pictures: 500, Layers: true, Tables: true})
	for _, c := range targets.Cells[3:] {
		c.ID, c.Target = "x"+c.ID[1:], "nv_small"
		targets.Cells = append(targets.Cells, c)
	}
	return map[string]*record.Run{"bare": bare, "reference": reference, "empty": {}, "failed": failed, "partly": partly, "targets": targets,
		"grid": testrun.New(testrun.Shape{Models: []string{"a", "b", "c", "d"}, Datasets: []string{"one", "two", "three"}, Calibrators: all, Pictures: 500, Layers: true, Gates: true, Tables: true, Flips: true}),
		"many": testrun.New(testrun.Shape{Models: []string{"a", "b", "c", "a-model-with-a-long-name", "e"}, Datasets: []string{"one"}, Calibrators: all, Pictures: 500}),
	}
}

// pdf prints the page; a report that cannot be printed fails here.
func (b *browser) pdf(t *testing.T) {
	t.Helper()
	file, err := chromedp.Run(b.ctx, chromedp.PrintToPDF(chromedp.PDFPaper(chromedp.PaperA4), chromedp.PDFPreferCSSPageSize()))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(file), "%PDF-") {
		t.Error("printing gave no PDF")
	}
	if dir := os.Getenv("BENCH_SHOTS"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, "print.pdf"), file, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
