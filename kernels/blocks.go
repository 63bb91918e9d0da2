package kernels

import "fmt"

// A block quantizer divides rows into blocks of blockLen values and stores each
// in blockSize bytes. All of them share their conventions:
//
//   - src holds whole rows of rowLen values, a multiple of the block length, one
//     after the other; dst receives the blocks in the same order.
//   - weights is nil or holds the importance of each of the rowLen columns, the
//     mean square of the activations that meet it ("imatrix"). With weights the
//     quantizers search for the scales that make the weighted square error small;
//     that is another algorithm, not the same one with unit weights.
//   - The bytes are those of llama.cpp's reference quantizers (ggml-quants.c,
//     quantize_TYPE) as built for x86-64: IEEE 754 float32 in source order, every
//     product rounded before it is added.
//   - NaNs and infinities give blocks that mean nothing, the same ones on every
//     machine. Check for them first.
//
// They panic if the lengths don't fit together.

func checkQuantize(name string, dst []byte, src []float32, rowLen int, weights []float32, blockLen, blockSize int) {
	switch {
	case rowLen <= 0 || rowLen%blockLen != 0:
		panic(fmt.Sprintf("kernels: %s of rows of %d values, not a multiple of %d", name, rowLen, blockLen))
	case len(src)%rowLen != 0:
		panic(fmt.Sprintf("kernels: %s of %d values, not whole rows of %d", name, len(src), rowLen))
	case len(dst) != len(src)/blockLen*blockSize:
		panic(fmt.Sprintf("kernels: %s of %d values into %d bytes, want %d", name, len(src), len(dst), len(src)/blockLen*blockSize))
	case weights != nil && len(weights) != rowLen:
		panic(fmt.Sprintf("kernels: %s of rows of %d values with %d weights", name, rowLen, len(weights)))
	}
}

func checkDequantize(name string, dst []float32, src []byte, blockLen, blockSize int) {
	if len(dst)%blockLen != 0 || len(src) != len(dst)/blockLen*blockSize {
		panic(fmt.Sprintf("kernels: %s of %d bytes into %d values, not blocks of %d bytes and %d values",
			name, len(src), len(dst), blockSize, blockLen))
	}
}

// blockWeights returns the part of weights for the block that starts at src[i],
// or nil if there are none.
func blockWeights(weights []float32, i, rowLen, blockLen int) []float32 {
	if weights == nil {
		return nil
	}
	c := i % rowLen
	return weights[c : c+blockLen]
}
