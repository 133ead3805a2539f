package fetch

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
)

// importFile copies a file from o.From, where it may lie under its name or its
// last element, and never changes anything there.
func importFile(ctx context.Context, f File, to string, o Options) (Result, error) {
	manual := &ManualError{File: f, Path: to}
	for _, name := range []string{f.Name, path.Base(f.Name)} {
		from := filepath.Join(o.From, filepath.FromSlash(name))
		err := f.Check(from)
		if err == nil {
			return Result{to, Imported, from}, copyFile(ctx, f, from, to, o)
		}
		if !errors.Is(err, fs.ErrNotExist) || name == path.Base(f.Name) {
			manual.Attempts = append(manual.Attempts, err)
		}
	}
	return Result{}, manual
}

func copyFile(ctx context.Context, f File, from, to string, o Options) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(to), "."+filepath.Base(to)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	defer temp.Close()
	s := f.sums()
	w := &counter{w: io.MultiWriter(temp, s), ctx: ctx, tell: func(n int64) { o.tell(f, from, n, info.Size()) }}
	if _, err := io.Copy(w, in); err != nil {
		return err
	}
	if err := s.compare(from); err != nil {
		return err
	}
	if err := errors.Join(temp.Chmod(0o644), temp.Sync(), temp.Close()); err != nil {
		return err
	}
	return publish(temp.Name(), to)
}

// counter tells how many bytes passed, and stops when ctx is done.
type counter struct {
	w    io.Writer
	ctx  context.Context
	n    int64
	tell func(n int64)
}

func (c *counter) Write(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.w.Write(p)
	c.n += int64(n)
	c.tell(c.n)
	return n, err
}
