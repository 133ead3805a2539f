package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"quantbench/harness/runtime/nvdla/inspect"
)

func (c *command) nvdlaShowCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show F",
		Short: "Print a loadable's operations as a table",
		Long: `Prints what a loadable holds: versions, target, bound tensors, memory, and one
row an operation with its shapes, precision, arithmetic and places in memory
(number of the memory + byte).`,
		Example: "  bench nvdla show fast-math.nvdla",
		Args:    cobra.ExactArgs(1),
		RunE:    func(_ *cobra.Command, args []string) error { return c.nvdlaShow(args[0]) },
	}
	targetFlag(cmd)
	return cmd
}

func (c *command) nvdlaShow(path string) error {
	l, err := c.openLoadable(path)
	if err != nil {
		return err
	}
	c.nvdlaHeader(l)
	grid := newGrid(c.stdout)
	grid.Header("op", "kind", "in", "out", "precision", "what", "rescale", "memory")
	for _, r := range inspect.Rows(l.Program) {
		if err := grid.Append(fmt.Sprint(r.Position), r.Kind, r.In, r.Out, r.Precision, r.What, r.Rescale, r.Memory); err != nil {
			return err
		}
	}
	if err := grid.Render(); err != nil {
		return err
	}
	c.warn(inspect.Runnable(l.Program))
	return nil
}

// nvdlaHeader prints what the file says of itself.
func (c *command) nvdlaHeader(l *inspect.Loadable) {
	p := l.Program
	fmt.Fprintf(c.stdout, "%s: loadable %s", l.File.Name, l.File.Version)
	for _, v := range l.File.InterfaceVersions() {
		fmt.Fprintf(c.stdout, ", interface %s", v)
	}
	target := p.Target.Name
	if !l.Told {
		target += " or nv_large (the file does not tell; the results are equal)"
	}
	fmt.Fprintf(c.stdout, "\ntarget %s\n", target)
	for _, t := range l.File.Tensors {
		fmt.Fprintf(c.stdout, "tensor %q: %dx%dx%d, pixel format %d, line %d bytes, surface %d bytes, %d bytes\n", t.Name, t.C, t.H, t.W, t.PixelFormat, t.Stride[1], t.Stride[2], t.Size)
	}
	total := 0
	for i, r := range p.Regions {
		fmt.Fprintf(c.stdout, "memory %d: %q, %d bytes\n", i, r.Name, r.Size)
		total += r.Size
	}
	fmt.Fprintf(c.stdout, "%d operations, %d bytes of memory\n", len(p.Operations), total)
}
