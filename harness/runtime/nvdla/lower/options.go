package lower

import (
	"fmt"
	"strings"

	"quantbench/harness/runtime/nvdla/hardware"
	"quantbench/models"
)

// Mode says how many scales the weights of one convolution have
// (nvdla_compiler --quantizationMode).
type Mode string

// The compiler's quantization modes. In spite of its name, PerKernel is one
// scale for the whole layer; PerFilter is one for each output channel.
const (
	PerKernel Mode = "per-kernel"
	PerFilter Mode = "per-filter"
)

// Profile is a set of the compiler's optimizations (nvdla_compiler --profile).
type Profile string

// The compiler's profiles. Performance equals Default in everything that
// changes operations.
const (
	Basic       Profile = "basic"
	Default     Profile = "default"
	Performance Profile = "performance"
	FastMath    Profile = "fast-math"
)

// InputFormat is how the picture lies in memory (nvdla_compiler --informat).
type InputFormat string

// Feature input (NCxHWx and NCHW are the same to the compiler) and image input.
const (
	NCxHWx InputFormat = "ncxhwx"
	NCHW   InputFormat = "nchw"
	NHWC   InputFormat = "nhwc"
)

// Fix names a fault of the compiler that is not to be repeated.
type Fix string

const (
	// FixEltwiseScale gives both operands of a sum the larger of their two
	// scales, so that neither saturates early.
	FixEltwiseScale Fix = "eltwise-scale"
	// FixConstantMultiplier programs the factor of a convolution without bias
	// that was fused with a sum, where the compiler writes the constant 1.
	FixConstantMultiplier Fix = "constant-multiplier"
	// FixLostKernelRow packs the kernel rows of an extended image convolution
	// in order.
	FixLostKernelRow Fix = "lost-kernel-row"
)

// Fixes lists every Fix.
var Fixes = []Fix{FixEltwiseScale, FixConstantMultiplier, FixLostKernelRow}

// Options say how to lower. The zero value of a field means the compiler's
// default, except that the input is feature data (the compiler's is nhwc).
type Options struct {
	Target      hardware.Target // Full if unset
	Mode        Mode
	Profile     Profile
	InputFormat InputFormat
	Fixes       []Fix
	// Whole leaves convolutions whole that the compiler cuts into strips of
	// lines because they exceed the convolution buffer. Results are equal.
	Whole bool
}

func (o Options) fixed(f Fix) bool {
	for _, g := range o.Fixes {
		if f == g {
			return true
		}
	}
	return false
}

// mergesMaths: only fast-math merges arithmetic and fuses sub-engines.
func (o Options) mergesMaths() bool { return o.Profile == FastMath }

// mergesUnitScales: every profile but basic removes scales by one.
func (o Options) mergesUnitScales() bool { return o.Profile != Basic }

// complete fills in defaults and refuses unknown values.
func (o Options) complete() (Options, error) {
	if o.Target.Name == "" {
		o.Target = hardware.Full
	}
	if err := choose(&o.Mode, "quantization mode", PerKernel, PerFilter); err != nil {
		return o, err
	}
	if err := choose(&o.Profile, "profile", FastMath, Basic, Default, Performance); err != nil {
		return o, err
	}
	if err := choose(&o.InputFormat, "input format", NCxHWx, NCHW, NHWC); err != nil {
		return o, err
	}
	for i := range o.Fixes {
		if err := choose(&o.Fixes[i], "fix", Fixes...); err != nil {
			return o, err
		}
	}
	return o, nil
}

// choose sets an empty value to the first one allowed, and checks any other.
func choose[T ~string](v *T, what string, allowed ...T) error {
	if *v == "" {
		*v = allowed[0]
	}
	names := make([]string, len(allowed))
	for i, a := range allowed {
		if *v == a {
			return nil
		}
		names[i] = string(a)
	}
	return fmt.Errorf("unknown %s %q; choose one of %s", what, string(*v), strings.Join(names, ", "))
}

// Kind says what a Warning is about.
type Kind string

// The kinds of warnings.
const (
	EltwiseOverride    Kind = "eltwise-scale"       // a sum's operand got the other's scale
	ConstantMultiplier Kind = "constant-multiplier" // a factor was lost
	LostKernelRow      Kind = "lost-kernel-row"     // a kernel line was packed twice
	LostReLU           Kind = "lost-relu"           // an activation is missing
	NoRescale          Kind = "no-rescale"          // pooling or Concat with another scale than its input
	Unaligned          Kind = "unaligned-concat"    // channels land in the wrong place
	Ignored            Kind = "ignored"             // a parameter that the compiler does not read
	BorderAverage      Kind = "border-average"      // average pooling counts the padding
	Groups             Kind = "group-convolution"   // compiles, but is wrong on the device
	DriverLimit        Kind = "driver-limit"        // compiles, but the driver refuses it
	EmptyTable         Kind = "empty-table"         // a look-up table of zeros
	TruncateRange      Kind = "truncate-range"      // a shift that the compiler warns of
)

// Warning tells of a fault or a limit that changes results: the layer, and what
// it costs.
type Warning struct {
	Layer *models.Layer
	Kind  Kind
	Text  string
}

// Error gives the layer's place, its name and the text.
func (w *Warning) Error() string { return w.Layer.Errorf("%s", w.Text).Error() }
