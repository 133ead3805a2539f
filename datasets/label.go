package datasets

import "context"

// Label is the class of picture i of d. Sets that know it without decoding the
// picture say so by a method Label; any other set decodes.
func Label(ctx context.Context, d Dataset, i int) (int, error) {
	if l, ok := d.(interface{ Label(i int) (int, error) }); ok {
		return l.Label(i)
	}
	p, err := d.Picture(ctx, i)
	return p.Label, err
}

// ID is the name of picture i of d, its Picture.ID. Sets that know it without
// reading the picture say so by a method ID; any other set reads.
func ID(ctx context.Context, d Dataset, i int) (string, error) {
	if l, ok := d.(interface{ ID(i int) (string, error) }); ok {
		return l.ID(i)
	}
	p, err := d.Picture(ctx, i)
	return p.ID, err
}

// Input writes picture i of d as a c x h x w network takes it into dst, c*h*w
// bytes: what p.Bytes makes of the picture. Sets of picture files have a shorter
// way, a method Input, for rules that need not see the whole picture.
func Input(ctx context.Context, d Dataset, i int, p Preprocess, c, h, w int, dst []byte) error {
	if s, ok := d.(interface {
		Input(ctx context.Context, i int, p Preprocess, c, h, w int, dst []byte) error
	}); ok {
		return s.Input(ctx, i, p, c, h, w, dst)
	}
	pic, err := d.Picture(ctx, i)
	if err != nil {
		return err
	}
	return p.Bytes(pic, c, h, w, dst)
}
