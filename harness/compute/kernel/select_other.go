//go:build !amd64 || purego

package kernel

var (
	sets = []*Set{plain}
	best = plain
)
