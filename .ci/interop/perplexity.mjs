// perplexity.mjs MODEL...: loads each GGUF model in llama.cpp and prints {"perplexity": .., "tokens": .., "sum": ..} for a fixed text,
// a line each. "sum" adds up the probabilities of the tokens with all their digits, so that equal files show as equal.
import path from "node:path";
const {getLlama, LlamaLogLevel} = await import(path.join(process.env.LORATOOL_NPM, "node_modules/node-llama-cpp/dist/index.js"));

const text = `The sun is a star at the centre of the solar system. It is a massive, nearly perfect sphere of hot plasma, heated by nuclear
fusion in its core, which radiates energy from its surface mainly as visible light and infrared radiation. The Earth moves around the sun
once a year, and the moon moves around the Earth once a month. Water covers most of the surface of the Earth, and it is blue when it is seen
from far away. People have lived on all continents for thousands of years, and they have built cities, roads and bridges. In the morning the
sun rises in the east, and in the evening it sets in the west. A child asked her mother why the sky is blue, and her mother said that the
light of the sun is scattered by the air, and that blue light is scattered more than red light.`;

const llama = await getLlama({gpu: false, build: "never", logLevel: LlamaLogLevel.error, progressLogs: false});
for (const modelPath of process.argv.slice(2)) {
    const model = await llama.loadModel({modelPath});
    const context = await model.createContext({contextSize: 512, batchSize: 512, threads: 2});
    const tokens = model.tokenize(text);
    const results = await context.getSequence().controlledEvaluate(tokens.map((t) => [t, {generateNext: {probabilities: true}}]));
    let nll = 0, sum = 0, n = 0;
    for (let i = 0; i + 1 < tokens.length; i++) {
        const p = results[i].next.probabilities.get(tokens[i + 1]) ?? 0;
        nll -= Math.log(Math.max(p, 1e-12));
        sum += p;
        n++;
    }
    console.log(JSON.stringify({perplexity: Math.exp(nll / n), tokens: n, sum}));
    await context.dispose();
    await model.dispose();
}
await llama.dispose();
