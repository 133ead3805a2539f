package modelstore

import (
	"errors"
	"fmt"
	"path/filepath"

	"quantbench/models/catalogue"
)

// Absent is the state of a network whose files are not there.
const Absent = "not on this machine"

// Listed is a network of the catalogue with where it is.
type Listed struct {
	catalogue.Entry
	// State is "ships with bench", the folder of the caffemodel, Absent, or what
	// is damaged.
	State string `json:"state"`
}

// List are all networks of the catalogue, with where their files are below dirs.
func List(dirs []string) []Listed {
	var list []Listed
	for _, e := range catalogue.List() {
		list = append(list, Listed{e, state(e, dirs)})
	}
	return list
}

func state(e catalogue.Entry, dirs []string) string {
	if e.Shipped {
		return "ships with bench"
	}
	files, err := Find(e, dirs)
	var missing *MissingError
	switch {
	case err == nil:
		return filepath.ToSlash(filepath.Dir(files.Caffemodel))
	case errors.As(err, &missing):
		return Absent
	}
	return err.Error()
}

// Accuracy is the first known top-1: "9731 of 10000".
func (l Listed) Accuracy() string {
	if len(l.Known) == 0 {
		return ""
	}
	a := l.Known[0]
	if a.Correct > 0 {
		return fmt.Sprintf("%d of %d", a.Correct, a.Images)
	}
	return fmt.Sprintf("%.2f %% of %d", a.Percent, a.Images)
}
