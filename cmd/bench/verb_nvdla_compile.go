package main

import (
	"bytes"

	"github.com/spf13/cobra"

	"quantbench/harness/record"
	"quantbench/harness/runtime/nvdla/inspect"
	"quantbench/harness/runtime/nvdla/lower"
)

func (c *command) nvdlaCompileCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "compile --prototxt P --caffemodel M --calibtable T -o FILE",
		Short: "Show what nvdla_compiler would make of a network, as JSON",
		Long: `Lowers a Caffe network as nvdla_compiler does in int8, and writes
{"operations":[...],"cpu":[...]}: every hardware operation in order of execution
with the fields of the firmware's descriptors.

The compiler's own faults are repeated, each with a warning that names the layer
and what it costs; --fix lowers as it should have been. Where the compiler would
fail, compile says why and exits with 2. Flags have nvdla_compiler's names; only
--informat has another default (nchw; nvdla_compiler's is nhwc).`,
		Example: `  bench nvdla compile --prototxt deploy.prototxt --caffemodel net.caffemodel --calibtable int8.json --configtarget nv_small -o -`,
		Args:    cobra.NoArgs,
		RunE:    func(*cobra.Command, []string) error { return c.nvdlaCompile() },
	}
	networkFlags(cmd)
	cmd.Flags().StringP("output", "o", "-", "JSON to write; - is standard output")
	require(cmd, "prototxt", "calibtable")
	return cmd
}

func (c *command) nvdlaCompile() error {
	p, err := c.nvdlaCompiled()
	if err != nil {
		return err
	}
	c.warn(inspect.Runnable(p))
	var b bytes.Buffer
	if err := lower.WriteJSON(&b, p); err != nil {
		return err
	}
	if path := c.settings.GetString("output"); path != "-" {
		return record.WriteFile(path, b.Bytes())
	}
	_, err = c.stdout.Write(b.Bytes())
	return err
}
