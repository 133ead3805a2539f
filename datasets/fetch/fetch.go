// Package fetch brings files that are known by size and checksum onto this
// machine: from mirrors over HTTP, or from a folder that has them already.
//
// A file appears under its name only when it is whole and its checksum is right.
// Until then it is NAME.part beside NAME.part.json, which says where it comes from
// and lets the next attempt go on where this one stopped. Nothing that this package
// did not make is ever overwritten or removed. What cannot be fetched is a
// *ManualError, which says what to get by hand and where to put it.
package fetch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// File is one file of a catalogue.
type File struct {
	Name string // with slashes, below the folder of its dataset
	Size int64  // bytes; 0 if not known
	// MD5 and SHA256 are in lower-case hex; at least one is needed to download.
	MD5, SHA256 string
	Mirrors     []string // addresses, in the order to try
	// Manual says in words how to get a file that no mirror has.
	Manual string
}

// Progress tells how far a file is.
type Progress struct {
	File   string
	Mirror string // address or folder
	Done   int64  // bytes that are there
	Total  int64  // 0 if not known
}

// Options are how to fetch.
type Options struct {
	// Dir is the folder that gets the files; it is made if need be.
	Dir string
	// From, if not empty, is a folder to copy the files from instead of downloading.
	From string
	// Offline forbids the network.
	Offline bool
	// Client makes the requests; nil is http.DefaultClient.
	Client *http.Client
	// Stall is how long a mirror may send nothing; 0 is 30 seconds.
	Stall time.Duration
	// Attempts is how often a mirror is asked again after the connection broke; 0 is 3.
	Attempts int
	// Progress is told of every step, if not nil.
	Progress func(Progress)
}

// Action is what was done for a file.
type Action string

// The actions.
const (
	Present    Action = "present"    // it was there, and is right
	Downloaded Action = "downloaded" // from its beginning
	Resumed    Action = "resumed"    // from where an earlier attempt stopped
	Imported   Action = "imported"   // from Options.From
)

// Result is where a file is now.
type Result struct {
	Path   string
	Action Action
	Mirror string // where it came from; empty if it was present
}

// Get fetches the files in order, and stops at the first that cannot be had. The
// results so far are returned with the error.
func Get(ctx context.Context, files []File, o Options) ([]Result, error) {
	var done []Result
	for _, f := range files {
		r, err := one(ctx, f, o)
		if err != nil {
			return done, err
		}
		done = append(done, r)
	}
	return done, nil
}

func one(ctx context.Context, f File, o Options) (Result, error) {
	if !fs.ValidPath(f.Name) || f.Name == "." {
		return Result{}, fmt.Errorf("%q is no name of a file below a folder", f.Name)
	}
	if f.MD5 == "" && f.SHA256 == "" {
		return Result{}, fmt.Errorf("%s: the catalogue has no checksum; nothing is fetched without", f.Name)
	}
	path := filepath.Join(o.Dir, filepath.FromSlash(f.Name))
	switch err := f.Check(path); {
	case err == nil:
		return Result{Path: path, Action: Present}, nil
	case !errors.Is(err, fs.ErrNotExist):
		return Result{}, fmt.Errorf("%w; it is left as it is: move it away to fetch it again", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return Result{}, err
	}
	if o.From != "" {
		return importFile(ctx, f, path, o)
	}
	return download(ctx, f, path, o)
}

// ManualError says that a file must be got by hand.
type ManualError struct {
	File     File
	Path     string  // where it belongs
	Attempts []error // what was tried, one error a mirror or folder
}

// Error says what to get, from where, how to recognise it and where to put it.
func (e *ManualError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s could not be fetched", e.File.Name)
	for _, a := range e.Attempts {
		fmt.Fprintf(&b, "; %v", a)
	}
	b.WriteString("; get it by hand")
	if e.File.Manual != "" {
		fmt.Fprintf(&b, ": %s,", e.File.Manual)
	} else if len(e.File.Mirrors) > 0 {
		fmt.Fprintf(&b, " from %s", strings.Join(e.File.Mirrors, " or "))
	}
	fmt.Fprintf(&b, " and put it at %s (%s)", e.Path, e.File.identity())
	return b.String()
}

// Unwrap are the attempts.
func (e *ManualError) Unwrap() []error { return e.Attempts }

// identity is how to recognise the file.
func (f File) identity() string {
	var parts []string
	if f.Size > 0 {
		parts = append(parts, fmt.Sprintf("%d bytes", f.Size))
	}
	if f.MD5 != "" {
		parts = append(parts, "md5 "+f.MD5)
	}
	if f.SHA256 != "" {
		parts = append(parts, "sha256 "+f.SHA256)
	}
	return strings.Join(parts, ", ")
}

func (o Options) tell(f File, from string, done, total int64) {
	if o.Progress != nil {
		o.Progress(Progress{f.Name, from, done, total})
	}
}

// publish gives the finished file at temp its name, which must be free.
func publish(temp, path string) error {
	err := os.Link(temp, path)
	switch {
	case err == nil:
		return os.Remove(temp)
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("%s has appeared meanwhile; it is left as it is", path)
	}
	// A file system without links.
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s has appeared meanwhile; it is left as it is", path)
	}
	return os.Rename(temp, path)
}
