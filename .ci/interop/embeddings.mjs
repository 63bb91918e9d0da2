// embeddings.mjs JOBS: for each of JOBS, a JSON array of {"model": .., "tokens": [..]}, prints the vector that llama.cpp makes of the tokens,
// pooled as the file says, on a line.
import path from "node:path";
const {getLlama, LlamaLogLevel} = await import(path.join(process.env.LORATOOL_NPM, "node_modules/node-llama-cpp/dist/index.js"));

const llama = await getLlama({gpu: false, build: "never", logLevel: LlamaLogLevel.error, progressLogs: false});
for (const {model: modelPath, tokens} of JSON.parse(process.argv[2])) {
    const model = await llama.loadModel({modelPath});
    const context = await model.createEmbeddingContext({contextSize: 64, batchSize: 64, threads: 1});
    console.log(JSON.stringify((await context.getEmbeddingFor(tokens)).vector));
    await context.dispose();
    await model.dispose();
}
await llama.dispose();
