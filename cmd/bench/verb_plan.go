package main

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"quantbench/harness"
)

func (c *command) planCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "plan [CONFIG]",
		Short: "Show the cells of a matrix, what is cached, and an estimate; run nothing",
		Example: `  bench plan
  bench plan mine.yaml --json | jq '.[] | select(.cached | not)'`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return c.plan(args) },
	}
	cmd.Flags().String("cache", cacheDir(), "folder that keeps finished cells")
	cmd.Flags().IntP("jobs", "j", defaultJobs(), "picture blocks to run at a time")
	cmd.Flags().Bool("json", false, "print the plan as JSON")
	return cmd
}

func (c *command) plan(args []string) error {
	cfg, err := loadConfig(args)
	if err != nil {
		return err
	}
	exp, err := c.experiment(cfg, nil)
	if err != nil {
		return err
	}
	cells := exp.Plan()
	if c.settings.GetBool("json") {
		return c.planJSON(cells)
	}
	return c.planTable(cfg, cells)
}

// planJSON prints one object a cell.
func (c *command) planJSON(cells []harness.PlannedCell) error {
	type row struct {
		ID     string        `json:"id"`
		Point  harness.Point `json:"point"`
		Images int           `json:"images"`
		Cached bool          `json:"cached"`
		Skip   string        `json:"skip,omitempty"`
	}
	rows := []row{}
	for _, p := range cells {
		rows = append(rows, row{p.ID(), p.Point, p.Images, p.Cached, p.Skip})
	}
	e := json.NewEncoder(c.stdout)
	e.SetIndent("", "  ")
	return e.Encode(rows)
}

func (c *command) planTable(cfg *harness.Config, cells []harness.PlannedCell) error {
	t := newGrid(c.stdout)
	t.Header("cell", "model", "dataset", "runtime", "calibrator", "mode", "target", "images", "state")
	cached, skipped := 0, 0
	for _, p := range cells {
		state := "to run"
		switch {
		case p.Key == "":
			state = "skip"
			skipped++
		case p.Cached:
			state = "cached"
			cached++
		}
		calibrator := p.Point.Calibrator
		if pictures := p.Point.Calibration(); pictures != "" {
			calibrator += ", " + pictures
		}
		err := t.Append(p.ID(), p.Point.Model, p.Point.Dataset, p.Point.Runtime, calibrator, p.Point.Mode, p.Point.Target, fmt.Sprint(p.Images), state)
		if err != nil {
			return err
		}
	}
	if err := t.Render(); err != nil {
		return err
	}
	for _, p := range cells {
		if p.Key == "" {
			fmt.Fprintf(c.stdout, "skip %s: %s\n", p.Point, p.Skip)
			if p.Command != "" {
				fmt.Fprintf(c.stdout, "     run: %s\n", p.Command)
			}
		}
	}
	fmt.Fprintf(c.stdout, "%s: %d cells, %d cached, %d skipped; about %s to run (by this processor's nominal speed)\n",
		cfg.File, len(cells), cached, skipped, harness.Estimate(cells, c.settings.GetInt("jobs")).Round(time.Second))
	return nil
}
