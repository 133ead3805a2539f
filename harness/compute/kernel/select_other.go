package kernel

var (
	sets = []*Set{plain}
	best = plain
)
