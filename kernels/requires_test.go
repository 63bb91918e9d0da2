package kernels

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestRequires holds the instruction sets that the generator says a function of
// assembly needs, in the comment before it, against those that useAVX2 and useAVX512
// promise to the functions of that name.
func TestRequires(t *testing.T) {
	always := "CMOV MMX+ SSE SSE2" // every amd64 CPU; MMX+ is PREFETCHT0
	avx2 := always + " AVX AVX2 FMA3 F16C BMI BMI2"
	promised := map[string]string{"AVX2": avx2, "AVX512": avx2 + " AVX512F AVX512BW AVX512DQ AVX512VL AVX512CD"}
	function := regexp.MustCompile(`(?m)^// Requires: (.*)\nTEXT ·(\w+?)(AVX2|AVX512)\(SB\)`)
	files, err := filepath.Glob("*_amd64.s")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range function.FindAllStringSubmatch(string(text), -1) {
			n++
			for need := range strings.SplitSeq(m[1], ", ") {
				if !strings.Contains(" "+promised[m[3]]+" ", " "+need+" ") {
					t.Errorf("%s: %s%s requires %s, which its dispatch does not check", file, m[2], m[3], need)
				}
			}
		}
		if rest := strings.Count(string(text), "\nTEXT ") - len(function.FindAllString(string(text), -1)); rest != 0 {
			t.Errorf("%s: %d functions that are named after no instruction set", file, rest)
		}
	}
	if n == 0 {
		t.Fatal("no assembly found")
	}
}
