package harness

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"quantbench/harness/record"
)

// certificates reads the certificates of the configuration, before anything is
// run: a wrong path should not cost a matrix.
func (e *Experiment) certificates() ([]record.Certificate, error) {
	var list []record.Certificate
	for _, name := range e.cfg.Certificates {
		path, err := e.path(name)
		if a := (*absent)(nil); errors.As(err, &a) {
			return nil, fmt.Errorf("%s: certificates: %s", e.cfg.File, a.reason)
		} else if err != nil {
			return nil, err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("%s: certificates: %w; make one with `bench nvdla verify -o`", e.cfg.File, err)
		}
		c, err := record.ReadCertificate(filepath.Base(name), data)
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, nil
}
