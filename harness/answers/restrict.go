package answers

import "quantbench/harness/record"

// Restrict picks the answers to the pictures of t, by name, in the order of t:
// those that both must have are scored on the same pictures. A label that
// contradicts t is an error; so are pictures of t without an answer, unless
// partial. file is for messages.
func Restrict(a *record.Answers, file string, t *Truth, partial bool) (*record.Answers, error) {
	names := newIndex(&Truth{Pictures: a.Pictures}, true)
	names.size = 0 // no index stands for a name here
	out, missing, first := &record.Answers{}, 0, ""
	for i, p := range t.Pictures {
		at, ok := names.find(p)
		if !ok {
			if missing++; missing == 1 {
				first = p
			}
			continue
		}
		if a.Labels[at] != t.Labels[i] {
			return nil, fault(file, 0, "picture %s has label %d in its labels and %d in %s; they number the classes differently", a.Pictures[at], a.Labels[at], t.Labels[i], t.File)
		}
		out.Pictures, out.Labels, out.Predictions = append(out.Pictures, p), append(out.Labels, t.Labels[i]), append(out.Predictions, a.Predictions[at])
	}
	if missing > 0 && !partial || len(out.Pictures) == 0 {
		return nil, fault(file, 0, "no answer to %d of the %d pictures of %s; the first is %s", missing, len(t.Pictures), t.File, first)
	}
	return out, nil
}
