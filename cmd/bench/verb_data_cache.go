package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"quantbench/datasets/catalogue"
	"quantbench/datasets/decoded"
	"quantbench/datasets/folder"
	"quantbench/harness"
)

func (c *command) dataCacheCommands() []*cobra.Command {
	list := &cobra.Command{
		Use: "cache", Short: "Show the decoded pictures that are kept, and what they take", Args: cobra.NoArgs,
		Long: `Shows the files of decoded pictures in the cache. bench run keeps there what a
network sees of a large dataset, so that each picture is decoded once for all
runtimes and runs. The files can always be made again: bench data clean.`,
		Example: "  bench data cache",
		RunE:    func(*cobra.Command, []string) error { return c.dataCache() },
	}
	clean := &cobra.Command{
		Use: "clean", Short: "Remove decoded pictures and remembered checksums", Args: cobra.NoArgs,
		Long: `Removes the decoded pictures and the remembered checksums of picture files. Datasets
and finished cells stay. The next run makes again what it needs.`,
		Example: "  bench data clean",
		RunE:    func(*cobra.Command, []string) error { return c.dataClean() },
	}
	for _, cmd := range []*cobra.Command{list, clean} {
		cmd.Flags().String("cache", cacheDir(), "folder that keeps decoded pictures, as of bench run")
	}
	return []*cobra.Command{list, clean}
}

// pictureCache is the cache of decoded pictures; its limit is of no interest here.
func (c *command) pictureCache() *decoded.Cache {
	return decoded.NewCache(harness.PicturesDir(c.settings.GetString("cache")), 0)
}

func (c *command) dataCache() error {
	cache := c.pictureCache()
	list, err := cache.List()
	if err != nil {
		return err
	}
	total := int64(0)
	for _, e := range list {
		total += e.Held()
		if e.Set.Pictures == 0 {
			fmt.Fprintf(c.stdout, "%s: %s, not readable\n", e.Path, decoded.Size(e.Bytes))
			continue
		}
		fmt.Fprintf(c.stdout, "%s\n  %s: %d of %d pictures, %s of %s, last used %s\n", e.Path, e.Set.Text, e.Kept, e.Set.Pictures, decoded.Size(e.Held()), decoded.Size(e.Bytes), e.Used.Format("2006-01-02"))
	}
	fmt.Fprintf(c.stdout, "%s: %d files, %s\n", cache.Dir(), len(list), decoded.Size(total))
	return nil
}

func (c *command) dataClean() error {
	freed, err := c.pictureCache().Clean()
	fmt.Fprintf(c.stdout, "decoded pictures: %s removed\n", decoded.Size(freed))
	if err != nil {
		return err
	}
	return os.RemoveAll(harness.SumsDir(c.settings.GetString("cache")))
}

// dataSource opens datasets for the verbs of data, with the checksums that bench
// run remembers in its usual place.
func dataSource() catalogue.Source {
	return catalogue.Source{Dirs: dataDirs(), Sums: folder.NewSums(harness.SumsDir(cacheDir()))}
}
