// Package reports turns a run into what people and programs read: a table for
// the terminal, JSON, CSV, Markdown and one HTML page.
//
// A report reads a record.Run and nothing else: no clock, no files, no network.
// The same run gives the same bytes. Reports never measure and never judge; what
// they say of a number follows from the intervals and tests that came with it.
package reports

import (
	"io"

	"quantbench/harness/record"
	"quantbench/reports/html"
)

// Reporter writes a run to w in one format.
type Reporter func(w io.Writer, r *record.Run) error

var (
	_ Reporter = Terminal
	_ Reporter = JSON
	_ Reporter = CSV
	_ Reporter = Markdown
	_ Reporter = HTML
)

// HTML writes one self-contained page; see package html.
func HTML(w io.Writer, r *record.Run) error { return html.Write(w, r) }
