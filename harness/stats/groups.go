package stats

import "slices"

// Alike gathers n things into the largest groups within which nothing is apart.
// A thing may belong to several groups: that two are not told apart says nothing
// of a third. It is the insert-and-absorb procedure of letter displays (Piepho
// 2004, J. Computational and Graphical Statistics 13:456). Groups and their members
// ascend, the groups by their first members.
func Alike(n int, apart func(i, j int) bool) [][]int {
	if n == 0 {
		return nil
	}
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	groups := [][]int{all}
	for i := range n {
		for j := i + 1; j < n; j++ {
			if apart(i, j) {
				groups = absorbed(split(groups, i, j))
			}
		}
	}
	slices.SortFunc(groups, slices.Compare)
	return groups
}

// split replaces each group that holds both i and j by one without i and one
// without j.
func split(groups [][]int, i, j int) [][]int {
	var out [][]int
	for _, g := range groups {
		if !slices.Contains(g, i) || !slices.Contains(g, j) {
			out = append(out, g)
			continue
		}
		for _, leave := range []int{j, i} {
			out = append(out, slices.DeleteFunc(slices.Clone(g), func(x int) bool { return x == leave }))
		}
	}
	return out
}

// absorbed leaves out groups that another one holds.
func absorbed(groups [][]int) [][]int {
	var out [][]int
	for i, g := range groups {
		within := func(j int) bool {
			larger := len(groups[j]) > len(g) || len(groups[j]) == len(g) && j < i
			return larger && !slices.ContainsFunc(g, func(x int) bool { return !slices.Contains(groups[j], x) })
		}
		held := false
		for j := range groups {
			held = held || j != i && within(j)
		}
		if !held {
			out = append(out, g)
		}
	}
	return out
}
