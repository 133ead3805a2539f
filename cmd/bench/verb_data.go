package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"quantbench/datasets"
	"quantbench/datasets/catalogue"
	"quantbench/datasets/fetch"
	"quantbench/harness/diagnose"
)

func (c *command) dataCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "data",
		Short: "List, get and verify datasets",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	get := &cobra.Command{
		Use:   "get NAME",
		Short: "Download a dataset, or import it from a folder",
		Long: `Downloads a dataset's files into the data folder, with size and checksum from the
catalogue. An interrupted download goes on where it stopped. Nothing that bench did
not make is overwritten. --from imports files that are on this machine already.`,
		Example: "  bench data get mnist\n  bench data get mnist --from ~/Downloads",
		Args:    cobra.ExactArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return c.dataGet(cmd, args[0]) },
	}
	get.Flags().String("from", "", "folder that has the files already")
	get.Flags().Bool("offline", false, "do not use the network")
	get.Flags().String("dir", dataDirs()[len(dataDirs())-1], "data folder")
	cmd.AddCommand(
		&cobra.Command{
			Use: "list", Short: "List the datasets known by name", Example: "  bench data list", Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error { return c.dataList(cmd.Context()) },
		},
		get,
		&cobra.Command{
			Use: "verify NAME", Short: "Check a dataset's files and read every picture", Example: "  bench data verify fashion-mnist",
			Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error { return c.dataVerify(cmd, args[0]) },
		},
		&cobra.Command{
			Use: "show NAME", Short: "Show a dataset's size, classes and digests", Example: "  bench data show fashion-mnist",
			Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error { return c.dataShow(cmd.Context(), args[0]) },
		},
	)
	cmd.AddCommand(c.dataCacheCommands()...)
	return cmd
}

func (c *command) dataList(ctx context.Context) error {
	source := dataSource()
	grid := newGrid(c.stdout)
	grid.Header("name", "what", "licence", "state")
	for _, e := range catalogue.List() {
		state := "not on this machine"
		if e.Shipped {
			state = "ships with bench"
		} else if _, err := source.Open(ctx, e.Name, "test"); err == nil {
			state = "there"
		}
		if err := grid.Append(e.Name, e.Title, e.Licence, state); err != nil {
			return err
		}
	}
	return grid.Render()
}

// knownDataset refuses a name that the catalogue does not have.
func knownDataset(name string) error {
	if _, ok := catalogue.Named(name); ok {
		return nil
	}
	return usage("unknown dataset %q%s", name, diagnose.DidYouMean(name, catalogue.Names()))
}

func (c *command) dataGet(cmd *cobra.Command, name string) error {
	if err := knownDataset(name); err != nil {
		return err
	}
	display := newProgress(c.stderr, false)
	results, err := catalogue.Get(cmd.Context(), name, fetch.Options{
		Dir: c.settings.GetString("dir"), From: c.settings.GetString("from"), Offline: c.settings.GetBool("offline"), Progress: display.fetched,
	})
	display.close()
	for _, r := range results {
		fmt.Fprintf(c.stdout, "%s: %s\n", r.Path, r.Action)
	}
	var manual *fetch.ManualError
	if errors.As(err, &manual) {
		return &exitError{exitMissing, err}
	}
	return err
}

func (c *command) dataVerify(cmd *cobra.Command, name string) error {
	if err := knownDataset(name); err != nil {
		return err
	}
	report, err := catalogue.Verify(cmd.Context(), name, dataDirs())
	if err != nil {
		return err
	}
	for _, f := range report.Files {
		switch {
		case f.Path == "":
			fmt.Fprintf(c.stdout, "file %s: not found\n", f.Name)
		case f.Err != nil:
			fmt.Fprintf(c.stdout, "file %s: %v\n", f.Path, f.Err)
		default:
			fmt.Fprintf(c.stdout, "file %s: ok\n", f.Path)
		}
	}
	for _, s := range report.Splits {
		c.printSplit(s)
	}
	if !report.OK() {
		return &exitError{exitMissing, fmt.Errorf("%s is not there, or damaged", name)}
	}
	return nil
}

func (c *command) printSplit(s catalogue.SplitReport) {
	if s.Err != nil {
		fmt.Fprintf(c.stdout, "split %s: %v\n", s.Split, s.Err)
		return
	}
	fmt.Fprintf(c.stdout, "split %s: %d pictures", s.Split, s.Pictures)
	if s.Whole > 0 && s.Whole != s.Pictures {
		fmt.Fprintf(c.stdout, " of %d", s.Whole)
	}
	fmt.Fprintf(c.stdout, ", %d classes, %d unreadable\n", len(s.Classes), len(s.Bad))
	for _, b := range s.Bad {
		fmt.Fprintf(c.stdout, "  %v\n", b)
	}
}

func (c *command) dataShow(ctx context.Context, name string) error {
	if err := knownDataset(name); err != nil {
		return err
	}
	found, source := false, dataSource()
	var last error
	for _, split := range []string{"test", "train"} {
		d, err := source.Open(ctx, name, split)
		var missing *datasets.MissingError
		if errors.As(err, &missing) {
			last = err
			continue
		}
		if err != nil {
			return err
		}
		found = true
		info := d.Info()
		size := "different sizes"
		if info.Height > 0 {
			size = fmt.Sprintf("%dx%dx%d", info.Channels, info.Height, info.Width)
		}
		fmt.Fprintf(c.stdout, "%s: %d pictures of %s, sha256 %s\n", split, info.Len, size, info.Digest)
		for i, class := range info.Classes {
			if split == "test" {
				fmt.Fprintf(c.stdout, "  %d %s\n", i, class)
			}
		}
	}
	if !found {
		return last
	}
	return nil
}
