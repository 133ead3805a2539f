// Command benchmarks runs the benchmarks of every kernel and layer kind, one
// after the other on one processor, and prints what benchstat reads, below lines
// that say which machine it was and how busy.
//
//	go run ./scripts/benchmarks > new.txt
//	go run golang.org/x/perf/cmd/benchstat@latest docs/benchmarks/zen4.txt new.txt
package main

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
)

func main() {
	count := flag.Int("count", 5, "runs of every benchmark")
	duration := flag.String("benchtime", "50ms", "time of one run")
	pattern := flag.String("bench", ".", "which benchmarks, as of go test")
	flag.Parse()
	fmt.Printf("# %s, %s/%s, %s\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, processor())
	fmt.Println("# load before:", load())
	test := exec.Command("go", "test", "-run", "^$", "-cpu", "1", "-bench", *pattern, "-count", strconv.Itoa(*count),
		"-benchtime", *duration, "./harness/compute/kernel", "./harness/compute")
	test.Stdout, test.Stderr = os.Stdout, os.Stderr
	err := test.Run()
	fmt.Println("# load after:", load())
	if err != nil {
		fmt.Fprintln(os.Stderr, "benchmarks:", err)
		os.Exit(1)
	}
}

// processor is what Linux says of the processor: its family, model and cache
// tell apart what share a name.
func processor() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return "processor unknown"
	}
	defer f.Close()
	var parts []string
	for s := bufio.NewScanner(f); s.Scan(); {
		key, value, _ := strings.Cut(s.Text(), ":")
		switch key = strings.TrimSpace(key); key {
		case "cpu family", "model", "model name", "stepping":
			parts = append(parts, key+strings.TrimRight(value, " "))
		case "flags":
			return strings.Join(parts, ", ")
		}
	}
	return strings.Join(parts, ", ")
}

// load is Linux's load averages of the last 1, 5 and 15 minutes.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Join(strings.Fields(string(text))[:3], " ")
}
