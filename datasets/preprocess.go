package datasets

// Preprocess is the one declared rule by which a picture becomes a network's
// input. Calibration and every runtime use the same value, and its hash is part
// of a cell's key, so a difference between two runtimes is never a difference
// of preprocessing.
//
// The network's input for channel c is (pixel - Mean[c]) * Scale, with pixel
// the byte of the channel that Order puts there.
type Preprocess struct {
	// Order is the order of a colour picture's channels: "rgb" or "bgr". Grey
	// pictures ignore it. Empty means "rgb".
	Order string `yaml:"order,omitempty" json:"order,omitempty"`
	// Invert replaces each byte p by 255-p first (black on white digits).
	Invert bool `yaml:"invert,omitempty" json:"invert,omitempty"`
	// Mean is subtracted from each pixel: nothing, one value for all channels,
	// or one a channel in the network's channel order. In units of pixels (0..255).
	Mean []float32 `yaml:"mean,omitempty" json:"mean,omitempty"`
	// MeanImage, if not nil, is subtracted instead of Mean: one value a pixel and
	// channel, C x H x W in the network's channel order.
	MeanImage []float32 `yaml:"-" json:"mean_image,omitempty"`
	// Scale multiplies after the mean is subtracted. 0 means 1.
	Scale float32 `yaml:"scale,omitempty" json:"scale,omitempty"`
}
