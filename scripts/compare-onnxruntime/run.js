// usage: node run.js MODEL INPUT BATCH SECONDS
//
// Runs an ONNX model with ONNX Runtime on one thread, on copies of the picture
// in INPUT (float32), and prints a JSON object: the scores of the picture, and
// pictures a second and a CPU-second.
const fs = require('fs');
const ort = require('onnxruntime-node');

async function main() {
  const [model, input, batchText, secondsText] = process.argv.slice(2);
  const batch = Number(batchText);
  const session = await ort.InferenceSession.create(model, {
    intraOpNumThreads: 1, interOpNumThreads: 1, graphOptimizationLevel: 'all', executionMode: 'sequential', logSeverityLevel: 3,
  });
  const { shape, values } = JSON.parse(fs.readFileSync(input));
  const size = shape.reduce((a, b) => a * b, 1);
  const data = new Float32Array(batch * size);
  for (let i = 0; i < batch; i++) data.set(values, i * size);
  const feeds = { [session.inputNames[0]]: new ort.Tensor('float32', data, [batch, ...shape]) };
  const first = await session.run(feeds);
  await session.run(feeds);

  const calls = [];
  const cpu = process.cpuUsage();
  const start = process.hrtime.bigint();
  const end = start + BigInt(Math.round(Number(secondsText) * 1e9));
  let last = start;
  while (last < end) {
    await session.run(feeds);
    const now = process.hrtime.bigint();
    calls.push(Number(now - last));
    last = now;
  }
  const used = process.cpuUsage(cpu);
  const images = calls.length * batch;
  calls.sort((a, b) => a - b);
  const scores = first[session.outputNames[0]].data;
  console.log(JSON.stringify({
    images_per_second: images / (Number(last - start) / 1e9),
    images_per_cpu_second: images / ((used.user + used.system) / 1e6),
    call_milliseconds: calls[calls.length >> 1] / 1e6,
    scores: Array.from(scores.slice(0, scores.length / batch)),
  }));
}

main();
