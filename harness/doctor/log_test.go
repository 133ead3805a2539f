package doctor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestExamineLog(t *testing.T) {
	for _, c := range []struct{ log, want, fact string }{
		{"creating new wisdom context...\nclosing wisdom context...\n", "", ""},
		{"nvdla_compiler: rapidjson/document.h:1105: rapidjson::GenericValue: Assertion `false' failed.\nAborted (core dumped)", "NV101 error x.log:1", "lacks the row"},
		{"(DLA) Error 0x00000004: FIXME: Cannot handle Mean values beyond computePrecision limits (in BatchNormOp.cpp, function quantizeMeanToInt8(), line 515)", "NV112 error x.log:1", "-127"},
		{"a\n(DLA) Error 0x00000004: Don't support 0 (in ConvCoreNode.cpp, function tryToMergeWithBatchNormOp(), line 1327)\n(DLA) Error 0x00000004: Don't support 0 (in ConvCoreNode.cpp, function tryToMergeWithBatchNormOp(), line 1327)", "NV111 note x.log:2", "(2 times)"},
		{"Truncate too high: 33", "NV113 warning x.log:1", ""},
		{"Couldn't converge on 2^(x)*y", "NV113 error x.log:1", ""},
		{"(DLA) Error 0x00030003: (propagating from X.cpp, function testSetup(), line 3)\nError 0x00030003 in testSetup()", "NV114 warning x.log:2", "lower case"},
		{"Invalid target config", "NV117 error x.log:1", ""},
		{"Couldn't narrow down to suitable SF", "NV118 error x.log:1", ""},
		{"Overriding input multibatch size", "NV119 warning x.log:1", ""},
		{"execution time = 50257347.000000 s", "NV120 note x.log:1", "that is 50.26 s"},
		{"execution time = ..... s", "NV120 note x.log:1", ""},
		{"Unknown image type: x.png\nTest pass", "NV123 error x.log:1", ""},
		{"(DLA_RT) Error 0x00000012: Mismatched width: 480 != 227 (in umdrt/TestUtils.cpp, function createImageCopy(), line 160)", "NV124 error x.log:1", "480 != 227"},
		{"(DLA_RT) Error 0x00000012: Mismatched channel: 3 != 4 (in umdrt/TestUtils.cpp, function createImageCopy(), line 160)", "NV149 note x.log:1", ""},
		{"[OK] Test FAILED!", "NV127 warning x.log:1", ""},
		{"conv_0 max=0 threshold=0 scale=inf", "NV105 error x.log:1", ""},
		{"uniformly zero; network calibration failed", "NV105 error x.log:1", ""},
		{"(DLA) Error 0x00000001: something new " + strings.Repeat("x", 200) + " (in a.cpp, function f(), line 1)\nfailed compilation phase: registerBuffers", "NV150 error x.log:1\nNV150 note x.log:2", "..."},
	} {
		got := ExamineLog("x.log", c.log)
		if list(got) != c.want || len(got) > 0 && !strings.Contains(got[0].Fact, c.fact) {
			t.Errorf("%q: found\n%s\n%v", c.log, list(got), got)
		}
	}
}

// The logs of the vendor's own tools: what failed has an explained error, what
// compiled has none.
func TestPublishedLogs(t *testing.T) {
	data := os.Getenv("BENCH_DATA")
	if data == "" {
		t.Skip("BENCH_DATA is not set: the vendor's logs are not part of the repository")
	}
	logs, _ := filepath.Glob(filepath.Join(data, "nvdla-cases", "*", "*", "*.log"))
	if len(logs) < 100 {
		t.Fatalf("%d logs", len(logs))
	}
	failed := 0
	for _, path := range logs {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		text, errors := string(b), 0
		for _, f := range ExamineLog(path, text) {
			if f.Severity == "error" {
				errors++
			}
			if f.Code == unexplained && f.Severity == "error" {
				t.Errorf("not explained: %v", f)
			}
		}
		broke := strings.Contains(text, "failed compilation phase")
		if broke {
			failed++
		}
		if run := strings.HasPrefix(filepath.Base(path), "run."); run && !strings.Contains(text, "execution time") || broke != (errors > 0) {
			t.Errorf("%s: failed is %v, %d errors", path, broke, errors)
		}
	}
	if failed != 4 {
		t.Errorf("%d failed compilations, want 4", failed)
	}
}

func FuzzExamineLog(f *testing.F) {
	f.Add("execution time = 1e999 s\n[OK] Test FAILED!\x00")
	f.Fuzz(func(t *testing.T, s string) {
		for _, found := range ExamineLog("x", s) {
			if _, ok := RuleOf(found.Code); !ok {
				t.Fatalf("%v has no rule", found)
			}
		}
	})
}
