package main

import (
	"cmp"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"quantbench/harness"
	"quantbench/harness/modelstore"
	"quantbench/harness/record"
	"quantbench/models/catalogue"
	"quantbench/reports/format"
	"quantbench/reports/graph"
)

func (c *command) modelInspectCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "inspect [NAME]",
		Short: "Show a network's layers, shapes, parameters, work and memory; draw its graph",
		Long: `Prints a row for each layer: what it computes, the tensor that it writes, its
trained values, its multiply-accumulates for one picture, and the memory of weights
and tensor in fp32; then the totals. NAME is a network of bench model list; without
it, --prototxt names a file. --svg draws the network with its branches side by side,
boxes darker the more of the work they do.`,
		Example: "  bench model inspect lenet5\n  bench model inspect resnet18 --svg resnet18.svg\n  bench model inspect --prototxt deploy.prototxt --json",
		Args:    cobra.MaximumNArgs(1),
		RunE:    func(_ *cobra.Command, args []string) error { return c.modelInspect(args) },
	}
	modelFlags(cmd.Flags())
	cmd.Flags().String("svg", "", "draw the graph to this file (- for standard output)")
	cmd.Flags().Bool("json", false, "print the layers and totals as JSON")
	return cmd
}

// modelFlags are the flags that name a network of one's own.
func modelFlags(f *pflag.FlagSet) {
	f.String("prototxt", "", "a network's description, instead of a NAME")
	f.String("caffemodel", "", "its weights")
}

// modelSource is the network that arguments and flags name.
func (c *command) modelSource(args []string) (modelstore.Source, error) {
	s := modelstore.Source{Prototxt: c.settings.GetString("prototxt"), Caffemodel: c.settings.GetString("caffemodel")}
	switch {
	case len(args) == 1 && s.Prototxt+s.Caffemodel != "":
		return s, usage("give a NAME or --prototxt, not both")
	case len(args) == 1:
		s.Name = args[0]
		_, err := knownModel(s.Name)
		return s, err
	case s.Prototxt == "":
		return s, usage("name a network: NAME (see bench model list), or --prototxt P [--caffemodel M]")
	}
	return s, nil
}

// inspected is a network as --json prints it.
type inspected struct {
	Network    string `json:"network"`
	Input      string `json:"input"`
	Batch      int    `json:"batch"`
	Parameters int    `json:"parameters"`
	MACs       int64  `json:"macs"`
	// Memory in bytes of fp32.
	WeightBytes int                `json:"weight_bytes"`
	TensorBytes int                `json:"tensor_bytes"`
	PeakBytes   int                `json:"peak_bytes"`
	Layers      []record.GraphNode `json:"layers"`
	Warnings    []string           `json:"warnings,omitempty"`
}

func (c *command) modelInspect(args []string) error {
	src, err := c.modelSource(args)
	if err != nil {
		return err
	}
	net, err := src.Open(dataDirs(), false)
	if err != nil {
		return asUsage(err)
	}
	g := harness.Graph(net)
	all, peak := g.Values()
	x := inspected{Network: src.Title(), Input: net.Input().Out.String(), Batch: net.Batch, Parameters: g.Parameters(), MACs: g.MACs(),
		WeightBytes: 4 * g.Parameters(), TensorBytes: 4 * all, PeakBytes: 4 * peak, Layers: g.Nodes}
	for _, w := range net.Warnings {
		x.Warnings = append(x.Warnings, w.Error())
	}
	if path := c.settings.GetString("svg"); path != "" {
		if err := c.writeTo(path, graph.File(src.Title(), g)); err != nil || path == "-" {
			return err
		}
	}
	if c.settings.GetBool("json") {
		return c.printJSON(x)
	}
	return c.printLayers(x)
}

func (c *command) printLayers(x inspected) error {
	grid := newGrid(c.stdout)
	grid.Header("layer", "type", "detail", "output", "parameters", "MACs", "weights", "tensor")
	for _, n := range x.Layers {
		err := grid.Append(n.Name, n.Type, n.Detail, fmt.Sprintf("%dx%dx%d", n.Out[0], n.Out[1], n.Out[2]), blankZero(int64(n.Parameters)), blankZero(n.MACs),
			kilobytes(4*n.Parameters), kilobytes(4*n.Elements()))
		if err != nil {
			return err
		}
	}
	if err := grid.Render(); err != nil {
		return err
	}
	c.say("%s: %d layers, input %s, %s parameters, %s a picture\n", x.Network, len(x.Layers), x.Input, format.Count(x.Parameters), format.SI(float64(x.MACs), "MAC"))
	if e, ok := catalogue.Named(x.Network); ok {
		c.say("%s; %s, licence: %s\n", e.Title, e.Source, e.Licence)
		c.say("pictures: %s\n", cmp.Or(e.Unknown, modelstore.Preprocess(e.Preprocess).String()))
		for _, k := range e.Known {
			c.say("known top-1: %s\n", k)
		}
	}
	c.say("memory in fp32: weights %s, in int8 %s; tensors %s in all, %s at once\n", kilobytes(x.WeightBytes), kilobytes(x.Parameters), kilobytes(x.TensorBytes), kilobytes(x.PeakBytes))
	for _, w := range x.Warnings {
		fmt.Fprintf(c.stderr, "note: %s\n", w)
	}
	return nil
}

func blankZero(n int64) string {
	if n == 0 {
		return ""
	}
	return format.Count(int(n))
}

// kilobytes is a size of memory in units of 1,000 bytes; nothing for 0.
func kilobytes(bytes int) string {
	if bytes == 0 {
		return ""
	}
	return fmt.Sprintf("%.1f kB", float64(bytes)/1000)
}
