package folder

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Sums remembers the sha256 of files by path, size and time of change, so that a
// set of 50,000 pictures need not be read whole to be opened again. A nil *Sums
// remembers nothing. Safe for concurrent use; call Save to keep what was learned.
type Sums struct {
	// Tell, if not nil, is told how many files of a folder were read for their sums,
	// now and then, from one goroutine at a time.
	Tell func(dir string, files int)

	dir  string
	mu   sync.Mutex
	dirs map[string]*sumFS
}

// NewSums remembers in files of the folder dir, which is made when it is needed.
func NewSums(dir string) *Sums { return &Sums{dir: dir, dirs: map[string]*sumFS{}} }

// stat is what a remembered sum is valid for.
type stat struct {
	size  int64
	mtime int64 // ns
}

type remembered struct {
	stat
	sum [sha256.Size]byte
}

// sumFS is a folder whose files' sums are remembered.
type sumFS struct {
	fs.FS
	owner *Sums
	dir   string
	now   func() time.Time

	mu      sync.Mutex
	known   map[string]remembered
	learned int
}

// FS is a folder of the operating system. FileEntry takes the sums of its files
// from what is remembered.
func (s *Sums) FS(dir string) fs.FS {
	if f := s.at(dir); f != nil {
		return f
	}
	return os.DirFS(dir)
}

// at is the folder with its sums; nil if nothing is remembered.
func (s *Sums) at(dir string) *sumFS {
	abs, err := filepath.Abs(dir)
	if s == nil || err != nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.dirs[abs]
	if f == nil {
		f = &sumFS{FS: os.DirFS(abs), owner: s, dir: abs, now: time.Now, known: map[string]remembered{}}
		if data, err := os.ReadFile(s.file(abs)); err == nil {
			f.known = parseSums(abs, data)
		}
		s.dirs[abs] = f
	}
	return f
}

// file is where the sums of a folder are kept.
func (s *Sums) file(dir string) string {
	h := sha256.Sum256([]byte(dir))
	return filepath.Join(s.dir, hex.EncodeToString(h[:8])+".sums")
}

// ReadFile reads a file.
func (f *sumFS) ReadFile(name string) ([]byte, error) { return fs.ReadFile(f.FS, name) }

// Sum is the sha256 of a file.
func (f *sumFS) Sum(name string) ([sha256.Size]byte, error) {
	info, err := fs.Stat(f.FS, name)
	if err != nil {
		return [sha256.Size]byte{}, err
	}
	return f.remember(name, info, func() ([sha256.Size]byte, error) {
		data, err := f.ReadFile(name)
		return sha256.Sum256(data), err
	})
}

// racy is how long after its last change a file may still change without a new
// time of change; sums of such files are not remembered.
const racy = 2 * time.Second

// tellEvery is after how many files Sums.Tell is called.
const tellEvery = 1000

// remember is the sum that is known under name for a file of this size and time,
// else that which compute finds.
func (f *sumFS) remember(name string, info fs.FileInfo, compute func() ([sha256.Size]byte, error)) ([sha256.Size]byte, error) {
	at := stat{info.Size(), info.ModTime().UnixNano()}
	f.mu.Lock()
	r, ok := f.known[name]
	f.mu.Unlock()
	if ok && r.stat == at {
		return r.sum, nil
	}
	sum, err := compute()
	if err != nil {
		return sum, err
	}
	f.mu.Lock()
	f.learned++
	if f.now().Sub(info.ModTime()) > racy {
		f.known[name] = remembered{at, sum}
	}
	if f.owner.Tell != nil && f.learned%tellEvery == 0 {
		f.owner.Tell(f.dir, f.learned)
	}
	f.mu.Unlock()
	return sum, nil
}

// Save keeps what was learned since the last Save for the next program.
func (s *Sums) Save() error {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for dir, f := range s.dirs {
		f.mu.Lock()
		if f.learned > 0 && len(f.known) > 0 {
			errs = append(errs, s.write(s.file(dir), formatSums(dir, f.known)))
			f.learned = 0
		}
		f.mu.Unlock()
	}
	return errors.Join(errs...)
}

// write replaces a file at once or not at all.
func (s *Sums) write(file string, data []byte) error {
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(s.dir, "*.tmp")
	if err != nil {
		return err
	}
	_, err = tmp.Write(data)
	if err = errors.Join(err, tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), file)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return nil
}

const sumsMagic = "quantbench sums 1"

// formatSums writes a line for the folder, then one for each file: sum, size,
// time of change in ns, name.
func formatSums(dir string, known map[string]remembered) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s\n", sumsMagic, strconv.Quote(dir))
	for name, r := range known {
		fmt.Fprintf(&b, "%x %d %d %s\n", r.sum, r.size, r.mtime, strconv.Quote(name))
	}
	return b.Bytes()
}

// parseSums reads what formatSums wrote; what cannot be read is not known.
func parseSums(dir string, data []byte) map[string]remembered {
	known := map[string]remembered{}
	r := bufio.NewReader(bytes.NewReader(data))
	if line, err := r.ReadString('\n'); err != nil || line != fmt.Sprintf("%s %s\n", sumsMagic, strconv.Quote(dir)) {
		return known
	}
	for {
		line, err := r.ReadString('\n')
		if err != nil { // a last line without its end is not whole
			return known
		}
		if name, r, ok := parseSum(strings.TrimSuffix(line, "\n")); ok {
			known[name] = r
		}
	}
}

func parseSum(line string) (name string, r remembered, ok bool) {
	f := strings.SplitN(line, " ", 4)
	if len(f) != 4 {
		return "", r, false
	}
	sum, err := hex.DecodeString(f[0])
	size, err2 := strconv.ParseInt(f[1], 10, 64)
	mtime, err3 := strconv.ParseInt(f[2], 10, 64)
	name, err4 := strconv.Unquote(f[3])
	if len(sum) != sha256.Size || errors.Join(err, err2, err3, err4) != nil {
		return "", r, false
	}
	return name, remembered{stat{size, mtime}, [sha256.Size]byte(sum)}, true
}

// Member is the sum of a member of an archive: what is remembered for the archive
// at path, else the sha256 of what read gives, which then must be read to its end.
func (s *Sums) Member(archive string, info fs.FileInfo, member string, read io.Reader) ([sha256.Size]byte, error) {
	compute := func() (sum [sha256.Size]byte, err error) {
		h := sha256.New()
		_, err = io.Copy(h, read)
		h.Sum(sum[:0])
		return sum, err
	}
	f := s.at(filepath.Dir(archive))
	if f == nil || info == nil {
		return compute()
	}
	return f.remember(path.Join(filepath.Base(archive), member), info, compute)
}
