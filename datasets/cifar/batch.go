package cifar

import (
	"fmt"

	"quantbench/datasets/cifar/pickle"
)

// decodePickle reads a batch as Python holds it: a dictionary with "data", an
// array of uint8 of n x 3072, and "labels", n integers.
func decodePickle(f File) (r records, err error) {
	v, err := pickle.Load(f.Name, f.Data)
	if err != nil {
		return r, err
	}
	d, ok := v.(*pickle.Dict)
	if !ok {
		return r, fmt.Errorf("%s: the pickle holds %s instead of a dictionary; this is no batch of CIFAR-10", f.Name, pickle.Kind(v))
	}
	if _, ok := d.Get("fine_labels"); ok {
		return r, fmt.Errorf("%s: the batch has fine_labels: this is CIFAR-100, which is another dataset", f.Name)
	}
	if r.pixels, err = pixelsOf(d); err != nil {
		return r, fmt.Errorf("%s: %w", f.Name, err)
	}
	if r.labels, err = labelsOf(d); err != nil {
		return r, fmt.Errorf("%s: %w", f.Name, err)
	}
	if n := len(r.pixels) / pixels; n != len(r.labels) || n == 0 {
		return r, fmt.Errorf("%s: the batch has %d pictures and %d labels; it is damaged", f.Name, n, len(r.labels))
	}
	return r, nil
}

func pixelsOf(d *pickle.Dict) ([]byte, error) {
	v, ok := d.Get("data")
	if !ok {
		return nil, fmt.Errorf("the pickle has %q but no \"data\"; this is no batch of CIFAR-10", d.Keys())
	}
	a, ok := v.(*pickle.Array)
	if !ok || a.Uint8() == nil || len(a.Shape) != 2 || a.Shape[1] != pixels {
		shape := pickle.Kind(v)
		if ok {
			shape = fmt.Sprintf("an array of %v with %d bytes an element", a.Shape, a.Size)
		}
		return nil, fmt.Errorf("\"data\" is %s instead of an array of uint8 of n x %d", shape, pixels)
	}
	return a.Uint8(), nil
}

func labelsOf(d *pickle.Dict) ([]byte, error) {
	v, _ := d.Get("labels")
	var n int
	var at func(i int) any
	switch l := v.(type) {
	case *pickle.List:
		n, at = len(l.Items), func(i int) any { return l.Items[i] }
	case *pickle.Array:
		n, at = l.Len(), func(i int) any { return l.At(i) }
	default:
		return nil, fmt.Errorf("\"labels\" is %s instead of a list of integers", pickle.Kind(v))
	}
	labels := make([]byte, n)
	for i := range labels {
		l, ok := at(i).(int64)
		if !ok || l < 0 || l >= int64(len(Classes())) {
			return nil, fmt.Errorf("label %d is %v; CIFAR-10 has 0 to 9", i, at(i))
		}
		labels[i] = byte(l)
	}
	return labels, nil
}
