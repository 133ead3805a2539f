// Command bench measures what int8 quantization costs a network: it runs a
// matrix of networks, datasets, calibrators and runtimes, and compares fp32,
// TensorRT int8 and NVDLA int8 in one report. See `bench --help`.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() { os.Exit(run()) }

// run is main with a result: the exit code.
func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// A second signal finds the default handler and ends the program at once.
	context.AfterFunc(ctx, stop)
	return execute(ctx, os.Args[1:], os.Stdout, os.Stderr)
}
