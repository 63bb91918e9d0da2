// Package asm generates the amd64 assembly of package kernels with avo. It is a
// module of its own, so that avo is no dependency of loratool. Every directory is
// the program of one family of kernels; simd has what they share.
//
// To regenerate everything: cd kernels/_asm && go generate
package asm

//go:generate go run ./convert -pkg kernels -out ../convert_amd64.s -stubs ../convert_stubs_amd64.go
//go:generate go run ./vector -pkg kernels -out ../vector_amd64.s -stubs ../vector_stubs_amd64.go
//go:generate go run ./check -pkg kernels -out ../check_amd64.s -stubs ../check_stubs_amd64.go
//go:generate go run ./dot -pkg kernels -out ../dot_amd64.s -stubs ../dot_stubs_amd64.go
//go:generate go run ./wide -pkg kernels -out ../wide_amd64.s -stubs ../wide_stubs_amd64.go
//go:generate go run ./gemm -pkg kernels -out ../gemm_amd64.s -stubs ../gemm_stubs_amd64.go
//go:generate go run ./peak -pkg kernels -out ../peak_amd64.s -stubs ../peak_stubs_amd64.go
//go:generate go run ./quant -pkg kernels -out ../quant_amd64.s -stubs ../quant_stubs_amd64.go
//go:generate go run ./grid -pkg kernels -out ../grid_amd64.s -stubs ../grid_stubs_amd64.go
//go:generate go run ./split -pkg kernels -out ../split_amd64.s -stubs ../split_stubs_amd64.go
//go:generate go run ./fp4 -pkg kernels -out ../fp4_amd64.s -stubs ../fp4_stubs_amd64.go
//go:generate go run ./levels -pkg kernels -out ../levels_amd64.s -stubs ../levels_stubs_amd64.go
//go:generate go run ./ternary -pkg kernels -out ../ternary_amd64.s -stubs ../ternary_stubs_amd64.go
