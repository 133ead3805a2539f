package caffe

import (
	"slices"
	"sort"
	"strings"
)

// Names of the messages whose fields are known. A field's message type is
// looked up in messageOf.
const (
	netMessage   = "NetParameter"
	layerMessage = "LayerParameter"
)

// fieldsOf lists the fields of Caffe's messages. Most have no effect on
// inference (fillers, learning rates, engines); they are known all the same so
// that a warning about an unknown field means something.
var fieldsOf = map[string][]string{
	netMessage: words("name input input_dim input_shape force_backward state debug_info layer layers"),
	layerMessage: words(`name type bottom top phase loss_weight param blobs propagate_down include exclude
		blobs_lr weight_decay blob_share_mode transform_param loss_param accuracy_param argmax_param
		batch_norm_param bias_param clip_param concat_param contrastive_loss_param convolution_param crop_param
		data_param dropout_param dummy_data_param eltwise_param elu_param embed_param exp_param flatten_param
		hdf5_data_param hdf5_output_param hinge_loss_param image_data_param infogain_loss_param
		inner_product_param input_param log_param lrn_param memory_data_param mvn_param parameter_param
		pooling_param power_param prelu_param python_param recurrent_param reduction_param relu_param
		reshape_param scale_param sigmoid_param slice_param softmax_param spp_param swish_param tanh_param
		threshold_param tile_param window_data_param`),
	"convolution_param": words(`num_output bias_term pad kernel_size group stride weight_filler bias_filler pad_h
		pad_w kernel_h kernel_w stride_h stride_w engine axis force_nd_im2col dilation`),
	"pooling_param": words(`pool kernel_size stride pad kernel_h kernel_w stride_h stride_w pad_h pad_w engine
		global_pooling round_mode`),
	"inner_product_param": words("num_output bias_term weight_filler bias_filler axis transpose"),
	"relu_param":          words("negative_slope engine"),
	"elu_param":           words("alpha"),
	"prelu_param":         words("filler channel_shared"),
	"batch_norm_param":    words("use_global_stats moving_average_fraction eps"),
	"scale_param":         words("axis num_axes filler bias_term bias_filler"),
	"eltwise_param":       words("operation coeff stable_prod_grad"),
	"concat_param":        words("concat_dim axis"),
	"softmax_param":       words("engine axis"),
	"lrn_param":           words("local_size alpha beta norm_region k engine"),
	"power_param":         words("power scale shift"),
	"sigmoid_param":       words("engine"),
	"tanh_param":          words("engine"),
	"dropout_param":       words("dropout_ratio"),
	"flatten_param":       words("axis end_axis"),
	"reshape_param":       words("shape axis num_axes"),
	"input_param":         words("shape"),
	"shape":               words("dim"),
	"input_shape":         words("dim"),
	"include":             words("phase min_level max_level stage not_stage"),
	"exclude":             words("phase min_level max_level stage not_stage"),
}

func words(s string) []string { return strings.Fields(s) }

// oldTypes are the layer types of the V1 format ("layers"): enum name, number,
// and the name of today.
var oldTypes = []struct {
	name   string
	number int64
	layer  string
}{
	{"NONE", 0, "None"}, {"ACCURACY", 1, "Accuracy"}, {"BNLL", 2, "BNLL"}, {"CONCAT", 3, "Concat"},
	{"CONVOLUTION", 4, "Convolution"}, {"DATA", 5, "Data"}, {"DROPOUT", 6, "Dropout"},
	{"EUCLIDEAN_LOSS", 7, "EuclideanLoss"}, {"FLATTEN", 8, "Flatten"}, {"HDF5_DATA", 9, "HDF5Data"},
	{"HDF5_OUTPUT", 10, "HDF5Output"}, {"IM2COL", 11, "Im2col"}, {"IMAGE_DATA", 12, "ImageData"},
	{"INFOGAIN_LOSS", 13, "InfogainLoss"}, {"INNER_PRODUCT", 14, "InnerProduct"}, {"LRN", 15, "LRN"},
	{"MULTINOMIAL_LOGISTIC_LOSS", 16, "MultinomialLogisticLoss"}, {"POOLING", 17, "Pooling"},
	{"RELU", 18, "ReLU"}, {"SIGMOID", 19, "Sigmoid"}, {"SOFTMAX", 20, "Softmax"},
	{"SOFTMAX_LOSS", 21, "SoftmaxWithLoss"}, {"SPLIT", 22, "Split"}, {"TANH", 23, "TanH"},
	{"WINDOW_DATA", 24, "WindowData"}, {"ELTWISE", 25, "Eltwise"}, {"POWER", 26, "Power"},
	{"SIGMOID_CROSS_ENTROPY_LOSS", 27, "SigmoidCrossEntropyLoss"}, {"HINGE_LOSS", 28, "HingeLoss"},
	{"MEMORY_DATA", 29, "MemoryData"}, {"ARGMAX", 30, "ArgMax"}, {"THRESHOLD", 31, "Threshold"},
	{"DUMMY_DATA", 32, "DummyData"}, {"SLICE", 33, "Slice"}, {"MVN", 34, "MVN"}, {"ABSVAL", 35, "AbsVal"},
	{"SILENCE", 36, "Silence"}, {"CONTRASTIVE_LOSS", 37, "ContrastiveLoss"}, {"EXP", 38, "Exp"},
	{"DECONVOLUTION", 39, "Deconvolution"},
}

// oldType finds today's name of a V1 type; "" if there is none.
func oldType(name string, number int64) string {
	for _, t := range oldTypes {
		if t.name == name || name == "" && t.number == number {
			return t.layer
		}
	}
	return ""
}

// droppedTypes have no part in inference: they feed training data, or measure
// results. What they write is not a tensor of the network.
var droppedTypes = map[string]string{
	"Data": "data source", "ImageData": "data source", "HDF5Data": "data source", "MemoryData": "data source",
	"WindowData": "data source", "DummyData": "data source",
	"Accuracy": "measurement", "HDF5Output": "measurement", "Silence": "measurement",
	"EuclideanLoss": "loss", "HingeLoss": "loss", "SigmoidCrossEntropyLoss": "loss",
	"MultinomialLogisticLoss": "loss", "InfogainLoss": "loss", "ContrastiveLoss": "loss",
}

// supportedTypes are the layer types that can be read, sorted.
func supportedTypes() []string {
	var out []string
	for name := range builders {
		out = append(out, name)
	}
	sort.Strings(out)
	return out
}

// didYouMean ends a message with the nearest of the known names, if one is
// near: one letter or at most a third of them differ.
func didYouMean(name string, known []string) string {
	best, distance := "", max(2, len(name)/3+1)
	for _, k := range known {
		if d := editDistance(strings.ToLower(name), strings.ToLower(k)); d < distance {
			best, distance = k, d
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + best + "?"
}

// editDistance is Levenshtein's, bounded to names of ordinary length.
func editDistance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 64
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range a {
		left := row[0]
		row[0]++
		for j := range len(b) {
			swap := left
			if a[i] != b[j] {
				swap++
			}
			left = row[j+1]
			row[j+1] = slices.Min([]int{left + 1, row[j] + 1, swap})
		}
	}
	return row[len(b)]
}
