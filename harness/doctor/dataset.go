package doctor

import (
	"fmt"
	"strconv"

	"quantbench/datasets"
	"quantbench/harness/diagnose"
	"quantbench/harness/stats"
)

// The codes about pictures and labels.
const (
	permutedLabels  = "DS101"
	overlappingSets = "DS102"
	repeatedPicture = "DS103"
	otherLabel      = "DS104"
	numberedFolders = "DS105"
)

var datasetRules = []diagnose.Rule{
	{Code: permutedLabels, Title: "the labels are numbered otherwise than the network's classes", Severity: diagnose.Error,
		Why: "Accuracy is near that of guessing, but the confusion matrix is a permutation: the network tells the classes apart and calls them by other numbers. Usual causes: labels that count from 1; class folders named by number, which are listed as text (0, 1, 10, 11, ..., 2); ImageNet's labels in the order of the development kit instead of the WordNet identifiers.",
		Do:  "Renumber the labels as the finding says: name class folders 000, 001, ...; for ImageNet use Caffe's val.txt; or give a CSV of paths and class numbers."},
	{Code: overlappingSets, Title: "calibration pictures are evaluated too", Severity: diagnose.Warning,
		Why: "Ranges that were chosen on the very pictures that are scored fit them better than others; accuracy may be too good, and is not comparable with published numbers.",
		Do:  "Calibrate on pictures of the training split, or score others: calibration {split, from, images} in the configuration."},
	{Code: repeatedPicture, Title: "a picture is evaluated more than once", Severity: diagnose.Warning,
		Why: "Equal pictures count twice in every accuracy, and intervals and tests take them for independent.",
		Do:  "Remove the copies, or name the pictures once in a CSV."},
	{Code: otherLabel, Title: "equal pictures have different labels", Severity: diagnose.Warning,
		Why: "One label of each pair is wrong, whatever the network says.",
		Do:  "Look at the pictures that the finding names and correct their labels."},
	{Code: numberedFolders, Title: "class folders are numbered, but sorted as text", Severity: diagnose.Error,
		Why: "Classes are the folders in the order of their names. Folder 10 then comes before folder 2 and is class 2.",
		Do:  "Name the folders with as many digits each (000, 001, ...), or give a CSV of paths and class numbers."},
}

// PermutedLabels is the finding that a confusion matrix is a permutation; none if
// it is not.
func PermutedLabels(c stats.Confusion) []diagnose.Finding {
	p, ok := c.FindPermutation()
	if !ok {
		return nil
	}
	return []diagnose.Finding{finding(permutedLabels, "", "%s", p)}
}

// Overlapping are the findings about pictures that occur more than once.
func Overlapping(o datasets.Overlaps) []diagnose.Finding {
	var out []diagnose.Finding
	if n := len(o.Pictures); n > 0 {
		out = append(out, finding(overlappingSets, "", "%d of %d evaluation pictures are calibration pictures too, first %s = %s", n, o.Evaluation, o.Pictures[0].B, o.Pictures[0].A))
	}
	if n := len(o.Repeated); n > 0 {
		out = append(out, finding(repeatedPicture, "", "%d of %d evaluation pictures repeat an earlier one, first %s = %s", n, o.Evaluation, o.Repeated[0].B, o.Repeated[0].A))
	}
	different, first := 0, datasets.Overlap{}
	for _, list := range [][]datasets.Overlap{o.Pictures, o.Repeated} {
		for _, p := range list {
			if p.LabelA != p.LabelB {
				if different++; different == 1 {
					first = p
				}
			}
		}
	}
	if different > 0 {
		out = append(out, finding(otherLabel, "", "%d pairs of equal pictures have different labels, first %s (%d) and %s (%d)", different, first.A, first.LabelA, first.B, first.LabelB))
	}
	return out
}

// NumberedFolders is the finding that classes are folders whose numbers are sorted
// as text; none if they are not.
func NumberedFolders(info datasets.Info) []diagnose.Finding {
	wrong := -1
	for i, name := range info.Classes {
		n, err := strconv.Atoi(name)
		if err != nil || n < 0 {
			return nil
		}
		if n != i && wrong < 0 {
			wrong = i
		}
	}
	if wrong < 0 {
		return nil
	}
	return []diagnose.Finding{finding(numberedFolders, "", "%s", fmt.Sprintf("%s/%s: folder %q is class %d of %d", info.Name, info.Split, info.Classes[wrong], wrong, len(info.Classes)))}
}
