package main

import (
	"context"
	"encoding/json"

	"github.com/spf13/cobra"

	"quantbench/harness"
	"quantbench/reports"
)

func (c *command) layersCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "layers [CONFIG]",
		Short: "Show where the accuracy goes: layer by layer, and cause by cause",
		Long: `Compares every tensor of int8 cells with fp32: signal-to-quantization-noise ratio
(SQNR) and cosine similarity, accumulated from the input on and local (the layer fed
with fp32's own tensors), saturated elements, elements that int8 makes 0, and int8
codes that nothing uses.

--sensitivity puts each layer alone into int8, and alone into float, by an emulation
in float that rounds to the program's grid. --waterfall splits the loss of the whole
cell into its causes; it runs the cell and its fp32 reference if need be.

CONFIG is a YAML file or the name of a shipped one (default). Without flags the cells
are those of its first network, calibrator and mode, on every int8 runtime.`,
		Example: `  bench layers
  bench layers --model resnet18 --runtime nvdla-int8 --mode per-kernel
  bench layers --sensitivity --images 500
  bench layers mine.yaml --waterfall --json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return c.layers(cmd.Context(), args) },
	}
	f := cmd.Flags()
	f.String("model", "", "network of the configuration; its first if not given")
	f.String("dataset", "", "dataset of the configuration; the first that fits")
	f.String("runtime", "", "tensorrt-int8 or nvdla-int8; both if not given")
	f.String("calibrator", "", "calibrator of the configuration; its first if not given")
	f.String("mode", "", "NVDLA: per-filter or per-kernel; the configuration's first if not given")
	f.String("target", "", "NVDLA: target of the configuration; its first if not given")
	f.String("input", "", "NVDLA: quantized or nvdla_runtime; the configuration's first if not given")
	f.Int("images", 0, "pictures for errors (32 if not given) and sensitivity (500); the waterfall takes the cell's")
	f.Bool("sensitivity", false, "try each layer alone in int8, and alone in float")
	f.Bool("waterfall", false, "split the loss into its causes")
	f.Bool("json", false, "print JSON")
	f.String("cache", cacheDir(), "folder that keeps finished cells and passes")
	f.IntP("jobs", "j", defaultJobs(), "picture blocks to run at a time")
	f.BoolP("quiet", "q", false, "no progress")
	return cmd
}

func (c *command) layers(ctx context.Context, args []string) error {
	s := c.settings
	if s.GetInt("images") < 0 {
		return usage("--images is %d; give a number of pictures", s.GetInt("images"))
	}
	cfg, err := loadConfig(args)
	if err != nil {
		return err
	}
	display := newProgress(c.stderr, s.GetBool("quiet"))
	exp, err := c.experiment(cfg, display.observe)
	if err != nil {
		return err
	}
	list, err := exp.Layers(ctx, harness.LayersRequest{
		Select: harness.Point{Model: s.GetString("model"), Dataset: s.GetString("dataset"), Runtime: s.GetString("runtime"),
			Calibrator: s.GetString("calibrator"), Mode: s.GetString("mode"), Target: s.GetString("target"), Input: s.GetString("input")},
		Images: s.GetInt("images"), Sensitivity: s.GetBool("sensitivity"), Waterfall: s.GetBool("waterfall"),
	})
	display.close()
	if err != nil {
		return err
	}
	if s.GetBool("json") {
		e := json.NewEncoder(c.stdout)
		e.SetIndent("", "  ")
		return e.Encode(list)
	}
	return reports.Layers(c.stdout, list)
}
