package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"quantbench/datasets"
	data "quantbench/datasets/catalogue"
	"quantbench/harness"
	"quantbench/harness/fold"
	"quantbench/harness/modelstore"
	"quantbench/harness/record"
	"quantbench/harness/runtime"
	"quantbench/models"
	"quantbench/models/caffe"
)

func (c *command) modelFoldCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "fold [NAME]",
		Short: "Fold BatchNorm, Scale and the preprocessing into the convolutions",
		Long: `Writes PREFIX.prototxt and PREFIX.caffemodel: the same network with BatchNorm and
Scale layers folded into the convolution before them, and mean and scale of the
preprocessing into the first one, so that it takes pixels as they are. That is what
int8 nvdla_runtime feeds: floor(pixel*127/255 + 0.5), whatever the network expects.

Only what is exact is folded. Where the first convolution pads, a mean is not: the
zeros of the padding stand for the mean before folding, and for black after it.
--mean-as says what is done then: keep it in the preprocessing (default), put a Scale
layer in front of the network, which is exact, or force it into the bias.

With --dataset both networks run in fp32 on its pictures: accuracy before and after,
and the largest difference of a score. Exit code 1 if it is above the bound.`,
		Example: "  bench model fold resnet18 -o folded --dataset fashion-mnist --images 1000\n  bench model fold --prototxt deploy.prototxt --caffemodel net.caffemodel --mean 104,117,123 --order bgr --rgb -o folded",
		Args:    cobra.MaximumNArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return c.modelFold(cmd.Context(), cmd.Flags(), args) },
	}
	f := cmd.Flags()
	modelFlags(f)
	preprocessFlags(f)
	f.StringP("output", "o", "", "PREFIX of the files to write")
	f.Bool("force", false, "overwrite files that are there")
	f.String("mean-as", "keep", "where a mean cannot be folded exactly: keep, layer or force")
	f.Bool("rgb", false, "make a network for BGR pictures take RGB")
	f.String("dataset", "", "compare both networks on this dataset's test pictures")
	f.Int("images", 0, "pictures to compare; 0 is all")
	f.IntP("jobs", "j", defaultJobs(), "picture blocks to run at a time")
	f.Bool("json", false, "print the result as JSON")
	return cmd
}

// preprocessFlags are the flags that say how a network wants its pictures.
func preprocessFlags(f *pflag.FlagSet) {
	f.Float32Slice("mean", nil, "mean to subtract: one value, or one a channel")
	f.Float32("scale", 0, "factor after the mean: input = (pixel - mean) * scale")
	f.String("order", "", "channel order: rgb or bgr")
	f.String("transform-param", "", "train prototxt whose data layer says what the flags above do not")
}

// folded is what --json prints.
type folded struct {
	Prototxt   string             `json:"prototxt"`
	Caffemodel string             `json:"caffemodel"`
	Layers     []string           `json:"folded"`
	Before     string             `json:"preprocess_before"`
	After      string             `json:"preprocess_after"`
	Raw        bool               `json:"takes_raw_pixels"`
	Notes      []string           `json:"notes,omitempty"`
	Agreement  *harness.Agreement `json:"agreement,omitempty"`
}

func (c *command) modelFold(ctx context.Context, f *pflag.FlagSet, args []string) error {
	src, err := c.modelSource(args)
	if err != nil {
		return err
	}
	prefix := c.settings.GetString("output")
	if prefix == "" {
		return usage("-o PREFIX says where to write the network; it is missing")
	}
	x := folded{Prototxt: prefix + ".prototxt", Caffemodel: prefix + ".caffemodel"}
	if err := c.mayWrite(x.Prototxt, x.Caffemodel); err != nil {
		return err
	}
	set, err := c.comparisonSet()
	if err != nil {
		return err
	}
	net, err := src.Open(dataDirs(), true)
	if err != nil {
		return asUsage(err)
	}
	pre, err := c.preprocessOf(f, args, net)
	if err != nil {
		return err
	}
	r, err := fold.Fold(net, fold.Options{Preprocess: pre, Mean: fold.Mean(c.settings.GetString("mean-as")), RGB: c.settings.GetBool("rgb")})
	if err != nil {
		return asUsage(err)
	}
	x.Layers, x.Before, x.After, x.Raw = r.Layers, pre.String(), r.Preprocess.String(), r.Raw()
	for _, n := range r.Notes {
		x.Notes = append(x.Notes, n.Error())
	}
	before, after := runtime.Model{Network: net, Preprocess: pre}, runtime.Model{Network: r.Network, Preprocess: r.Preprocess}
	if err := writeNetwork(x, after); err != nil {
		return err
	}
	if after.Network, err = caffe.Read(x.Prototxt, x.Caffemodel); err != nil {
		return fmt.Errorf("what was written cannot be read back: %w", err)
	}
	if x.Agreement, err = c.agreement(ctx, set, before, after); err != nil {
		return err
	}
	return c.printFolded(x)
}

// mayWrite refuses to overwrite files unless --force.
func (c *command) mayWrite(paths ...string) error {
	if c.settings.GetBool("force") {
		return nil
	}
	for _, p := range paths {
		if _, err := os.Lstat(p); err == nil {
			return usage("%s is there already; name another PREFIX, or give --force", p)
		}
	}
	return nil
}

// preprocessOf is how the network wants its pictures: the flags, or else the
// catalogue.
func (c *command) preprocessOf(f *pflag.FlagSet, args []string, net *models.Network) (p datasets.Preprocess, err error) {
	given := slices.ContainsFunc([]string{"mean", "scale", "order", "transform-param"}, f.Changed)
	if !given && len(args) == 1 {
		e, err := knownModel(args[0])
		if err != nil {
			return p, err
		}
		p, err = modelstore.Takes(e)
		return p, asUsage(err)
	}
	if p.Mean, err = f.GetFloat32Slice("mean"); err != nil {
		return p, err
	}
	if len(p.Mean) == 0 {
		p.Mean = nil
	}
	p.Scale, p.Order = float32(c.settings.GetFloat64("scale")), c.settings.GetString("order")
	if train := c.settings.GetString("transform-param"); train != "" {
		var warnings []error
		p, warnings, err = harness.TransformFile(train, net.Input().Out, p)
		c.warn(warnings)
		if err != nil {
			return p, asUsage(err)
		}
	}
	return p, asUsage(p.Validate())
}

func writeNetwork(x folded, m runtime.Model) error {
	var text, weights bytes.Buffer
	err := errors.Join(caffe.WriteNetwork(&text, m.Network), caffe.WriteWeights(&weights, m.Network))
	if err != nil {
		return err
	}
	return errors.Join(record.WriteFile(x.Prototxt, text.Bytes()), record.WriteFile(x.Caffemodel, weights.Bytes()))
}

// comparisonSet is --dataset, cut to --images; nil without one.
func (c *command) comparisonSet() (datasets.Dataset, error) {
	name, images := c.settings.GetString("dataset"), c.settings.GetInt("images")
	if name == "" {
		return nil, nil
	}
	if err := knownDataset(name); err != nil {
		return nil, err
	}
	d, err := data.Open(name, "test", dataDirs())
	if err != nil {
		return nil, err
	}
	if images < 0 || images > d.Info().Len {
		return nil, usage("--images is %d; %s has %d test pictures", images, name, d.Info().Len)
	}
	return d, nil
}

// agreement compares the networks on a dataset; nil without one.
func (c *command) agreement(ctx context.Context, d datasets.Dataset, before, after runtime.Model) (*harness.Agreement, error) {
	if d == nil {
		return nil, nil
	}
	display := newProgress(c.stderr, false)
	defer display.close()
	return harness.Agree(ctx, d, c.settings.GetInt("images"), c.settings.GetInt("jobs"), before, after, display.compared)
}

// compared shows how far a comparison is.
func (p *progress) compared(done, total int) {
	gap := p.now().Sub(p.last)
	if p.terminal && gap >= refresh || gap >= heartbeat && !p.last.IsZero() {
		p.line(fmt.Sprintf("compared %d of %d pictures", done, total))
	}
	if p.last.IsZero() {
		p.last = p.now()
	}
}

func (c *command) printFolded(x folded) error {
	var err error
	if a := x.Agreement; a != nil && !a.Equal() {
		err = errors.New("the scores differ by more than the bound")
	}
	if c.settings.GetBool("json") {
		return errors.Join(c.printJSON(x), err)
	}
	c.say("%s, %s: %d layers folded\n", x.Prototxt, x.Caffemodel, len(x.Layers))
	c.say("pictures before: %s; now: %s\n", x.Before, x.After)
	if x.Raw {
		c.say("the network takes raw pixels: nvdla_runtime's fixed map is right with the input scale 255/127 = %.6f\n", 255.0/127)
	} else {
		c.say("the network does not take raw pixels: nvdla_runtime's fixed map, which only scales, is not right for it\n")
	}
	for _, n := range x.Notes {
		c.say("note: %s\n", n)
	}
	if a := x.Agreement; a != nil {
		c.say("fp32 on %d pictures of %s: %d right before (%.2f %%), %d after (%.2f %%), %d with another answer\n", a.Images, a.Dataset,
			a.Before, percent(a.Before, a.Images), a.After, percent(a.After, a.Images), a.Changed)
		c.say("largest difference of a score: %.3g; bound: %.3g (%g of the largest score, %.4g)\n", a.Largest, a.Bound, harness.AgreementBound, a.Scale)
	}
	return err
}
