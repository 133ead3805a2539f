package doctor

import (
	"slices"
	"strings"

	"quantbench/harness/diagnose"
)

// The codes. NV101 to NV130 are about what users of the public tools report;
// NV131 and up about what the compiler and the hardware do to numbers.
const (
	noRow          = "NV101"
	wrongType      = "NV102"
	extraRow       = "NV103"
	inverted       = "NV104"
	unusableScale  = "NV105"
	ignoredField   = "NV106"
	noTable        = "NV107"
	inputRange     = "NV108"
	softmaxRange   = "NV109"
	softmaxSteps   = "NV110"
	mergeRefused   = "NV111"
	meanLimit      = "NV112"
	factorRange    = "NV113"
	pathCase       = "NV114"
	outputPlace    = "NV115"
	profileName    = "NV116"
	targetName     = "NV117"
	refusedLayer   = "NV118"
	batchSize      = "NV119"
	timeUnit       = "NV120"
	emulatedTime   = "NV121"
	staleOutput    = "NV123"
	pictureFormat  = "NV124"
	serverWords    = "NV127"
	staleCache     = "NV129"
	sumOverride    = "NV131"
	unscaledCopy   = "NV132"
	lostMultiplier = "NV133"
	lostLine       = "NV134"
	lostActivation = "NV135"
	borderAverage  = "NV136"
	groupedConv    = "NV137"
	driverLimit    = "NV138"
	unaligned      = "NV139"
	ignoredParam   = "NV140"
	deadFilters    = "NV141"
	repeatedRow    = "NV142"
	oddRow         = "NV143"
	noWeights      = "NV144"
	badNetwork     = "NV145"
	biasBits       = "NV146"
	cyclicGraph    = "NV147"
	surfaceFormat  = "NV148"
	benignMessage  = "NV149"
	unexplained    = "NV150"
)

// Rules lists every code with what is known about it, in order.
func Rules() []diagnose.Rule {
	var all []diagnose.Rule
	for _, part := range [][]diagnose.Rule{tableRules, compilerRules, runtimeRules, arithmeticRules, datasetRules, modelRules, resultRules, {unexplainedRule}} {
		all = append(all, part...)
	}
	slices.SortFunc(all, func(a, b diagnose.Rule) int { return strings.Compare(a.Code, b.Code) })
	return all
}

// RuleOf finds a rule by its code.
func RuleOf(code string) (diagnose.Rule, bool) {
	for _, r := range Rules() {
		if r.Code == code {
			return r, true
		}
	}
	return diagnose.Rule{}, false
}

var tableRules = []diagnose.Rule{
	{Code: noRow, Title: "a layer has no row in the calibration table", Severity: diagnose.Error,
		Why:     "nvdla_compiler looks up every network layer by its exact Caffe name, and each input by its blob's name. A name that is not there stops it with an assertion of its JSON library (rapidjson/document.h, \"Assertion 'false' failed\") that does not say which name it was. TensorRT names a tensor only after the last layer that writes its blob; each earlier in-place layer is \"(Unnamed Layer* N) [Type]_output\", so a cache that was merely turned into JSON lacks many names.",
		Do:      "Give the rows their layers: bench table fix --prototxt P --cache C -o TABLE.json. Do not copy rows by equal names: the row called like a convolution's blob is the value of the last in-place layer on it, often the ReLU, and can be a hundred times smaller.",
		Sources: []string{"nvdla/sw#201", "nvdla/sw#140", "NVIDIA/TensorRT#681", "rmccorm4/tensorrt-utils#18", "rmccorm4/tensorrt-utils#23"}},
	{Code: wrongType, Title: "rows and layers do not belong together", Severity: diagnose.Error,
		Why:     "Repairing a table by position (row i to layer i) is right only while the prototxt has an Input layer first and nothing that makes no TensorRT layer. One Dropout, Flatten or input: header moves every row behind it to its neighbour. Nothing fails then; accuracy is simply gone. Signs are a type in brackets that is not the layer's, a pooling layer whose scale equals another layer's than its input's, and a ReLU with a range far above its input's.",
		Do:      "Map by blob lineage: bench table fix. bench table fix --by-position shows where the positional mapping differs.",
		Sources: []string{"nvdla/sw#201"}},
	{Code: extraRow, Title: "a row or line belongs to nothing", Severity: diagnose.Warning,
		Why:     "A row that no layer takes says that the table was made from another network, or that layers are counted differently; all other rows are then suspect. calib_txt_to_json.py drops every row whose name contains a colon without a word, and does not run on Python 3.",
		Do:      "Compare the row's name with the prototxt. Calibrate this network again if in doubt.",
		Sources: []string{"nvdla/sw: umd/utils/calibdata/calib_txt_to_json.py"}},
	{Code: inverted, Title: "the scales are reciprocals, or ranges", Severity: diagnose.Error,
		Why:     "TensorRT and NVDLA take scale = range/127, so that real = scale * integer. ncnn and caffe-int8-convert-tools write 127/threshold, the reciprocal, of a layer's input. Some scripts write the range itself into a TensorRT cache. The file looks the same; the network's output is noise.",
		Do:      "Convert it: bench table convert --to nvdla --prototxt P FILE. Scales of the layers that such a table does not list must be calibrated.",
		Sources: []string{"BUG1989/caffe-int8-convert-tools#25", "BUG1989/caffe-int8-convert-tools#36"}},
	{Code: unusableScale, Title: "a scale is zero, negative, infinite or no number", Severity: diagnose.Error,
		Why:     "Calibration saw only zeros in the tensor (or divided by them). The usual causes are pictures that were not found, a wrong mean or normalisation, or a layer that is dead.",
		Do:      "Look at the first such layer in network order and at what feeds it; then calibrate again.",
		Sources: []string{"BUG1989/caffe-int8-convert-tools#3", "BUG1989/caffe-int8-convert-tools#20", "Tencent/ncnn#5279", "Tencent/ncnn#6819", "tensorflow/tensorflow#30871"}},
	{Code: ignoredField, Title: "the table has fields that the compiler does not read", Severity: diagnose.Note,
		Why:     "With \"scale\" present the compiler takes the range -127*scale to 127*scale and reads neither min, max nor offset. A range kept in min and max has no effect.",
		Do:      "Put the range into scale (range/127) or take scale out.",
		Sources: []string{"nvdla/hw#331", "nvdla/sw#142", "nvdla/sw#199"}},
	{Code: noTable, Title: "int8 without a calibration table", Severity: diagnose.Error,
		Why:     "Without --calibtable nvdla_compiler takes 1 for the input's scale and 127 for that of every layer (its help text says 0.00787). Nearly every value then rounds to 0, and the output is zeros or the same class for every picture.",
		Do:      "Give --table, or let bench calibrate the network.",
		Sources: []string{"nvdla/sw#142", "nvdla/sw#177", "nvdla/sw#234", "NVIDIA/TensorRT#1214"}},
	{Code: inputRange, Title: "the input's scale does not fit what feeds the network", Severity: diagnose.Error,
		Why:     "In int8, nvdla_runtime writes floor(pixel*127/255 + 0.5) into the input, whatever --mean and --normalize say; those act on fp16 only. The network then sees (0..127)*scale. This is right only for a network trained on raw pixels with 127*scale = 255, or on pixel/255 with 127*scale = 1. Published tables of networks that subtract a mean have, for example, 127*scale = 151 = 255 - 104: their pictures arrive scaled by 151/255 and shifted.",
		Do:      "Fold mean and scale into the first convolution (bench model fold) and calibrate on raw pixels, or quantize the input yourself (input: quantized in a configuration).",
		Sources: []string{"nvdla/sw#212", "nvdla/sw#193", "nvdla/sw#45", "nvdla/sw#80"}},
	{Code: softmaxRange, Title: "the softmax output saturates", Severity: diagnose.Warning,
		Why:     "The emulator writes p/scale, clamped to 127. With a range 127*scale below one, every probability above the range becomes 127, and if it is 0.5 or less, several classes can tie for the first place.",
		Do:      "Set the row to 1/127 = 0.0078740157, or take the softmax out and compare logits.",
		Sources: []string{"nvdla/sw: umd/core/src/runtime/Emulator.cpp"}},
	{Code: softmaxSteps, Title: "the result is a softmax in int8", Severity: diagnose.Note,
		Why:     "An int8 probability has steps of one 127th: classes below half a percent are all 0 and tie, so top-5 is partly decided by the order of the classes.",
		Do:      "Count ties when top-1 and top-5 are computed, or compare the softmax's input.",
		Sources: []string{"mlcommons/inference_policies#268", "alibaba/MNN#237"}},
	{Code: repeatedRow, Title: "a name has several rows", Severity: diagnose.Warning,
		Why: "Readers disagree on which of them counts: the first for rapidjson's lookup, the last for Python's dictionaries.",
		Do:  "Remove one of the two."},
	{Code: oddRow, Title: "the table was not written for symmetric int8, or lacks its header", Severity: diagnose.Warning,
		Why: "NVDLA and TensorRT quantize without a zero point. A scale for unsigned or 16-bit integers means another range.",
		Do:  "Calibrate for symmetric int8, or check the converted range."},
	{Code: staleCache, Title: "the table may be another network's", Severity: diagnose.Warning,
		Why:     "A calibration cache is reused whenever it is there, also after the weights, the pictures or the batch size changed. Results vary with the order and the number of pictures.",
		Do:      "Calibrate again whenever the network, its preprocessing or the pictures change. bench does so by itself: all of them are in the key of its cache.",
		Sources: []string{"NVIDIA/TensorRT#3137", "NVIDIA/TensorRT#1378", "NVIDIA/TensorRT#774", "pytorch/TensorRT#2167"}},
}

var compilerRules = []diagnose.Rule{
	{Code: mergeRefused, Title: "a scale or BatchNorm was not merged into the convolution", Severity: diagnose.Note,
		Why:     "\"Don't support 0\" in tryToMergeWithScaleOp or tryToMergeWithBatchNormOp. With image input (nhwc) the weights are quantized before the merge is tried, so it is refused once per layer and harmless: the factors stay in the SDP. With a quantization mode of NONE it means that the option did not arrive.",
		Do:      "Pass --quantizationMode per-kernel or per-filter. If the line names a layer behind the picture and the input is nhwc, ignore it.",
		Sources: []string{"nvdla/sw#177", "nvdla/sw#156"}},
	{Code: meanLimit, Title: "a BatchNorm mean is out of range", Severity: diagnose.Error,
		Why:     "The compiler stops with \"Cannot handle Mean values beyond computePrecision limits\" if a mean is below -127: it cannot be added in int8. Typical of networks that see raw pixels and have no bias before the BatchNorm.",
		Do:      "Fold the BatchNorm into the convolution, or scale the input down (and the first convolution up).",
		Sources: []string{"nvdla/sw#211"}},
	{Code: factorRange, Title: "a rescaling factor is out of range or has too few bits", Severity: diagnose.Error,
		Why:     "The compiler writes in_scale*weight_scale/out_scale as a 15-bit integer and a shift. Factors above 2^15, or so small that the shift exceeds 63, stop it (\"Couldn't converge on 2^(x)*y\"); shifts above 31 print \"Truncate too high\" and are used all the same. In per-filter mode all channels share one shift: a channel with much smaller weights than the largest keeps only a few bits of its factor.",
		Do:      "Check the scales of the layer and of its input for a slipped row. If they are right, use per-kernel mode for such a layer, or rescale its filters.",
		Sources: []string{"nvdla/sw#156"}},
	{Code: pathCase, Title: "the table's path has capital letters", Severity: diagnose.Warning,
		Why:     "nvdla_compiler turns the whole value of --calibtable into lower case before it opens the file. On Linux it then reports that the file is not there, or stops at a null file.",
		Do:      "Give the file and its folders lower-case names, or start the compiler in the table's folder.",
		Sources: []string{"nvdla/sw#154", "nvdla/sw: umd/apps/compiler/main.cpp"}},
	{Code: outputPlace, Title: "where the compiler writes", Severity: diagnose.Note,
		Why:     "The loadable is written to the current folder, named after the profile; -o names only the place of wisdom.dir, which must exist and is emptied at the start. Two compilations in one folder overwrite each other.",
		Do:      "Give every compilation a folder of its own.",
		Sources: []string{"nvdla/sw#165", "nvdla/sw#154"}},
	{Code: profileName, Title: "a profile, mode or input format that the compiler does not have", Severity: diagnose.Error,
		Why:     "The compiler knows basic, default, performance and fast-math. Any other name is taken without a word and compiles without merging and fusion. The names do not mean the same accuracy: only fast-math merges BatchNorm and ReLU before int8 rounding.",
		Do:      "Use basic, default, performance or fast-math (and rename the loadable afterwards), per-kernel or per-filter, ncxhwx, nchw or nhwc.",
		Sources: []string{"nvdla/sw: umd/core/src/compiler/Profile.cpp"}},
	{Code: targetName, Title: "an unknown hardware configuration", Severity: diagnose.Error,
		Why:     "The compiler knows nv_full, nv_large and nv_small. The names of its help text (opendla-small) print \"Invalid target config\". A loadable for one configuration does not run on another, and the kernel module must be its own (opendla_1.ko for full, opendla_2.ko for small).",
		Do:      "Use nv_small, nv_large or nv_full.",
		Sources: []string{"nvdla/vp#56", "nvdla/sw#140", "nvdla/sw#184", "nvdla/sw#179"}},
	{Code: refusedLayer, Title: "the compiler or the target refuses a layer", Severity: diagnose.Error,
		Why:     "The compiler stops at the first layer that it cannot take, and often names none. In int8 it has no LRN, Sigmoid, TanH (it programs empty tables, of LRN without failing: the layer writes zeros), no Eltwise MAX or PROD, no deconvolution but of a few kernel sizes (and the driver runs those on nv_full only). All such layers are listed here at once.",
		Do:      "Replace the layer, or run it outside of NVDLA.",
		Sources: []string{"nvdla/sw#202", "nvdla/sw#146", "nvdla/sw#16", "nvdla/sw: CompilerFeatures.md"}},
	{Code: batchSize, Title: "the prototxt declares a batch", Severity: diagnose.Warning,
		Why:     "deploy.prototxt files often declare 10 or 64 pictures. nvdla_compiler takes over the number (\"Overriding input multibatch size\"), the loadable computes that many for each picture, and outputs were seen to differ.",
		Do:      "Set the first dimension of the input to 1.",
		Sources: []string{"nvdla/sw#146"}},
	{Code: noWeights, Title: "not everything was examined", Severity: diagnose.Note,
		Why: "Without the caffemodel nothing is known about factors, means, dead filters and bias bits; without scales nothing about rescaling.",
		Do:  "Give --caffemodel and --table."},
	{Code: badNetwork, Title: "the network's files cannot be read", Severity: diagnose.Error,
		Why: "The prototxt has a mistake or a layer type that bench does not know, or the caffemodel does not fit it. Everything else is examined only after that.",
		Do:  "Correct the line that the message names."},
	{Code: cyclicGraph, Title: "the compiler finds a cycle that is not there", Severity: diagnose.Error,
		Why: "\"Can't resolve a non-acyclic graph\": with per-filter and fast-math it fuses a sum with the convolution before it, and a block whose shortcut feeds that same convolution then waits for itself.",
		Do:  "Use per-kernel, or another profile, or put a second convolution into the branch."},
	{Code: surfaceFormat, Title: "image input into a layer that takes none", Severity: diagnose.Error,
		Why: "\"Proposed surf format is not supported\": with nhwc only a convolution can read the picture. A network that begins with pooling, an inner product or a scale cannot.",
		Do:  "Compile with --informat ncxhwx (or nchw)."},
	{Code: benignMessage, Title: "a message that means nothing", Severity: diagnose.Note,
		Why: "The image surface has four channels where the prototxt has three or one, so channel counts differ on purpose; a convolution whose kernel lines cannot be packed together is computed without; \"Mismatched channel\" of the runtime is the same difference.",
		Do:  "Nothing."},
}

var unexplainedRule = diagnose.Rule{Code: unexplained, Title: "an error that is not explained here", Severity: diagnose.Error,
	Why: "The vendor's tools pass an error up through many functions; the first line of such a group is its cause, the last names the phase of the compilation.",
	Do:  "Read the messages just before it, and examine the network with --prototxt, --caffemodel and --table."}

var runtimeRules = []diagnose.Rule{
	{Code: timeUnit, Title: "the execution time is in microseconds", Severity: diagnose.Note,
		Why:     "nvdla_runtime prints \"execution time = N s\" but N are microseconds; published tables of thousands of hours come from this. It includes the time of printing the kernel's log.",
		Do:      "Divide by 1,000,000, and compare with a clock.",
		Sources: []string{"nvdla/sw#177", "nvdla/sw: umd/apps/runtime/RuntimeTest.cpp"}},
	{Code: emulatedTime, Title: "time in the virtual platform is not the hardware's", Severity: diagnose.Note,
		Why:     "The virtual platform and the C-model are not cycle accurate; int8 has even been seen slower than fp16 there. Hours for a picture are normal.",
		Do:      "Use it for results only; bench nvdla cycles gives a model of the cycles.",
		Sources: []string{"nvdla/vp#33", "nvdla/vp#38", "nvdla/vp#42", "nvdla/vp#69", "nvdla/hw#202"}},
	{Code: staleOutput, Title: "the output may be an old one", Severity: diagnose.Error,
		Why:     "nvdla_runtime always writes output.dimg in the current folder. With an unknown kind of picture it prints \"Unknown image type\" and goes on with an input that was never set, says \"Test pass\" and exits with 0.",
		Do:      "Start it in a fresh folder, and check that two pictures give different scores.",
		Sources: []string{"nvdla/sw#9", "nvdla/sw#44", "JunningWu/Learning-NVDLA-Notes#10"}},
	{Code: pictureFormat, Title: "the picture does not fit the network", Severity: diagnose.Error,
		Why:     "nvdla_runtime reads .jpg and .pgm only, resizes nothing, and takes channels in the order blue, green, red. Larger JPEG files have crashed it.",
		Do:      "Make pictures of exactly the network's size; JPEG with quality 100 and without chroma subsampling.",
		Sources: []string{"nvdla/sw#234", "nvdla/sw#29", "nvdla/sw#21", "nvdla/vp#47"}},
	{Code: serverWords, Title: "the server says OK to failures", Severity: diagnose.Warning,
		Why:     "In server mode nvdla_runtime answers \"[OK] Test FAILED!\" when a run fails.",
		Do:      "Look for the word FAILED, not for [OK].",
		Sources: []string{"nvdla/sw#11", "nvdla/sw: umd/apps/runtime/Server.cpp"}},
}

var arithmeticRules = []diagnose.Rule{
	{Code: sumOverride, Title: "an Eltwise operand gets the other's scale", Severity: diagnose.Warning,
		Why: "SDP adds integers, so both operands must have one scale. If the table gives them two, the compiler overwrites that of the tensor created first (in a residual block the trunk) with the other's, and produces the trunk with it for all of its readers. If it is smaller, the trunk saturates; with the network's input as the operand, its values are misread.",
		Do:  "Give both operands the larger of their scales in the table. In the profiles basic and default nothing is rescaled at all: use fast-math.", Sources: []string{"nvdla/sw: umd/core/src/compiler/engine-ast/EngineGraph.cpp, updateScalingFactors"}},
	{Code: unscaledCopy, Title: "pooling or Concat with another scale than its input", Severity: diagnose.Error,
		Why: "The pooling engine never rescales, and Concat is no operation at all. Their integers are in the input's scale, but later layers read them with the layer's own.",
		Do:  "Give the layer and its inputs one scale. TensorRT's tables do so for pooling, not for Concat."},
	{Code: lostMultiplier, Title: "the compiler loses a multiplier", Severity: diagnose.Error,
		Why: "A convolution without bias in front of a sum or a BatchNorm, per-kernel with fast-math, becomes the first half of a fused operation, into which the compiler writes the constant 1 instead of the factor. The network's output is then the same for every picture.",
		Do:  "Compile per-filter, or give the convolution a bias of zeros. If it reads the picture, ncxhwx helps too."},
	{Code: lostLine, Title: "the compiler loses lines of a kernel", Severity: diagnose.Error,
		Why: "With image input on nv_full and nv_large several kernel lines are stored together; if their number does not fill the entry, they are packed with a wrong stride: LeNet's 5x5 kernels lose line 2 and use line 4 twice.",
		Do:  "Compile with ncxhwx."},
	{Code: lostActivation, Title: "the compiler loses a ReLU", Severity: diagnose.Error,
		Why: "A scale that had taken in the ReLU is folded into the weights, and the ReLU goes with it.",
		Do:  "Give the layer a bias of zeros."},
	{Code: borderAverage, Title: "average pooling counts the padding", Severity: diagnose.Warning,
		Why: "The hardware divides by the full window at the border; Caffe divides by the part inside the picture.",
		Do:  "Avoid padding in average pooling, or expect smaller values at the border."},
	{Code: groupedConv, Title: "group convolution is computed wrongly", Severity: diagnose.Error,
		Why: "The compiler expands the groups with zeros, but quantizes only as many weights as there were before.",
		Do:  "Write the groups out as separate convolutions, or use groups of 1."},
	{Code: driverLimit, Title: "the driver refuses the operation", Severity: diagnose.Error,
		Why: "The compiler accepts pooling windows above 8x8; the driver refuses them when the loadable runs.",
		Do:  "Use two poolings in a row, or a convolution."},
	{Code: unaligned, Title: "Concat of channels that are no multiple of an atom", Severity: diagnose.Error,
		Why: "Tensors are joined by placing them side by side in memory, which keeps 8 (nv_small) or 32 channels together. A part with another number shifts all behind it.",
		Do:  "Pad the channels of each part to the multiple."},
	{Code: ignoredParam, Title: "a parameter is not read", Severity: diagnose.Warning,
		Why: "negative_slope, coeff, round_mode and unknown fields have no effect in the compiler, or in any runtime.",
		Do:  "Express it by other layers, or take it out."},
	{Code: deadFilters, Title: "filters of (nearly) zero weights", Severity: diagnose.Warning,
		Why: "BatchNorm factors driven to zero by weight decay leave filters that are 1e-7 of the others. In per-filter mode such a filter's weight scale is as small, so its bias, counted in units of it, becomes enormous; the shift of the biases is one for all channels, and the low bits of every other channel's bias are cut off.",
		Do:  "Remove the filters, or set their weights and biases to zero and raise the weight scale, or compile per-kernel."},
	{Code: biasBits, Title: "biases lose their low bits", Severity: diagnose.Warning,
		Why: "Biases are stored as 16 bits and one left shift for the layer, at most 16. The largest bias, in units of input scale times weight scale, sets it. If one step of the stored bias is more than one step of the output, every channel is off by a constant.",
		Do:  "Look for dead filters (NV141) and for a weight or input scale that is far too small; or compile per-kernel."},
}
