package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"quantbench/datasets"
	"quantbench/harness"
	"quantbench/harness/calibrate"
	"quantbench/harness/diagnose"
	"quantbench/harness/record"
	"quantbench/models/catalogue"
)

func (c *command) calibrateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "calibrate (--model NAME | --prototxt P --caffemodel M) --dataset D -o CACHE",
		Short: "Make a network's calibration table, with any calibrator",
		Long: `Watches the float network on calibration pictures and lets one or more
calibrators choose the scale of every tensor. The table is written as TensorRT's
cache, and as nvdla_compiler's JSON with --json. With several calibrators, or
"all", -o is a folder that gets NAME.cache and NAME.json of each; they all choose
from the same histograms, which --histograms keeps and --from-histograms takes
up again without a look at the pictures.

Batches matter: TensorRT's rule, and those of some others, start from the range
of the first batch. --split and --range may be repeated, one range a split, and
are then run one after the other. --skip-first and --drop-partial are the habits
of NVIDIA's C++ and Python samples.

--compare prints how far each calibrator is from a published cache of the same
network.`,
		Example: `  bench calibrate --model lenet5 --dataset fashion-mnist --range 0:500 -o lenet5.cache
  bench calibrate --prototxt lenet.prototxt --caffemodel lenet.caffemodel --dataset mnist \
      --range 50:550 --batch 50 --scale 0.00392156862745098 --calibrator all -o tables
  bench calibrate --model resnet18 --from-histograms h.bin --calibrator nvdla-mse -o r.cache --json r.json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.calibrate(cmd.Context(), cmd.Flags()) },
	}
	f := cmd.Flags()
	f.String("model", "", "a network of bench model list")
	f.String("prototxt", "", "the network")
	f.String("caffemodel", "", "its weights")
	f.String("dataset", "", "where the pictures come from")
	f.StringArray("split", []string{"train"}, "train or test; may be repeated with --range")
	f.StringArray("range", []string{"0:500"}, "pictures FROM:TO of the split, TO not included; may be repeated")
	f.Int("batch", 50, "pictures a batch; 0 is all in one")
	f.Bool("skip-first", false, "leave the first batch out")
	f.Bool("drop-partial", false, "leave a last batch out that is not full")
	f.Float64("scale", 1, "factor of the pixels, after the mean is subtracted")
	f.Float64Slice("mean", nil, "subtracted from the pixels (0..255): one number, or one a channel")
	f.String("order", "rgb", "order of a colour picture's channels: rgb or bgr")
	f.StringArray("calibrator", []string{"entropy2"}, "calibrator, NAME or NAME-PARAMETER (percentile-99.9); may be repeated; all is every one")
	f.StringP("output", "o", "", "TensorRT cache to write (- is standard output), or a folder if there are several calibrators")
	f.String("json", "", "NVDLA's JSON table to write too")
	f.String("histograms", "", "file that keeps the histograms")
	f.String("from-histograms", "", "take the histograms of this file instead of pictures")
	f.String("compare", "", "published TensorRT cache to compare the scales with")
	f.IntP("jobs", "j", defaultJobs(), "batches to run at a time")
	return cmd
}

func (c *command) calibrate(ctx context.Context, f *pflag.FlagSet) error {
	job, err := c.calibration(f)
	if err != nil {
		return err
	}
	many := len(job.Calibrators) > 1
	switch s := c.settings; {
	case many && s.GetString("json") != "":
		return usage("--json is for one calibrator; with %d of them -o names a folder that gets each one's JSON", len(job.Calibrators))
	case many && s.GetString("output") == "-":
		return usage("-o - is for one calibrator; with %d of them -o names a folder", len(job.Calibrators))
	case s.GetString("output") == "" && s.GetString("json") == "" && s.GetString("histograms") == "" && s.GetString("compare") == "":
		return usage("nothing to write: give -o CACHE, --json TABLE, --histograms FILE or --compare CACHE")
	case s.GetInt("jobs") < 1:
		return usage("--jobs is %d; it must be at least 1", s.GetInt("jobs"))
	}
	env := harness.Environment{DataDirs: dataDirs(), Getenv: os.Getenv, Jobs: c.settings.GetInt("jobs"), PictureMemory: 1 << 29}
	result, err := harness.Calibrate(ctx, env, job)
	var bad *harness.RangeError
	if errors.As(err, &bad) {
		return asUsage(err)
	}
	if err != nil {
		return err
	}
	if err := c.writeCalibrated(result); err != nil {
		return err
	}
	if path := c.settings.GetString("compare"); path != "" {
		return c.compareWith(result, path)
	}
	return nil
}

// calibration reads the flags.
func (c *command) calibration(f *pflag.FlagSet) (job harness.Calibration, err error) {
	s := c.settings
	if job.Model, err = c.calibratedModel(f); err != nil {
		return job, err
	}
	names, err := f.GetStringArray("calibrator")
	if err != nil {
		return job, err
	}
	if job.Calibrators, err = calibrators(names); err != nil {
		return job, err
	}
	job.Batches = calibrate.Options{Batch: s.GetInt("batch"), SkipFirst: s.GetBool("skip-first"), DropPartial: s.GetBool("drop-partial")}
	if job.Batches.Batch < 0 {
		return job, usage("--batch is %d; it must be at least 1, or 0 for all pictures in one", job.Batches.Batch)
	}
	if path := s.GetString("from-histograms"); path != "" {
		data, err := os.ReadFile(path)
		if err != nil {
			return job, err
		}
		job.Statistics, err = calibrate.ReadStatistics(path, data)
		return job, asUsage(err)
	}
	job.Dataset.Name = s.GetString("dataset")
	if job.Dataset.Name == "" {
		return job, usage("--dataset names the calibration pictures; it is missing")
	}
	job.Pictures, err = pictureRanges(f)
	return job, err
}

// calibratedModel is a shipped network or a pair of files, with the preprocessing.
func (c *command) calibratedModel(f *pflag.FlagSet) (m harness.ModelSpec, err error) {
	s := c.settings
	m = harness.ModelSpec{Zoo: s.GetString("model")}
	for flag, path := range map[string]*string{"prototxt": &m.Prototxt, "caffemodel": &m.Caffemodel} {
		if *path = s.GetString(flag); *path != "" {
			if *path, err = filepath.Abs(*path); err != nil {
				return m, err
			}
		}
	}
	switch _, known := catalogue.Named(m.Zoo); {
	case m.Zoo != "" && m.Prototxt+m.Caffemodel != "":
		return m, usage("--model and --prototxt exclude each other")
	case m.Zoo != "" && !known:
		return m, usage("no network is called %q%s", m.Zoo, diagnose.DidYouMean(m.Zoo, catalogue.Names()))
	case m.Zoo == "" && (m.Prototxt == "" || m.Caffemodel == ""):
		return m, usage("name the network: --model NAME, or --prototxt P and --caffemodel M")
	}
	if m.Zoo != "" && !f.Changed("scale") && !f.Changed("mean") && !f.Changed("order") {
		return m, nil // its own preprocessing
	}
	mean, err := f.GetFloat64Slice("mean")
	if err != nil {
		return m, err
	}
	m.Preprocess = &datasets.Preprocess{Scale: float32(s.GetFloat64("scale")), Order: s.GetString("order")}
	for _, v := range mean {
		m.Preprocess.Mean = append(m.Preprocess.Mean, float32(v))
	}
	return m, asUsage(m.Preprocess.Validate())
}

// pictureRanges pairs --split and --range.
func pictureRanges(f *pflag.FlagSet) ([]harness.PictureRange, error) {
	splits, err := f.GetStringArray("split")
	if err != nil {
		return nil, err
	}
	ranges, err := f.GetStringArray("range")
	if err != nil {
		return nil, err
	}
	if len(splits) == 1 { // one for all
		for len(splits) < len(ranges) {
			splits = append(splits, splits[0])
		}
	}
	if len(splits) != len(ranges) {
		return nil, usage("%d --split and %d --range; give each split its range", len(splits), len(ranges))
	}
	var out []harness.PictureRange
	for i, text := range ranges {
		r := harness.PictureRange{Split: splits[i]}
		from, to, ok := strings.Cut(text, ":")
		var bad error
		r.From, err = strconv.Atoi(from)
		bad = errors.Join(bad, err)
		r.To, err = strconv.Atoi(to)
		if bad = errors.Join(bad, err); !ok || bad != nil || r.From < 0 || r.To <= r.From {
			return nil, usage("--range %s; write FROM:TO, two numbers, such as 50:550 for pictures 50 to 549", text)
		}
		if r.Split != "train" && r.Split != "test" {
			return nil, usage("--split %s; it is train or test", r.Split)
		}
		out = append(out, r)
	}
	return out, nil
}

// calibrators makes calibrators of their names.
func calibrators(names []string) ([]calibrate.Calibrator, error) {
	var out []calibrate.Calibrator
	seen := map[string]bool{}
	for _, name := range names {
		list := []string{name}
		if name == "all" {
			list = calibrate.Names()
		}
		for _, n := range list {
			k, err := calibrate.Parse(n)
			if err != nil {
				return nil, asUsage(err)
			}
			if !seen[k.Name()] {
				seen[k.Name()] = true
				out = append(out, k)
			}
		}
	}
	return out, nil
}

// writeCalibrated writes the tables and histograms that were asked for.
func (c *command) writeCalibrated(result *harness.Calibrated) error {
	output, json := c.settings.GetString("output"), c.settings.GetString("json")
	if path := c.settings.GetString("histograms"); path != "" {
		if err := record.WriteFile(path, result.Statistics.Append(nil)); err != nil {
			return err
		}
	}
	many := len(result.Results) > 1
	for i, r := range result.Results {
		if i == 0 {
			c.warn(r.Warnings) // the same for every calibrator
		}
		cache, text, err := result.Tables(r)
		if err != nil {
			return fmt.Errorf("%s: %w", r.Calibrator, err)
		}
		to, toJSON := output, json
		if many && output != "" {
			if err := os.MkdirAll(output, 0o755); err != nil {
				return err
			}
			to, toJSON = filepath.Join(output, r.Calibrator+".cache"), filepath.Join(output, r.Calibrator+".json")
		}
		if err := errors.Join(c.writeTo(to, cache), c.writeTo(toJSON, text)); err != nil {
			return err
		}
	}
	return nil
}

// writeTo writes a file, or standard output for "-", or nothing for "".
func (c *command) writeTo(path string, data []byte) error {
	switch path {
	case "":
		return nil
	case "-":
		_, err := c.stdout.Write(data)
		return err
	}
	return record.WriteFile(path, data)
}

// compareWith prints ratios to a published cache, a row a tensor and a column a
// calibrator, and what they come to.
func (c *command) compareWith(result *harness.Calibrated, path string) error {
	published, err := readTable(path)
	if err != nil {
		return err
	}
	f, err := result.CompareWith(published)
	if err != nil {
		return asUsage(err)
	}
	grid := newGrid(c.stdout)
	header := []any{"ratio to the published scale", "published"}
	for _, col := range f.Columns {
		header = append(header, col.Calibrator)
	}
	grid.Header(header...)
	for i, l := range f.Layers {
		row := []any{l.Name, fmt.Sprintf("%.6g", f.Published[i])}
		for _, col := range f.Columns {
			row = append(row, fmt.Sprintf("%.4f", col.Ratios[i]))
		}
		if err := grid.Append(row...); err != nil {
			return err
		}
	}
	if err := grid.Render(); err != nil {
		return err
	}
	return c.fidelitySummary(f)
}

func (c *command) fidelitySummary(f *harness.Fidelity) error {
	grid := newGrid(c.stdout)
	grid.Header("calibrator", fmt.Sprintf("of %d: same bin", len(f.Layers)), "within 0.1 %", "within 1 %", "within 5 %", "mean |ln ratio|", "mean factor")
	for _, col := range f.Columns {
		bin := ""
		if col.SameBin >= 0 {
			bin = fmt.Sprint(col.SameBin)
		}
		err := grid.Append(col.Calibrator, bin, fmt.Sprint(col.Within[0]), fmt.Sprint(col.Within[1]), fmt.Sprint(col.Within[2]),
			fmt.Sprintf("%.4f", col.MeanLog), fmt.Sprintf("%.4f", math.Exp(col.MeanLog)))
		if err != nil {
			return err
		}
	}
	return grid.Render()
}
