package datasets

import (
	"fmt"
	"strings"
)

// MissingError says that a dataset's files are not on this machine.
type MissingError struct {
	Dataset string   // "mnist/test"
	Looked  []string // the paths that were tried
	Command string   // a shell command that gets the files
}

// Error says where the files were looked for and how to get them.
func (e *MissingError) Error() string {
	looked := "no folder was given to look in"
	if len(e.Looked) > 0 {
		looked = "looked for " + strings.Join(e.Looked, ", ")
	}
	return fmt.Sprintf("%s: files not found; %s; get them with: %s", e.Dataset, looked, e.Command)
}
