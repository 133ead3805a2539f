package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"quantbench/harness/record"
	"quantbench/harness/runtime/nvdla/hardware"
	"quantbench/harness/runtime/nvdla/lower"
	"quantbench/harness/runtime/nvdla/simulate"
	"quantbench/harness/runtime/nvdla/verify"
)

func (c *command) nvdlaVerifyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify --loadable F --against DIR",
		Short: "Compare the simulator with recorded outputs of a virtual platform or board",
		Long: `Runs every picture of a folder and compares every element with what a device
recorded. DIR holds pairs: NAME.jpg, NAME.pgm or NAME.i8 (int8 in C,H,W order),
and NAME.txt or NAME.dimg (the line that nvdla_runtime --rawdump writes, or a
binary DIMG). Exits with 1 if anything differs, and says what the result proves.`,
		Example: `  bench nvdla verify --loadable fast-math.nvdla --against recorded -o certificate.json`,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return c.nvdlaVerify(cmd.Context()) },
	}
	programFlags(cmd)
	cmd.Flags().IntP("jobs", "j", defaultJobs(), "pictures to run at a time")
	cmd.Flags().String("against", "", "folder of pictures with recorded outputs")
	cmd.Flags().StringP("output", "o", "", "JSON certificate to write")
	require(cmd, "against")
	return cmd
}

func (c *command) nvdlaVerify(ctx context.Context) error {
	l, err := c.nvdlaProgram()
	if err != nil {
		return err
	}
	pairs, err := verify.Pairs(c.settings.GetString("against"))
	if err != nil {
		return asUsage(err)
	}
	m, err := simulate.New(l.Program)
	if err != nil {
		return asUsage(err)
	}
	c.warn(m.Warnings())
	r, err := verify.Compare(ctx, m, pairs, c.settings.GetInt("jobs"))
	if errors.Is(err, context.Canceled) {
		return err
	} else if err != nil {
		return asUsage(err)
	}
	for _, b := range r.Mismatches {
		fmt.Fprintln(c.stdout, b)
	}
	fmt.Fprintf(c.stdout, "%s: %s\n", l.Program.Target.Name, r.Conclusion())
	if path := c.settings.GetString("output"); path != "" {
		if err := c.writeCertificate(path, l.Program, pairs, r); err != nil {
			return err
		}
	}
	if n := len(r.Mismatches); n > 0 {
		return &exitError{exitFailed, fmt.Errorf("%d of %d pictures differ", n, r.Pictures)}
	}
	return nil
}

// writeCertificate writes what the comparison proves, bound to the program.
func (c *command) writeCertificate(path string, p *hardware.Program, pairs []verify.Pair, r verify.Result) error {
	recorded, err := verify.Digest(pairs)
	if err != nil {
		return err
	}
	source := c.settings.GetString("loadable") + c.settings.GetString("prototxt") // one of them
	data, err := json.MarshalIndent(struct {
		record.Certificate
		Differing []*verify.Mismatch `json:"differing,omitempty"`
	}{record.Certificate{
		Target: p.Target.Name, Program: lower.Fingerprint(p), Source: filepath.Base(source), Recorded: recorded,
		Pictures: r.Pictures, Equal: r.Equal, Elements: r.Elements, Mismatches: len(r.Mismatches), Upper95: r.Upper(), Conclusion: r.Conclusion(),
	}, r.Mismatches}, "", "  ")
	if err != nil {
		return err
	}
	return record.WriteFile(path, append(data, '\n'))
}
