package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"quantbench/harness"
	"quantbench/harness/runtime/nvdla/cycles"
)

func (c *command) nvdlaCyclesCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cycles (--loadable F | --prototxt P --caffemodel M --calibtable T)",
		Short: "Model the cycles of a program, and say what bounds each operation",
		Long: `Prints a model's cycles, not a measurement: there is no public cycle-accurate
reference of NVDLA. A convolution and the SDP operation that it feeds are one
row. The assumptions are printed below the table.`,
		Example: `  bench nvdla cycles --loadable fast-math.nvdla --bandwidth 1.5 --overhead 2000`,
		Args:    cobra.NoArgs,
		RunE:    func(*cobra.Command, []string) error { return c.nvdlaCycles() },
	}
	programFlags(cmd)
	f := cmd.Flags()
	f.Float64("clock", cycles.DefaultClockHz/1e6, "clock, MHz")
	f.Float64("bandwidth", 0, "DRAM bandwidth, GB/s; 0 is what NVIDIA's primer pairs with the target")
	f.Float64("overhead", 0, "fixed cycles of every hardware operation (unknown: 0 is a lower limit)")
	f.Bool("json", false, "print the model's figures as JSON")
	f.Bool("serial", false, "add memory traffic to computation instead of overlapping them: the upper end")
	return cmd
}

func (c *command) nvdlaCycles() error {
	config := cycles.Config{
		ClockHz: c.settings.GetFloat64("clock") * 1e6, Bandwidth: c.settings.GetFloat64("bandwidth") * 1e9,
		Overhead: c.settings.GetFloat64("overhead"), Serial: c.settings.GetBool("serial"),
	}
	if !(config.ClockHz > 0) || !(config.Bandwidth >= 0) || !(config.Overhead >= 0) {
		return usage("--clock must be above 0, --bandwidth and --overhead not below")
	}
	l, err := c.nvdlaProgram()
	if err != nil {
		return err
	}
	if !l.Told {
		c.warn([]error{fmt.Errorf("the file does not tell nv_large from nv_full: nv_full is modelled; --configtarget decides")})
	}
	r := cycles.Estimate(l.Program, config)
	if c.settings.GetBool("json") {
		e := json.NewEncoder(c.stdout)
		e.SetIndent("", "  ")
		return e.Encode(harness.CyclesRecord(r, l.Program.Engines()))
	}
	return c.cyclesTable(r)
}

func (c *command) cyclesTable(r cycles.Report) error {
	grid := newGrid(c.stdout)
	grid.Header("op", "kind", "layer", "MACs", "MAC cycles", "element cycles", "memory cycles", "bytes", "modelled cycles", "bound by")
	for _, o := range r.Operations {
		err := grid.Append(fmt.Sprint(o.Position), o.Kind.String(), o.Layer, fmt.Sprint(o.MACs), round(o.MACCycles), round(o.ElementCycles),
			round(o.MemoryCycles), fmt.Sprint(o.Bytes), round(o.Cycles), string(o.Bound))
		if err != nil {
			return err
		}
	}
	if err := grid.Render(); err != nil {
		return err
	}
	fmt.Fprintf(c.stdout, "modelled on %s: %s cycles, %.4g ms an input; %d MACs, multipliers %.1f %% used; %d bytes to and from DRAM\n",
		r.Target.Name, round(r.Cycles), 1e3*r.Seconds(), r.MACs, 100*r.Utilization(), r.Bytes)
	fmt.Fprintln(c.stdout, "assumptions:")
	for _, a := range r.Assumptions {
		fmt.Fprintf(c.stdout, "  - %s\n", a)
	}
	return nil
}

func round(v float64) string { return fmt.Sprintf("%.0f", v) }
