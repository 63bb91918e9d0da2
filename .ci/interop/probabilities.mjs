// probabilities.mjs JOBS: for each of JOBS, a JSON array of {"model": .., "lora": .. or null, "tokens": [..]}, evaluates the tokens in llama.cpp and
// prints a line: for each position the probabilities of all next tokens, by token.
import path from "node:path";
const {getLlama, LlamaLogLevel} = await import(path.join(process.env.LORATOOL_NPM, "node_modules/node-llama-cpp/dist/index.js"));

const llama = await getLlama({gpu: false, build: "never", logLevel: LlamaLogLevel.error, progressLogs: false});
for (const {model: modelPath, lora, tokens} of JSON.parse(process.argv[2])) {
    const model = await llama.loadModel({modelPath});
    const context = await model.createContext({contextSize: 64, batchSize: 64, threads: 1, ...(lora ? {lora} : {})});
    const results = await context.getSequence().controlledEvaluate(tokens.map((t) => [t, {generateNext: {probabilities: true}}]));
    console.log(JSON.stringify(results.map((r) => Object.fromEntries(r.next.probabilities))));
    await context.dispose();
    await model.dispose();
}
await llama.dispose();
