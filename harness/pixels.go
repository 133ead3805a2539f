package harness

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"quantbench/datasets"
	"quantbench/datasets/decoded"
)

// pictureMemory is the size in bytes up to which a set of decoded pictures is
// held in memory: MNIST and CIFAR-10 are below, 1,000 pictures of ImageNet above.
const pictureMemory = 128 << 20

// stretch are pictures from (included) to to (excluded) of a dataset.
type stretch struct {
	datasets.Dataset
	from, to int
}

// pixels are pictures as a network's input bytes, decoded once for all runtimes:
// few of them in memory, many in a file that is filled while they are used.
type pixels struct {
	size   int // bytes a picture
	labels []int
	decoded.Pictures
}

func (p *pixels) n() int { return len(p.labels) }

// picture is the input bytes of picture i.
func (p *pixels) picture(ctx context.Context, i int) ([]byte, error) {
	return p.Read(ctx, i, i+1, nil)
}

// close lets go of the file, if there is one.
func (p *pixels) close() error {
	if f, ok := p.Pictures.(*decoded.File); ok {
		return f.Close()
	}
	return nil
}

// readPixels makes the pictures of some stretches ready for a network. Only a set
// that fits into memory is decoded at once.
func (e *Experiment) readPixels(ctx context.Context, n *network, list ...stretch) (*pixels, error) {
	p := &pixels{size: n.Input().Out.Len()}
	for _, s := range list {
		for i := s.from; i < s.to; i++ {
			label, err := datasets.Label(ctx, s.Dataset, i)
			if err != nil {
				return nil, err
			}
			p.labels = append(p.labels, label)
		}
	}
	var err error
	p.Pictures, err = e.decode(ctx, n, p.n(), list)
	return p, err
}

// decode chooses where the decoded pictures are: in memory, in a file, or nowhere.
func (e *Experiment) decode(ctx context.Context, n *network, pictures int, list []stretch) (decoded.Pictures, error) {
	size, fill := n.Input().Out.Len(), maker(n, list)
	limit := e.env.PictureMemory
	if limit == 0 {
		limit = pictureMemory
	}
	if int64(pictures)*int64(size) <= limit {
		return decoded.Memory(ctx, pictures, size, e.env.Jobs, fill)
	}
	if e.store == nil || e.env.PictureCache <= 0 {
		return decoded.Fresh(size, fill), nil
	}
	set := decodedSet(n, list)
	set.Pictures, set.Size = pictures, size
	f, err := decoded.NewCache(PicturesDir(e.store.Dir()), e.env.PictureCache).Open(set, fill)
	var small *decoded.LimitError
	if errors.As(err, &small) {
		e.observe(Event{Kind: PicturesNotKept, Reason: err.Error()})
		return decoded.Fresh(size, fill), nil
	}
	if err != nil {
		return nil, err
	}
	if kept := f.Kept(); kept < pictures {
		e.observe(Event{Kind: PicturesKept, Done: kept, Total: pictures, Reason: fmt.Sprintf("%s (up to %s)", f.Path(), decoded.Size(set.Bytes()))})
	}
	return f, nil
}

// PicturesDir is the folder, in that of a store, that keeps decoded pictures.
func PicturesDir(store string) string { return filepath.Join(store, "pictures") }

// maker decodes pictures of stretches, counted through, for a network.
func maker(n *network, list []stretch) decoded.Maker {
	in := n.Input().Out
	return func(ctx context.Context, i int, dst []byte) error {
		for _, s := range list {
			if i += s.from; i < s.to {
				err := datasets.Input(ctx, s.Dataset, i, n.preprocess, in.C, in.H, in.W, dst)
				if err != nil && ctx.Err() == nil {
					err = fmt.Errorf("%w; `bench data verify %s` lists every picture that cannot be read", err, s.Info().Name)
				}
				return err
			}
			i -= s.to
		}
		return fmt.Errorf("picture %d is beyond the end", i)
	}
}

// decodedSet names what the bytes of stretches depend on.
func decodedSet(n *network, list []stretch) decoded.Set {
	in := n.Input().Out
	var k key
	text := ""
	for _, s := range list {
		info := s.Info()
		k.add("dataset", info.Digest)
		k.add("images", fmt.Sprintf("%d:%d", s.from, s.to))
		text += fmt.Sprintf("%s/%s %d:%d, ", info.Name, info.Split, s.from, s.to)
	}
	k.add("input", in.String())
	k.add("bytes", n.preprocess.BytesDigest())
	return decoded.Set{Key: k.sum(), Text: text + in.String() + ", " + n.preprocess.BytesText()}
}
