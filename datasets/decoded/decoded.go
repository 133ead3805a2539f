// Package decoded keeps pictures as the bytes that a network takes, so that a
// picture is decoded and resized once, however many runtimes look at it and
// however often a run is interrupted.
//
// Its opinion: all pictures of a set have one size in bytes, so a file with fixed
// places is enough: no index, no pages, no database. A file is filled while it is
// read, from several goroutines or processes at once, and every picture has a
// checksum of its own: one that was not written yet, or is damaged, is made again.
// The file is read into the caller's buffer rather than mapped, so that memory
// stays small and counted. What is in it can always be made again; removing it
// costs time only.
package decoded

import (
	"context"
	"sync"
	"sync/atomic"
)

// Maker writes the bytes of picture i into dst. It must give the same bytes
// whenever it is called, and is called from several goroutines.
type Maker func(ctx context.Context, i int, dst []byte) error

// Pictures are pictures of one size in bytes.
type Pictures interface {
	// Read gives pictures from (included) to to (excluded), one after the other.
	// They are in buf if that is large enough, else in other memory, and must not
	// be written to. Safe for concurrent use with different buffers.
	Read(ctx context.Context, from, to int, buf []byte) ([]byte, error)
}

// memory are pictures that were all made beforehand.
type memory struct {
	size  int
	bytes []byte
}

// stride is how many pictures a goroutine takes at a time.
const stride = 16

// Memory makes n pictures of size bytes on several goroutines and holds them.
func Memory(ctx context.Context, n, size, jobs int, fill Maker) (Pictures, error) {
	m := &memory{size, make([]byte, n*size)}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var next atomic.Int64
	var wait sync.WaitGroup
	for range max(jobs, 1) {
		wait.Go(func() {
			for ctx.Err() == nil {
				to := int(next.Add(stride))
				for i := to - stride; i < min(to, n) && ctx.Err() == nil; i++ {
					if err := fill(ctx, i, m.bytes[i*size:(i+1)*size]); err != nil {
						stop(err)
					}
				}
				if to >= n {
					return
				}
			}
		})
	}
	wait.Wait()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return m, nil
}

// Read gives the pictures where they lie.
func (m *memory) Read(_ context.Context, from, to int, _ []byte) ([]byte, error) {
	return m.bytes[from*m.size : to*m.size], nil
}

// fresh are pictures that are made whenever they are read.
type fresh struct {
	size int
	fill Maker
}

// Fresh makes pictures of size bytes anew at every reading: slow, but it needs
// neither memory nor a file.
func Fresh(size int, fill Maker) Pictures { return &fresh{size, fill} }

// Read makes the pictures.
func (f *fresh) Read(ctx context.Context, from, to int, buf []byte) ([]byte, error) {
	buf = room(buf, (to-from)*f.size)
	for i := from; i < to; i++ {
		if err := f.fill(ctx, i, buf[(i-from)*f.size:][:f.size]); err != nil {
			return nil, err
		}
	}
	return buf, nil
}

// room is buf at n bytes, or new memory if it is too small.
func room(buf []byte, n int) []byte {
	if cap(buf) < n {
		return make([]byte, n)
	}
	return buf[:n]
}
