package datasets

// Preprocess is the one declared rule by which a picture becomes a network's
// input. Calibration and every runtime use the same value, and its hash is part
// of a cell's key, so a difference between two runtimes is never a difference
// of preprocessing.
//
// A picture is resized, cropped, converted to the network's number of channels,
// put in the network's channel order and inverted, in this order and each only if
// declared. The network's input for channel c is then (pixel - Mean[c]) * Scale,
// with pixel the byte of the channel that Order puts there.
type Preprocess struct {
	// Resize changes the picture's size first. The zero value leaves it.
	Resize Resize `yaml:"resize,omitempty" json:"resize,omitzero"`
	// Planar resizes the planes of a JPEG file from their own resolution straight to
	// the crop of a square network, which takes less time. Chroma at half the
	// resolution is then not interpolated first, and the picture is rounded to bytes
	// once, so that pixels differ a little from those of Resize alone. See
	// jpeg.NewResizer for the arithmetic.
	Planar bool `yaml:"planar,omitempty" json:"planar,omitempty"`
	// Crop cuts the network's size out of the (resized) picture: "center" leaves
	// out (H-h)/2 rows above and (W-w)/2 columns left, rounded down, as Caffe does.
	// Empty means that sizes must be equal.
	Crop string `yaml:"crop,omitempty" json:"crop,omitempty"`
	// Convert allows a grey picture to become a coloured one (three equal planes)
	// and a coloured one to become grey (luma of ITU-R BT.601: 0.299 R + 0.587 G +
	// 0.114 B, computed as (19595 R + 38470 G + 7471 B + 32768) >> 16). Without it
	// the numbers of channels must be equal.
	Convert bool `yaml:"convert,omitempty" json:"convert,omitempty"`
	// Order is the order of a colour picture's channels: "rgb" or "bgr". Grey
	// pictures ignore it. Empty means "rgb".
	Order string `yaml:"order,omitempty" json:"order,omitempty"`
	// Invert replaces each byte p by 255-p first (black on white digits).
	Invert bool `yaml:"invert,omitempty" json:"invert,omitempty"`
	// Mean is subtracted from each pixel: nothing, one value for all channels,
	// or one a channel in the network's channel order. In units of pixels (0..255).
	Mean []float32 `yaml:"mean,omitempty" json:"mean,omitempty"`
	// MeanFile names the .binaryproto that MeanImage is to be read from (ParseMean,
	// Mean.Center). It is no part of the rule; MeanImage is.
	MeanFile string `yaml:"mean_file,omitempty" json:"mean_file,omitempty"`
	// MeanImage, if not nil, is subtracted instead of Mean: one value a pixel and
	// channel, C x H x W in the network's channel order.
	MeanImage []float32 `yaml:"-" json:"mean_image,omitempty"`
	// TransformParam names a train prototxt whose data layer says what the other
	// fields do not. It is no part of the rule; what was read is.
	TransformParam string `yaml:"transform_param,omitempty" json:"-"`
	// Scale multiplies after the mean is subtracted. 0 means 1.
	Scale float32 `yaml:"scale,omitempty" json:"scale,omitempty"`
}

// Resize is a change of size: bilinear, antialiased when it shrinks. See Scaled
// for the arithmetic.
type Resize struct {
	// Rule is "shorter" (the shorter side becomes Size, the longer one keeps the
	// proportions, rounded down), "squash" (both sides become Size whatever the
	// proportions; without Size, the network's own height and width), or empty.
	Rule string `yaml:"rule" json:"rule"`
	// Size is a side's length in pixels.
	Size int `yaml:"size,omitempty" json:"size,omitempty"`
}

// The rules of Resize, and of Preprocess.Crop.
const (
	Shorter = "shorter"
	Squash  = "squash"
	Center  = "center"
)
