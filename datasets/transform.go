package datasets

// Transform is what a Caffe data layer of a train prototxt says about its
// pictures; fields are called as there. mirror is left out: Caffe mirrors in
// training only.
type Transform struct {
	Scale     float32   // transform_param
	CropSize  int       // transform_param: square crops
	MeanValue []float32 // transform_param
	MeanFile  string    // transform_param
	// NewSide is image_data_param's new_height and new_width, which must be equal,
	// or the side that the pictures were squashed to for the LMDB (256 in Caffe's
	// own script for ImageNet).
	NewSide int
	// Order is the channel order of the stored pictures: Caffe's image tools store
	// bgr, its CIFAR-10 converter rgb.
	Order string
}

// Preprocess is the same rule as a network that is tested needs it: the crop is
// central.
func (t Transform) Preprocess() Preprocess {
	p := Preprocess{Order: t.Order, Mean: t.MeanValue, MeanFile: t.MeanFile, Scale: t.Scale}
	if t.CropSize > 0 {
		p.Crop = Center
	}
	if t.NewSide > 0 {
		p.Resize = Resize{Rule: Squash, Size: t.NewSide}
	}
	return p
}
