// Package strictjson reads and writes JSON as model files need it: the headers
// and configurations of checkpoints are untrusted, their duplicate keys are
// attacks, the order of their keys can carry meaning (PEFT's rank_pattern), and
// a configuration that is brought up to date should differ in nothing but what
// changed.
//
// Unlike encoding/json it refuses duplicate keys, invalid UTF-8, lone
// surrogates, leading and trailing text and deep nesting; it keeps the order of
// keys and the spelling of numbers; and its errors carry the byte.
//
// Python's json module writes NaN, Infinity and -Infinity for such numbers.
// They are accepted where a configuration may hold them, see [ParsePython].
package strictjson
