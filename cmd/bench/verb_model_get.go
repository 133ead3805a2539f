package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"quantbench/datasets/fetch"
	"quantbench/harness/modelstore"
)

func (c *command) modelGetCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "get NAME",
		Short: "Download a network, or import it from a folder",
		Long: `Downloads a network's prototxt and caffemodel into models/NAME of the data folder,
with size and checksum from the catalogue. An interrupted download goes on where it
stopped. Nothing that bench did not make is overwritten. --from imports files that
are on this machine already. What cannot be downloaded is explained: what to get by
hand, how to recognise it, and where to put it.`,
		Example: "  bench model get lenet-mnist\n  bench model get resnet18-imagenet --from ~/Downloads",
		Args:    cobra.ExactArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return c.modelGet(cmd.Context(), args[0]) },
	}
	f := cmd.Flags()
	f.String("from", "", "folder that has the files already")
	f.Bool("offline", false, "do not use the network")
	f.String("dir", dataDirs()[len(dataDirs())-1], "data folder")
	return cmd
}

func (c *command) modelGet(ctx context.Context, name string) error {
	e, err := knownModel(name)
	if err != nil {
		return err
	}
	if e.Shipped {
		c.say("%s ships with bench: there is nothing to get\n", name)
		return nil
	}
	display := newProgress(c.stderr, false)
	s := c.settings
	results, err := modelstore.Get(ctx, name, fetch.Options{Dir: s.GetString("dir"), From: s.GetString("from"), Offline: s.GetBool("offline"), Progress: display.fetched})
	display.close()
	for _, r := range results {
		c.say("%s: %s\n", r.Path, r.Action)
	}
	var manual *fetch.ManualError
	if errors.As(err, &manual) {
		return &exitError{exitMissing, err}
	}
	return err
}

// fetched shows a step of a download, as often as other progress.
func (p *progress) fetched(f fetch.Progress) {
	gap := p.now().Sub(p.last)
	if p.quiet || f.Done != f.Total && (p.terminal && gap < refresh || !p.terminal && gap < heartbeat) {
		return
	}
	total := "?"
	if f.Total > 0 {
		total = fmt.Sprintf("%.1f", float64(f.Total)/1e6)
	}
	p.line(fmt.Sprintf("%s: %.1f of %s MB from %s", f.File, float64(f.Done)/1e6, total, f.Mirror))
}
