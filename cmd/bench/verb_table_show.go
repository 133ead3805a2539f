package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"quantbench/harness/calibrate"
	"quantbench/harness/table"
	"quantbench/models"
	"quantbench/models/caffe"
)

func (c *command) tableShowCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show FILE",
		Short: "Print a table's rows: scale, real range, layer, distance to neighbours, histogram",
		Long: `show prints each row's scale, its 32 bits, the real range of an int8 tensor with
that scale, and how many times the scale is those of its neighbours: with
--prototxt the layer's first input and its first reader, else the rows before and
after.

With --histograms, a file of bench calibrate --histograms, it also draws |x| from
0 to its largest value, heights as logarithms, and tells how many of the values
lie beyond the range.`,
		Example: `  bench table show out/tables/lenet5-fashion-mnist-entropy2.cache
  bench table show calibration.json --prototxt deploy.prototxt --histograms h.bin`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return c.tableShow(args[0])
		},
	}
	cmd.Flags().String("prototxt", "", "the network, to name each row's layer")
	cmd.Flags().String("histograms", "", "histograms of the network's tensors (needs --prototxt)")
	return cmd
}

func (c *command) tableShow(path string) error {
	t, err := readTable(path)
	if err != nil {
		return err
	}
	prototxt, histograms := c.settings.GetString("prototxt"), c.settings.GetString("histograms")
	kin := table.Beside(t)
	var net *models.Network
	if prototxt != "" {
		if net, err = caffe.Read(prototxt, ""); err != nil {
			return asUsage(err)
		}
		kin = table.Lineage(net, t)
	}
	var stats *calibrate.Statistics
	if histograms != "" {
		if stats, err = readHistograms(histograms, net); err != nil {
			return err
		}
	}
	fmt.Fprintf(c.stdout, "%s, %d rows", t.Format, len(t.Rows))
	if t.Header != "" {
		fmt.Fprintf(c.stdout, ", %s", t.Header)
	}
	fmt.Fprintln(c.stdout)
	if err := c.tableGrid(t, kin, net != nil, stats); err != nil {
		return err
	}
	c.warn(t.Warnings)
	return nil
}

// readHistograms reads the histograms of a network.
func readHistograms(path string, net *models.Network) (*calibrate.Statistics, error) {
	if net == nil {
		return nil, usage("--histograms needs --prototxt: histograms belong to layers")
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	s, err := calibrate.ReadStatistics(path, data)
	if err != nil {
		return nil, asUsage(err)
	}
	if len(s.Layers) != len(net.Layers) {
		return nil, usage("%s: histograms of %d layers; %s has %d", path, len(s.Layers), net.File, len(net.Layers))
	}
	return s, nil
}

// sparkWidth is how many characters a histogram takes.
const sparkWidth = 24

func (c *command) tableGrid(t *table.Table, kin []table.Kin, network bool, stats *calibrate.Statistics) error {
	grid := newGrid(c.stdout)
	header := []any{"row", "name", "layer", "scale", "hex", "range", "x row before", "x row after"}
	if network {
		header[6], header[7] = "x input", "x reader"
	}
	if stats != nil {
		header = append(header, "|x| up to", "histogram", "beyond, %")
	}
	grid.Header(header...)
	ratio := func(scale, of float32) string {
		if of == 0 {
			return ""
		}
		return fmt.Sprintf("%.3g", scale/of)
	}
	for i, r := range t.Rows {
		k, layer := kin[i], ""
		if k.Layer != nil {
			layer = k.Layer.Name
		}
		row := []any{fmt.Sprint(i), r.Name, layer, fmt.Sprintf("%.9g", r.Scale), fmt.Sprintf("%08x", r.Bits()), fmt.Sprintf("±%.4g", 127*r.Scale), ratio(r.Scale, k.Before), ratio(r.Scale, k.After)}
		if stats != nil {
			row = append(row, histogramColumns(stats, k, r.Scale)...)
		}
		if err := grid.Append(row...); err != nil {
			return err
		}
	}
	return grid.Render()
}

// histogramColumns are the largest |x|, the histogram and what a scale clips.
func histogramColumns(stats *calibrate.Statistics, k table.Kin, scale float32) []any {
	if k.Layer == nil || stats.Layers[k.Layer.Index].First == 0 {
		return []any{"", "", ""}
	}
	h := &stats.Layers[k.Layer.Index]
	return []any{fmt.Sprintf("%.4g", h.AbsMax()), h.Spark(sparkWidth), fmt.Sprintf("%.3g", 100*h.Beyond(127*float64(scale)))}
}
