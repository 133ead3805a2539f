package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// errRestart asks for another attempt from the beginning.
var errRestart = errors.New("the mirror cannot go on where the download stopped")

// fatal is an error of a mirror that no second attempt mends.
type fatal struct{ error }

func (f fatal) Unwrap() error { return f.error }

// download tries the mirrors in order.
func download(ctx context.Context, f File, path string, o Options) (Result, error) {
	manual := &ManualError{File: f, Path: path}
	if o.Offline {
		manual.Attempts = []error{errors.New("the network is not to be used")}
		return Result{}, manual
	}
	if len(f.Mirrors) == 0 {
		return Result{}, manual
	}
	p, err := openPart(path, f)
	if err != nil {
		return Result{}, err
	}
	defer p.close()
	for _, mirror := range p.order(f.Mirrors) {
		resumed, err := fromMirror(ctx, f, p, mirror, o)
		if err == nil {
			action := Downloaded
			if resumed {
				action = Resumed
			}
			return Result{path, action, mirror}, p.finish(path)
		}
		if ctx.Err() != nil {
			return Result{}, context.Cause(ctx) // the part stays for the next attempt
		}
		manual.Attempts = append(manual.Attempts, fmt.Errorf("%s: %w", mirror, err))
	}
	return Result{}, errors.Join(manual, p.dropEmpty())
}

// fromMirror downloads from one mirror, again where the connection breaks. It
// reports whether bytes of an earlier attempt were used.
func fromMirror(ctx context.Context, f File, p *part, mirror string, o Options) (resumed bool, err error) {
	if err := p.use(mirror); err != nil {
		return false, err
	}
	attempts := o.Attempts
	if attempts == 0 {
		attempts = 3
	}
	for ; ; attempts-- {
		had := p.size
		err = request(ctx, f, p, mirror, o)
		if errors.Is(err, errRestart) {
			if err := p.restart(); err != nil {
				return false, err
			}
			resumed, had = false, 0
			err = request(ctx, f, p, mirror, o)
		}
		if err == nil {
			resumed = resumed || had > 0 && p.kept
			if err = p.check(f); err == nil {
				return resumed, nil
			}
			if err := p.restart(); err != nil {
				return false, err
			}
			if !resumed {
				return false, err // whole, from this mirror, and wrong
			}
			// The beginning was of another file: once more from the start.
			resumed = false
			continue
		}
		resumed = resumed || had > 0 && p.kept
		var f fatal
		if errors.As(err, &f) || attempts <= 1 || ctx.Err() != nil {
			return false, err
		}
	}
}

// request makes one request and appends what comes to the part. nil means that
// the mirror says the file is whole.
func request(ctx context.Context, f File, p *part, mirror string, o Options) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	stall := o.Stall
	if stall == 0 {
		stall = 30 * time.Second
	}
	timer := time.AfterFunc(stall, func() { stop(fmt.Errorf("nothing came for %v", stall)) })
	defer timer.Stop()
	res, err := send(ctx, p, mirror, o.Client)
	if err != nil {
		return cause(ctx, err)
	}
	defer res.Body.Close()
	total, err := accept(res, f, p)
	if err != nil {
		return err
	}
	w := &counter{w: p, ctx: ctx, n: p.size, tell: func(n int64) {
		timer.Reset(stall)
		o.tell(f, mirror, n, total)
	}}
	body := io.Reader(res.Body)
	if f.Size > 0 {
		body = io.LimitReader(body, f.Size-p.size+1)
	}
	if _, err := io.Copy(w, body); err != nil {
		return cause(ctx, fmt.Errorf("the connection broke after %d bytes: %w", p.size, err))
	}
	switch {
	case f.Size > 0 && p.size > f.Size:
		return p.refuse(fmt.Errorf("the mirror sends more than the %d bytes of the file", f.Size))
	case p.size < max(total, f.Size):
		return fmt.Errorf("the connection ended after %d of %d bytes", p.size, max(total, f.Size))
	}
	return nil
}

// cause prefers the reason why ctx was ended to the error that followed.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

func send(ctx context.Context, p *part, mirror string, client *http.Client) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, mirror, nil)
	if err != nil {
		return nil, fatal{err}
	}
	req.Header.Set("Accept-Encoding", "identity")
	if p.size > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", p.size))
		if p.meta.ETag != "" && !strings.HasPrefix(p.meta.ETag, "W/") {
			req.Header.Set("If-Range", p.meta.ETag)
		}
	}
	if client == nil {
		client = http.DefaultClient
	}
	return client.Do(req)
}

// accept judges the answer's header and makes the part ready for its body. It
// returns the size of the whole file, 0 if that is not known.
func accept(res *http.Response, f File, p *part) (total int64, err error) {
	p.kept = false
	switch res.StatusCode {
	case http.StatusOK:
		if p.size > 0 { // Range was ignored, or the file has changed: all of it comes
			if err := p.restart(); err != nil {
				return 0, err
			}
		}
		total = max(res.ContentLength, 0)
	case http.StatusPartialContent:
		var start int64
		start, total = contentRange(res.Header.Get("Content-Range"))
		if start != p.size || p.size == 0 {
			return 0, errRestart
		}
		p.kept = true
	case http.StatusRequestedRangeNotSatisfiable:
		if p.size > 0 {
			return 0, errRestart
		}
		return 0, fatal{errors.New("the mirror answers " + res.Status)}
	default:
		err := errors.New("the mirror answers " + res.Status)
		if res.StatusCode >= 500 {
			return 0, err
		}
		return 0, fatal{err}
	}
	if f.Size > 0 && total > 0 && total != f.Size {
		return 0, fatal{fmt.Errorf("the mirror has a file of %d bytes instead of %d", total, f.Size)}
	}
	return total, p.setETag(res.Header.Get("ETag"))
}

// contentRange reads "bytes 100-199/200"; -1 if it says nothing of use.
func contentRange(s string) (start, total int64) {
	s, ok := strings.CutPrefix(s, "bytes ")
	first, rest, ok2 := strings.Cut(s, "-")
	_, size, ok3 := strings.Cut(rest, "/")
	start, err := strconv.ParseInt(first, 10, 64)
	if !ok || !ok2 || !ok3 || err != nil {
		return -1, 0
	}
	if total, err = strconv.ParseInt(size, 10, 64); err != nil {
		total = 0
	}
	return start, total
}
