package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"quantbench/harness"
	"quantbench/harness/diagnose"
	"quantbench/harness/speed"
	"quantbench/models"
	"quantbench/models/caffe"
	"quantbench/models/zoo"
)

func (c *command) speedCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "speed",
		Short: "Measure how fast a runtime scores pictures on this machine",
		Long: `speed runs one network on random pictures and prints pictures a second and a
CPU-second, multiply-accumulates a second, the share of this processor's
measured peak, and the instruction level that the kernels use. With --winograd
multiply-accumulates are those of direct sums, and may pass the peak.

The networks lenet5, resnet20-cifar10 and resnet18-imagenet need no weights:
random ones are as fast. So are those of a prototxt given without caffemodel.
Compare pictures a CPU-second: it repeats on a busy machine. BENCH_CPU=avx512,
avx2 or go forces an instruction level.`,
		Example: `  bench speed
  bench speed --model resnet18-imagenet --runtime nvdla-int8 --threads 2
  bench speed --model resnet20-cifar10 --batch 1        # latency of one picture
  bench speed --model resnet18-imagenet --winograd
  bench speed --prototxt deploy.prototxt --runtime tensorrt-int8 --json`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return c.speed() },
	}
	f := cmd.Flags()
	f.String("model", "lenet5", "network: lenet5, resnet20-cifar10, resnet18-imagenet, or a shipped one")
	f.String("prototxt", "", "network file, instead of --model")
	f.String("caffemodel", "", "weights of --prototxt; random ones without")
	f.String("runtime", "fp32", "fp32, tensorrt-int8 or nvdla-int8")
	f.Bool("winograd", false, "fp32: compute most 3x3 convolutions by Winograd's F(2x2,3x3), faster, a little different")
	f.Int("threads", 1, "goroutines, each with pictures of its own")
	f.Int("batch", 64, "pictures a call; 1 measures latency")
	f.Float64("seconds", 1, "how long to measure")
	f.Bool("json", false, "print the result as JSON")
	return cmd
}

func (c *command) speed() error {
	net, err := c.speedNetwork()
	if err != nil {
		return err
	}
	s := c.settings
	o := speed.Options{Runtime: s.GetString("runtime"), Winograd: s.GetBool("winograd"), Threads: s.GetInt("threads"), Batch: s.GetInt("batch"),
		Duration: time.Duration(s.GetFloat64("seconds") * float64(time.Second))}
	if o.Threads < 1 || o.Batch < 1 || o.Duration <= 0 {
		return usage("--threads %d --batch %d --seconds %g: each must be positive", o.Threads, o.Batch, s.GetFloat64("seconds"))
	}
	if !slices.Contains(speed.Runtimes(), o.Runtime) {
		return usage("no runtime is called %q%s", o.Runtime, diagnose.DidYouMean(o.Runtime, speed.Runtimes()))
	}
	if o.Winograd && o.Runtime != harness.FP32 {
		return usage("--winograd belongs to the runtime fp32, not %s", o.Runtime)
	}
	r, err := speed.Measure(net, o)
	if err != nil {
		return err
	}
	if s.GetBool("json") {
		e := json.NewEncoder(c.stdout)
		e.SetIndent("", "  ")
		return e.Encode(r)
	}
	c.printSpeed(r)
	return nil
}

// speedNetwork is the network that the flags name, with weights.
func (c *command) speedNetwork() (*models.Network, error) {
	net, err := c.speedRead()
	if err != nil {
		return nil, err
	}
	if net.Name == "" {
		net.Name = net.File
	}
	speed.Randomize(net)
	return net, nil
}

func (c *command) speedRead() (*models.Network, error) {
	prototxt, caffemodel := c.settings.GetString("prototxt"), c.settings.GetString("caffemodel")
	if prototxt != "" {
		net, err := caffe.Read(prototxt, caffemodel)
		return net, asUsage(err)
	}
	if caffemodel != "" {
		return nil, usage("--caffemodel %s needs --prototxt", caffemodel)
	}
	name := c.settings.GetString("model")
	if net, ok := speed.Shape(name); ok {
		return net, nil
	}
	names := speed.Shapes()
	for _, m := range zoo.Models {
		if m.Name == name {
			return caffe.ReadFS(zoo.Files(), m.Prototxt, m.Caffemodel)
		}
		names = append(names, m.Name)
	}
	return nil, usage("no network is called %q%s", name, diagnose.DidYouMean(name, names))
}

func (c *command) printSpeed(r *speed.Result) {
	host, _ := harness.Host()
	for _, w := range r.Warnings {
		fmt.Fprintf(c.stderr, "warning: %s\n", w)
	}
	name := r.Runtime
	if r.Winograd {
		name += " by Winograd's convolutions"
	}
	fmt.Fprintf(c.stdout, "%s, %s, %s kernels, threads %d, batch %d\n%s\n\n", r.Model, name, r.Level, r.Threads, r.Batch, host)
	fmt.Fprintf(c.stdout, "%12.1f pictures a second\n", r.ImagesPerSecond)
	fmt.Fprintf(c.stdout, "%12.1f pictures a CPU-second\n", r.ImagesPerCPUSecond)
	fmt.Fprintf(c.stdout, "%12.3f ms a call of %d (median)\n", r.CallMilliseconds, r.Batch)
	fmt.Fprintf(c.stdout, "%12.1f billion multiply-accumulates a second (%.4g million a picture)\n", r.MACsPerSecond/1e9, float64(r.MACs)/1e6)
	fmt.Fprintf(c.stdout, "%12.1f MB for the prepared network and its buffers\n", float64(r.MemoryBytes)/1e6)
	fmt.Fprintf(c.stdout, "%12.1f billion a CPU-second, %.0f %% of the %.1f measured as one core's peak\n", r.MACsPerCPUSecond/1e9, 100*r.ShareOfPeak, r.Peak/1e9)
}
