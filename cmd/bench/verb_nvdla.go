package main

import (
	"errors"
	"os"

	"github.com/spf13/cobra"

	"quantbench/harness/runtime/nvdla/hardware"
	"quantbench/harness/runtime/nvdla/inspect"
	"quantbench/harness/runtime/nvdla/lower"
	"quantbench/harness/table"
	"quantbench/models/caffe"
)

func (c *command) nvdlaCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "nvdla",
		Short: "Compile for NVDLA, run loadables bit for bit, model their cycles",
		Long: `Works with NVDLA programs one at a time. What these verbs compute is what the
hardware computes, byte for byte (int8 and int16); cycles are modelled.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(c.nvdlaRunCommand(), c.nvdlaCompileCommand(), c.nvdlaShowCommand(), c.nvdlaCyclesCommand(), c.nvdlaVerifyCommand())
	return cmd
}

// networkFlags are the inputs and settings of a compilation, with
// nvdla_compiler's names.
func networkFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.String("prototxt", "", "the network")
	f.String("caffemodel", "", "its weights")
	f.String("calibtable", "", "its calibration table (nvdla_compiler's JSON)")
	f.String("quantizationMode", string(lower.PerKernel), "scales of weights: per-kernel (one a layer) or per-filter")
	f.String("profile", string(lower.FastMath), "optimizations: basic, default, performance, fast-math")
	f.String("informat", string(lower.NCHW), "input: nchw or ncxhwx (feature data), or nhwc (image; what nvdla_compiler takes if not told)")
	f.String("cprecision", "int8", "precision; only int8")
	f.StringSlice("fix", nil, "faults of the compiler not to repeat: eltwise-scale, constant-multiplier, lost-kernel-row")
	targetFlag(cmd)
}

func targetFlag(cmd *cobra.Command) {
	cmd.Flags().String("configtarget", "", "nv_small, nv_large or nv_full; if unset, a loadable tells, and networks are compiled for nv_full")
}

// programFlags are the two ways to name a program.
func programFlags(cmd *cobra.Command) {
	cmd.Flags().String("loadable", "", "the .nvdla file; or give a network:")
	networkFlags(cmd)
}

// nvdlaProgram opens the loadable or compiles the network of the flags. A
// compiled network has no File.
func (c *command) nvdlaProgram() (*inspect.Loadable, error) {
	file, network := c.settings.GetString("loadable"), c.settings.GetString("prototxt")
	switch {
	case file != "" && network != "":
		return nil, usage("--loadable and --prototxt name two programs; give one")
	case network != "":
		p, err := c.nvdlaCompiled()
		return &inspect.Loadable{Program: p, Told: true}, err
	case file == "":
		return nil, usage("no program: give --loadable, or --prototxt with --caffemodel and --calibtable")
	}
	for _, name := range []string{"caffemodel", "calibtable", "fix"} {
		if len(c.settings.GetStringSlice(name)) > 0 {
			return nil, usage("--%s is for compiling a network; a loadable is compiled already", name)
		}
	}
	return c.openLoadable(file)
}

// openLoadable reads a loadable for the target of the flags.
func (c *command) openLoadable(file string) (*inspect.Loadable, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	l, err := inspect.Open(file, data, c.settings.GetString("configtarget"))
	if err != nil {
		return nil, asUsage(err)
	}
	c.warn(l.Warnings)
	return l, nil
}

// nvdlaCompiled compiles the network of the flags, with warnings on standard
// error. A refusal has the exit code of a usage error.
func (c *command) nvdlaCompiled() (*hardware.Program, error) {
	opt, err := c.nvdlaOptions()
	if err != nil {
		return nil, asUsage(err)
	}
	net, err := caffe.Read(c.settings.GetString("prototxt"), c.settings.GetString("caffemodel"))
	if err != nil {
		return nil, asUsage(err)
	}
	path := c.settings.GetString("calibtable")
	if path == "" {
		return nil, usage("--calibtable is missing: int8 needs a scale for every layer (bench table fix makes one of a TensorRT cache)")
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	t, err := table.ReadJSON(path, data)
	if err != nil {
		return nil, asUsage(err)
	}
	p, warnings, err := inspect.Compile(net, t, opt)
	c.warn(warnings)
	return p, asUsage(err)
}

// nvdlaOptions are the lowering's settings from the flags.
func (c *command) nvdlaOptions() (lower.Options, error) {
	opt := lower.Options{
		Mode:        lower.Mode(c.settings.GetString("quantizationMode")),
		Profile:     lower.Profile(c.settings.GetString("profile")),
		InputFormat: lower.InputFormat(c.settings.GetString("informat")),
	}
	for _, f := range c.settings.GetStringSlice("fix") {
		opt.Fixes = append(opt.Fixes, lower.Fix(f))
	}
	if p := c.settings.GetString("cprecision"); p != "int8" {
		return opt, errors.New("--cprecision " + p + ": only int8 is compiled")
	}
	name := c.settings.GetString("configtarget")
	if name == "" {
		return opt, nil
	}
	var err error
	opt.Target, err = inspect.Target(name)
	return opt, err
}

// require marks flags without which a verb can do nothing.
func require(cmd *cobra.Command, names ...string) {
	for _, name := range names {
		if err := cmd.MarkFlagRequired(name); err != nil {
			panic(err) // a flag of ours is misspelt
		}
	}
}
