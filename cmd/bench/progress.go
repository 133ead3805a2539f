package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"quantbench/harness"
)

// progress shows a run: one line that is rewritten on a terminal, plain lines
// elsewhere. It writes to standard error only.
type progress struct {
	w        io.Writer
	width    int
	terminal bool
	quiet    bool
	now      func() time.Time
	start    time.Time
	last     time.Time
	counts   map[harness.EventKind]int
}

// refresh limits how often the line is rewritten; heartbeat how long a log
// stays silent.
const (
	refresh   = 100 * time.Millisecond
	heartbeat = 30 * time.Second
)

func newProgress(w io.Writer, quiet bool) *progress {
	width, ok := terminal(w)
	return &progress{w: w, width: width, terminal: ok, quiet: quiet, now: time.Now, start: time.Now(), counts: map[harness.EventKind]int{}}
}

// observe takes one event of the harness.
func (p *progress) observe(e harness.Event) {
	p.counts[e.Kind]++
	if p.quiet {
		return
	}
	head := fmt.Sprintf("[%d/%d] %s", e.Cell, e.Cells, e.Point)
	switch e.Kind {
	case harness.CellStarted:
		if e.Done > 0 {
			p.print(fmt.Sprintf("%s: going on at %d of %d pictures", head, e.Done, e.Total))
		} else if p.terminal {
			p.line(head + ": preparing")
		}
	case harness.CalibrationStarted:
		p.line(fmt.Sprintf("calibrating %s on %s: %d pictures", e.Point.Model, e.Point.Dataset, e.Total))
	case harness.PicturesKept:
		p.print(fmt.Sprintf("decoded pictures, %d of %d already there, are kept in %s; `bench data clean` removes them", e.Done, e.Total, e.Reason))
	case harness.FilesSummed:
		if gap := p.now().Sub(p.last); p.terminal && gap >= refresh || gap >= heartbeat {
			p.line(fmt.Sprintf("reading %s for its checksum: %d files", e.Reason, e.Done))
		}
	case harness.PicturesNotKept:
		p.print(e.Reason)
	case harness.CellProgress:
		if gap := p.now().Sub(p.last); p.terminal && gap >= refresh || gap >= heartbeat {
			p.line(fmt.Sprintf("%s: %d of %d, top-1 %.2f %%%s", head, e.Done, e.Total, percent(e.Correct, e.Done), p.remaining(e.Work)))
		}
	case harness.PassProgress:
		if gap := p.now().Sub(p.last); p.terminal && gap >= refresh || gap >= heartbeat {
			p.line(fmt.Sprintf("layers of %s: pass %d of %d (%s), %d of %d pictures", e.Point, e.Cell, e.Cells, e.Pass, e.Done, e.Total))
		}
	case harness.CellDone:
		p.print(fmt.Sprintf("%s: top-1 %.2f %% (%d of %d)%s", head, percent(e.Correct, e.Total), e.Correct, e.Total, p.remaining(e.Work)))
	case harness.CellSkipped:
		p.print(head + ": skipped: " + e.Reason)
	case harness.CellFailed:
		p.print(head + ": FAILED: " + e.Reason)
	}
}

// line shows a passing state: rewritten on a terminal, a line of its own in a log.
func (p *progress) line(s string) {
	p.last = p.now()
	if !p.terminal {
		fmt.Fprintln(p.w, s)
		return
	}
	if len(s) >= p.width && p.width > 1 {
		s = s[:p.width-1]
	}
	fmt.Fprintf(p.w, "\r\033[K%s", s)
}

// print leaves a line standing.
func (p *progress) print(s string) {
	p.last = p.now()
	if p.terminal {
		fmt.Fprint(p.w, "\r\033[K")
	}
	fmt.Fprintln(p.w, s)
}

// close clears the passing line.
func (p *progress) close() {
	if p.terminal && !p.quiet {
		fmt.Fprint(p.w, "\r\033[K")
	}
}

// remaining estimates the rest of the run from the share of the work done.
func (p *progress) remaining(work float64) string {
	elapsed := p.now().Sub(p.start)
	if work < 0.02 || work >= 1 {
		return ""
	}
	rest := time.Duration(float64(elapsed) * (1 - work) / work)
	return fmt.Sprintf(", about %s left", rest.Round(time.Second))
}

// summary says what the run did.
func (p *progress) summary() string {
	parts := []string{fmt.Sprintf("%d cells run", p.counts[harness.CellDone])}
	for _, k := range []struct {
		kind harness.EventKind
		name string
	}{{harness.CellCached, "from the cache"}, {harness.CellSkipped, "skipped"}, {harness.CellFailed, "failed"}} {
		if n := p.counts[k.kind]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, k.name))
		}
	}
	s := strings.Join(parts, ", ")
	if p.counts[harness.CellDone]+p.counts[harness.CellFailed] == 0 && p.counts[harness.CellCached] > 0 {
		s += ": nothing to do"
	}
	return fmt.Sprintf("%s, in %s", s, p.now().Sub(p.start).Round(10*time.Millisecond))
}

func percent(k, n int) float64 {
	if n == 0 {
		return 0
	}
	return 100 * float64(k) / float64(n)
}
