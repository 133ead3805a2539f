package harness

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"quantbench/harness/compute/kernel"
)

// Host describes this machine, and the instruction level that the kernels use.
func Host() (host, level string) {
	return fmt.Sprintf("%s/%s, %s, %d cores", runtime.GOOS, runtime.GOARCH, processor(), runtime.NumCPU()), kernel.Level()
}

// processor is the processor's name where Linux tells it.
func processor() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return "unknown processor"
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if name, value, ok := strings.Cut(s.Text(), ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown processor"
}

// nominal speeds of one core in multiply-accumulates a second, for Estimate
// alone: whole networks in fp32 and int8 as a rule reach these by order of
// magnitude. No result depends on them.
var nominal = map[string][2]float64{"avx512-vnni": {50e9, 150e9}, "avx2": {25e9, 40e9}, "go": {1e9, 0.5e9}}

// Estimate guesses how long the cells that are not cached will take.
func Estimate(cells []PlannedCell, jobs int) time.Duration {
	speed := nominal[kernel.Level()]
	seconds := 0.0
	for _, c := range cells {
		switch {
		case c.Key == "" || c.Cached:
		case c.Point.Runtime == FP32:
			seconds += float64(c.MACs) / speed[0]
		default:
			seconds += float64(c.MACs) / speed[1]
		}
	}
	return time.Duration(seconds / float64(max(jobs, 1)) * float64(time.Second))
}
