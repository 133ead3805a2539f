package doctor

import "quantbench/harness/diagnose"

// The codes about a network's files.
const (
	WrongFile      = "MD101"
	MissingWeights = "MD102"
	WrongShape     = "MD103"
	ExtraWeights   = "MD104"
	NotFinite      = "MD105"
	Refused        = "MD106"
	OtherNetwork   = "MD107"
)

var modelRules = []diagnose.Rule{
	{Code: WrongFile, Title: "a file is not the one of the catalogue", Severity: diagnose.Error,
		Why: "Size or checksum differ. The download was cut off, a server sent a page instead of the file, the file is a Git LFS pointer, or it is another version of the network.",
		Do:  "Move the file away and fetch it again: bench model get NAME. To use another version, name its files with prototxt and caffemodel."},
	{Code: MissingWeights, Title: "a layer has no weights in the caffemodel", Severity: diagnose.Error,
		Why: "Layers find their weights by name. A layer that was renamed in the prototxt (often to fine-tune it) finds none; Caffe then starts from random values without a word.",
		Do:  "Give the layer the name that it has in the caffemodel, or use the caffemodel that was trained with this prototxt."},
	{Code: WrongShape, Title: "weights have another shape than the layer", Severity: diagnose.Error,
		Why: "num_output, kernel_size, group, bias_term or the input's size differ from the network that was trained.",
		Do:  "Correct the parameter in the prototxt; for a fully connected layer also look at the input's size."},
	{Code: ExtraWeights, Title: "weights that no layer takes", Severity: diagnose.Warning,
		Why: "The caffemodel holds weights of a layer that the prototxt does not have: one of the training phase, or one that was renamed or left out.",
		Do:  "Nothing, if the layer is one of training (a loss, an auxiliary classifier). Else compare the names."},
	{Code: NotFinite, Title: "weights that no network can have", Severity: diagnose.Error,
		Why: "Infinite values, or values that are no numbers, come from a training that diverged or from a damaged file; a negative variance of a BatchNorm too.",
		Do:  "Use another snapshot of the training, or fetch the file again."},
	{Code: Refused, Title: "a runtime refuses the network", Severity: diagnose.Error,
		Why: "The network has a layer, or a parameter, that the runtime does not compute.",
		Do:  "Replace the layer, or leave the runtime out of the matrix."},
	{Code: OtherNetwork, Title: "the network is not what the catalogue says", Severity: diagnose.Error,
		Why: "Input or number of classes differ from the catalogue's.",
		Do:  "Report it: the catalogue of this version of bench is wrong."},
}

// ModelFinding is a finding of one of the codes about a network's files.
func ModelFinding(code, where, format string, args ...any) diagnose.Finding {
	return finding(code, where, format, args...)
}
