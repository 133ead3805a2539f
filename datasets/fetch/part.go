package fetch

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
)

// origin is the content of NAME.part.json.
type origin struct {
	Mirror string `json:"mirror"`
	ETag   string `json:"etag,omitempty"`
	// MD5 and SHA256 are of the file that is being fetched.
	MD5    string `json:"md5,omitempty"`
	SHA256 string `json:"sha256,omitempty"`
}

// part is a file that is not whole yet.
type part struct {
	f    *os.File
	path string // NAME.part
	meta origin
	size int64
	kept bool // the last request went on where the part ended
}

// openPart opens NAME.part, or makes it. One that has no NAME.part.json, or one of
// another file, is not ours.
func openPart(path string, f File) (*part, error) {
	p := &part{path: path + ".part"}
	want := origin{MD5: f.MD5, SHA256: f.SHA256}
	raw, err := os.ReadFile(p.path + ".json")
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if _, err := os.Lstat(p.path); !errors.Is(err, fs.ErrNotExist) {
			return nil, p.foreign()
		}
		p.meta = want
		if err := p.save(); err != nil {
			return nil, err
		}
	case err != nil:
		return nil, err
	case json.Unmarshal(raw, &p.meta) != nil || p.meta.MD5 != want.MD5 || p.meta.SHA256 != want.SHA256:
		return nil, p.foreign()
	}
	if p.f, err = os.OpenFile(p.path, os.O_RDWR|os.O_CREATE, 0o644); err != nil {
		return nil, err
	}
	p.size, err = p.f.Seek(0, io.SeekEnd)
	return p, err
}

func (p *part) foreign() error {
	return fmt.Errorf("%s is there but not from a download of this file; it is left as it is: move it away, and %s.json too", p.path, p.path)
}

func (p *part) save() error {
	raw, err := json.Marshal(p.meta)
	if err != nil {
		return err
	}
	return os.WriteFile(p.path+".json", raw, 0o644)
}

// order are the mirrors with the one that the part is from first.
func (p *part) order(mirrors []string) []string {
	out := slices.Clone(mirrors)
	if i := slices.Index(out, p.meta.Mirror); i > 0 {
		out = slices.Insert(slices.Delete(out, i, i+1), 0, p.meta.Mirror)
	}
	return out
}

// use makes the part one of the mirror; bytes of another are dropped.
func (p *part) use(mirror string) error {
	if p.meta.Mirror == mirror {
		return nil
	}
	if err := p.restart(); err != nil {
		return err
	}
	p.meta.Mirror = mirror
	return p.save()
}

// restart drops what is there.
func (p *part) restart() error {
	p.size, p.meta.ETag, p.kept = 0, "", false
	if err := p.f.Truncate(0); err != nil {
		return err
	}
	if _, err := p.f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return p.save()
}

// refuse drops what is there because of an error that no second attempt mends.
func (p *part) refuse(err error) error {
	return fatal{errors.Join(err, p.restart())}
}

func (p *part) setETag(tag string) error {
	if tag == p.meta.ETag {
		return nil
	}
	p.meta.ETag = tag
	return p.save()
}

// Write appends.
func (p *part) Write(b []byte) (int, error) {
	n, err := p.f.Write(b)
	p.size += int64(n)
	return n, err
}

func (p *part) check(f File) error {
	if err := p.f.Sync(); err != nil {
		return err
	}
	return f.Check(p.path)
}

// finish gives the file its name and removes the traces.
func (p *part) finish(path string) error {
	if err := p.f.Close(); err != nil {
		return err
	}
	if err := publish(p.path, path); err != nil {
		return err
	}
	return os.Remove(p.path + ".json")
}

// dropEmpty removes a part that holds nothing.
func (p *part) dropEmpty() error {
	if p.size > 0 {
		return nil
	}
	return errors.Join(p.f.Close(), os.Remove(p.path), os.Remove(p.path+".json"))
}

// close closes the file, if it is still open.
func (p *part) close() { _ = p.f.Close() }
