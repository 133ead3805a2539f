package harness

import "time"

// Clock tells the time; a test may hold it still.
type Clock interface{ Now() time.Time }

// SystemClock is the real clock.
type SystemClock struct{}

// Now is time.Now.
func (SystemClock) Now() time.Time { return time.Now() }

// EventKind says what happened.
type EventKind int

// What an experiment reports while it runs.
const (
	CellStarted EventKind = iota
	CellProgress
	CellDone
	CellCached
	CellSkipped
	CellFailed
	CalibrationStarted
	CalibrationDone
	// PicturesKept tells that decoded pictures are kept in a file, of which Done of
	// Total are there; PicturesNotKept why not. Reason is the file or the reason.
	PicturesKept
	PicturesNotKept
	// FilesSummed tells that so many files (Done) of a folder (Reason) were read for
	// their checksums.
	FilesSummed
	// PassProgress is a further pass over the pictures of a finished cell; Cell of
	// Cells counts the passes of the cell, and Pass says what it measures.
	PassProgress
)

// Event is one step of an experiment, for a progress display or a log.
type Event struct {
	Kind  EventKind
	Point Point
	Pass  string
	// Cell counts from 1 of Cells, over the whole matrix.
	Cell, Cells int
	// Done of Total pictures of this cell; for CellStarted what an earlier run has
	// done already.
	Done, Total int
	// Work is the share of the run's remaining work that is done, 0..1, by the
	// multiply-accumulates of the pictures.
	Work float64
	// Correct is the number of right answers among Done.
	Correct int
	// Reason of a skip or failure.
	Reason string
}

func (e *Experiment) observe(ev Event) {
	if e.env.Observe != nil {
		e.env.Observe(ev)
	}
}
