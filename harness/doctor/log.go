package doctor

import (
	"fmt"
	"regexp"
	"strings"

	"quantbench/harness/diagnose"
)

// message is a line of the compiler's, the runtime's or the driver's that is
// understood.
type message struct {
	code     string
	severity diagnose.Severity // of the rule if empty
	line     *regexp.Regexp
	means    string
}

// messages in the order in which they are tried; the first that fits counts.
var messages = []message{
	{noRow, "", regexp.MustCompile(`rapidjson.*Assertion`), "the calibration table lacks the row of a layer or of the input; the compiler does not say whose"},
	{meanLimit, "", regexp.MustCompile(`Cannot handle Mean values beyond computePrecision limits`), "a BatchNorm mean is below -127"},
	{refusedLayer, "", regexp.MustCompile(`Batch Normalization moving average is zero`), "the third blob of a BatchNorm is 0: the network was not trained, or the blob was lost"},
	{mergeRefused, "", regexp.MustCompile(`Don't support \d+.*tryToMergeWith(Scale|BatchNorm)Op`), "a factor was not merged into weights that are quantized already"},
	{factorRange, diagnose.Warning, regexp.MustCompile(`Truncate too high: ?\d+`), "a rescaling factor is so small that its shift exceeds 31; it is used all the same"},
	{factorRange, "", regexp.MustCompile(`Couldn't converge on|Scale value is 0`), "a rescaling factor cannot be written as a 15-bit integer and a shift"},
	{cyclicGraph, "", regexp.MustCompile(`Can't resolve a non-acyclic graph`), "a fused sum waits for itself"},
	{surfaceFormat, "", regexp.MustCompile(`Proposed surf format:? ?\S+ is not supported`), "a layer other than a convolution reads the picture with image input"},
	{refusedLayer, "", regexp.MustCompile(`Couldn't narrow down to suitable SF|error parsing layer type|doesn't have a single SDP consumer|Elt wise op has input edges|Not implemented`), "the compiler has no operation for a layer"},
	{targetName, "", regexp.MustCompile(`Invalid target config`), "the compiler does not know the name of the configuration and goes on with another"},
	{pathCase, "", regexp.MustCompile(`(?i)testSetup\(\)|file not found|0x00030003`), "an input file or the output folder is not there; --calibtable is turned into lower case"},
	{batchSize, "", regexp.MustCompile(`Overriding input multibatch size`), "the prototxt declares several pictures"},
	{benignMessage, "", regexp.MustCompile(`Prototxt #chnls .* != Profile #chnls|Unable to do IMG channel post-extension`), "channels and kernel lines of image input are laid out otherwise; nothing is lost"},
	{benignMessage, "", regexp.MustCompile(`Mismatched channel: \d+ != 4`), "the surface has four channels where the picture has fewer; the rest is filled with zeros"},
	{pictureFormat, "", regexp.MustCompile(`Mismatched (channel|width|height): \d+ != \d+`), "the picture has another size than the network takes; nothing is resized"},
	{staleOutput, "", regexp.MustCompile(`Unknown image type`), "the input was never set; the output means nothing although the test passes"},
	{timeUnit, "", regexp.MustCompile(`execution time = [0-9.]+ s`), "the number is in microseconds"},
	{serverWords, "", regexp.MustCompile(`\[OK\] Test FAILED`), "the run failed"},
	{unusableScale, "", regexp.MustCompile(`(?i)uniformly zero; network calibration failed|scale=(inf|nan)|threshold=0(\.0*)? `), "calibration saw zeros only"},
	{unexplained, diagnose.Note, regexp.MustCompile(`failed compilation phase: \S+`), "the phase in which the error of the lines before happened"},
	{unexplained, "", regexp.MustCompile(`\(DLA(_RT)?\) Error 0x[0-9a-fA-F]+: (.+) \((?:in|propagating from)`), "an error that has no explanation here yet"},
}

var (
	propagated = regexp.MustCompile(`\(DLA(_RT)?\) Error 0x[0-9a-fA-F]+: \(propagating from`)
	seconds    = regexp.MustCompile(`execution time = ([0-9.]+) s`)
)

// ExamineLog explains the lines of a log of nvdla_compiler or nvdla_runtime. A
// message that occurs repeatedly is told once, with its first line and how often
// it came. Lines that only pass an error on are left out, as are all others.
func ExamineLog(file, log string) []diagnose.Finding {
	var found []diagnose.Finding
	at, times := map[string]int{}, map[string]int{}
	for i, line := range strings.Split(log, "\n") {
		line = strings.TrimSpace(line)
		if propagated.MatchString(line) {
			continue
		}
		m, text := understood(line)
		if m == nil {
			continue
		}
		key := m.code + m.means
		if times[key]++; times[key] > 1 {
			continue
		}
		at[key] = len(found)
		f := finding(m.code, fmt.Sprintf("%s:%d", file, i+1), "%q: %s%s", text, m.means, inSeconds(line))
		if m.severity != "" {
			f.Severity = m.severity
		}
		found = append(found, f)
	}
	for key, n := range times {
		if n > 1 {
			found[at[key]].Fact += fmt.Sprintf(" (%d times)", n)
		}
	}
	return Sort(found)
}

func understood(line string) (*message, string) {
	for i := range messages {
		if text := messages[i].line.FindString(line); text != "" {
			if len(text) > 160 {
				text = text[:160] + "..."
			}
			return &messages[i], text
		}
	}
	return nil, ""
}

// inSeconds says what a printed execution time really is.
func inSeconds(line string) string {
	m := seconds.FindStringSubmatch(line)
	var us float64
	if m == nil {
		return ""
	}
	if _, err := fmt.Sscanf(m[1], "%g", &us); err != nil {
		return ""
	}
	return fmt.Sprintf(", that is %.4g s", us/1e6)
}
