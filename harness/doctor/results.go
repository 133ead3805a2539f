package doctor

import "quantbench/harness/diagnose"

// resultRules are about results: what a run finds while it measures. Package
// harness makes the findings.
var resultRules = []diagnose.Rule{
	{Code: "IM101", Title: "imported answers count classes from another number", Severity: diagnose.Warning,
		Why: "Most answers are right if every class is one lower, or one higher. Networks of 1,001 classes have a background class 0, and some label files start at 1.",
		Do:  "Renumber the answers or the labels, and import again."},
	{Code: "IM102", Title: "imported answers are not paired with fp32", Severity: diagnose.Warning,
		Why: "A paired test needs two answers to the same pictures. The import has other pictures, or fewer, than the matrix scores, so only its accuracy stands in the report.",
		Do:  "Import answers to all pictures that the matrix scores, under the same names."},
	{Code: "QT101", Title: "a layer's output is clipped badly", Severity: diagnose.Warning,
		Why: "More than 1 % of the elements sit at the largest or smallest integer, and the signal-to-quantization-noise ratio is below 15 dB. The calibrated range is too small for the evaluated pictures, or the compiler gave the tensor another one's scale.",
		Do:  "Compare the layer's scale with minmax's in the report's section on scales. Calibrate with more pictures, another calibrator, or preprocessing that matches the evaluation."},
	{Code: "RT001", Title: "a runtime warns", Severity: diagnose.Warning,
		Why: "A program was prepared, but its runtime has something to say that has no code of its own; the finding holds its words.",
		Do:  "Read the finding."},
	{Code: "RT002", Title: "fp32 by Winograd's algorithm", Severity: diagnose.Note,
		Why: "The configuration allows Winograd's F(2x2,3x3) for this model. It rounds otherwise than direct sums, so single pictures near a decision may change sides.",
		Do:  "Leave winograd out where the reference must be exact."},
	{Code: "ST001", Title: "top-1 depends on how ties are broken", Severity: diagnose.Warning,
		Why: "On many pictures two classes share the best score, which 8-bit outputs often do. Top-1 takes the class with the lowest number; another program may take another, and both are right.",
		Do:  "Compare programs only with the same rule. Score before an 8-bit softmax, or give the last layer a finer scale."},
}
