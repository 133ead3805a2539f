//go:build !unix

package nvdla

import "time"

// processorTime is not known here.
func processorTime() time.Duration { return 0 }
