// Package caffe reads and writes networks in Caffe's own files: the prototxt
// that describes the layers and the .caffemodel that holds their weights.
//
// Both readers are the package's own. The prototxt reader keeps the order of
// the layers and the line of each, which calibration tables and error messages
// need, and reports fields that Caffe does not have; protobuf's own decoders
// serve as the oracle in tests. The package refuses what it cannot run: a
// layer type or a parameter that would change the result is an error with its
// file and line, never a guess. It does not train, and it reads no HDF5.
//
// # What is read of a prototxt
//
// The new form (layer, quoted types), the V1 form (layers, enum names or
// numbers) and the headers input, input_dim and input_shape, which become
// implicit Input layers. Of each layer: name, type, bottom, top, include and
// exclude (the test phase, level 0, without stages), and
//
//	convolution_param   num_output bias_term group kernel_size stride pad dilation and the _h, _w forms; axis 1
//	pooling_param       pool (MAX, AVE) kernel_size stride pad and the _h, _w forms, global_pooling round_mode
//	inner_product_param num_output bias_term transpose; axis 1
//	batch_norm_param    eps; the trained statistics are used whatever use_global_stats says
//	scale_param         bias_term; axis 1, num_axes 1, one bottom
//	relu_param          negative_slope
//	prelu_param         channel_shared
//	eltwise_param       operation coeff
//	lrn_param           local_size alpha beta k norm_region
//	power_param         power scale shift
//	reshape_param       shape; axis 0 (the first dim must be 0) or 1
//	input_param         one shape of 2 to 4 dimensions
//
// Concat, Softmax and Flatten work on axis 1 only. Data sources, losses,
// measurements and the layers of the training phase are left out;
// SoftmaxWithLoss is read as Softmax.
//
// # What is read of a .caffemodel
//
// Layers of both forms; of each blob the shape, or num, channels, height and
// width of the old form, and the values from data, double_data, or raw_data as
// double, float or half precision (an addition of OpenCV).
package caffe
