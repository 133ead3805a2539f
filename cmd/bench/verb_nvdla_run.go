package main

import (
	"os"

	"github.com/spf13/cobra"

	"quantbench/harness/record"
	"quantbench/harness/runtime/nvdla/hardware"
	"quantbench/harness/runtime/nvdla/inspect"
	"quantbench/harness/runtime/nvdla/loadable"
	"quantbench/harness/runtime/nvdla/simulate"
)

func (c *command) nvdlaRunCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "run --loadable F (--image P | --tensor RAW) --rawdump OUT",
		Short: "Run a program on one input, bit for bit",
		Long: `Runs a loadable (or a network, compiled first) as NVDLA does, and writes its
output as nvdla_runtime --rawdump does: one text line of integers separated by
blanks, in channel, line, column order (a file ends without a newline, as there;
standard output ends with one).

--image takes a .jpg or a binary .pgm and quantizes it as nvdla_runtime does for
an int8 input: floor(pixel*127/255 + 0.5), JPEG channels in the order blue,
green, red. --tensor takes int8 bytes in channel, line, column order. A program
without an input needs neither.

What the kernel driver refuses on the target is refused by name, before running.`,
		Example: `  bench nvdla run --loadable fast-math.nvdla --image seven.pgm --rawdump -
  bench nvdla run --loadable fast-math.nvdla --tensor input.i8 --rawdump out.txt --dump ops`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return c.nvdlaRun() },
	}
	f := cmd.Flags()
	programFlags(cmd)
	f.String("image", "", "picture: .jpg or .pgm")
	f.String("tensor", "", "input as int8 bytes in C,H,W order")
	f.String("rawdump", "", "output file; - is standard output")
	f.String("dimg", "", "output file for NVIDIA's binary DIMG, whose md5 sums the driver's regression gives")
	f.String("dump", "", "folder for what every operation was given and produced")
	return cmd
}

func (c *command) nvdlaRun() error {
	raw, image := c.settings.GetString("rawdump"), c.settings.GetString("dimg")
	if raw+image == "" {
		return usage("no place for the output: give --rawdump or --dimg")
	}
	l, err := c.nvdlaProgram()
	if err != nil {
		return err
	}
	if image != "" && l.File == nil {
		return usage("--dimg needs --loadable: a network says nothing of the image's strides")
	}
	m, err := simulate.New(l.Program)
	if err != nil {
		return asUsage(err)
	}
	c.warn(m.Warnings())
	in, err := c.nvdlaInput(l.Program)
	if err != nil {
		return err
	}
	if err := c.nvdlaExecute(m, in); err != nil {
		return err
	}
	if image != "" {
		data, err := l.Image(m)
		if err != nil {
			return err
		}
		if err := record.WriteFile(image, data); err != nil {
			return err
		}
	}
	return c.writeRaw(raw, loadable.FormatRaw(m.Output()))
}

// writeRaw writes the output's line to a file or standard output, if anywhere.
func (c *command) writeRaw(path string, line []byte) error {
	switch path {
	case "":
		return nil
	case "-":
		_, err := c.stdout.Write(append(line, '\n'))
		return err
	}
	return record.WriteFile(path, line)
}

// nvdlaExecute runs an input, with a record of every operation if --dump asks.
func (c *command) nvdlaExecute(m *simulate.Machine, in []int8) error {
	dir := c.settings.GetString("dump")
	if dir == "" {
		return m.Execute(in)
	}
	r, err := inspect.NewRecorder(dir, m.Program())
	if err != nil {
		return err
	}
	m.Observe = r.Observe
	if err := m.Execute(in); err != nil {
		return err
	}
	return r.Err()
}

// nvdlaInput reads the picture or tensor of the flags.
func (c *command) nvdlaInput(p *hardware.Program) ([]int8, error) {
	image, tensor := c.settings.GetString("image"), c.settings.GetString("tensor")
	has := p.Input.Cube.Region >= 0
	switch {
	case image != "" && tensor != "":
		return nil, usage("--image and --tensor are two inputs; give one")
	case !has && image+tensor != "":
		return nil, usage("the program has no input, so %s cannot be given to it", image+tensor)
	case !has:
		return nil, nil
	case image+tensor == "":
		q := p.Input.Cube
		return nil, usage("the program needs an input %q of %d x %d x %d: give --image or --tensor", p.Input.Name, q.C, q.H, q.W)
	}
	read, path := inspect.Picture, image
	if tensor != "" {
		read, path = inspect.Tensor, tensor
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	in, err := read(p, path, data)
	if err != nil {
		return nil, usage("%w", err)
	}
	return in, nil
}
