package torch_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/formats/formatstest"
	"github.com/loratool/loratool/formats/torch"
)

const testdata = "../../testdata/torch"

// expectation is what testdata/torch/make.py says of a tensor.
type expectation struct {
	DType  string `json:"dtype"`
	Shape  []int  `json:"shape"`
	SHA256 string `json:"sha256"`
}

func expectations(t testing.TB) map[string]map[string]expectation {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(testdata, "expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	var e struct {
		Files map[string]map[string]expectation `json:"files"`
	}
	if err := json.Unmarshal(text, &e); err != nil {
		t.Fatal(err)
	}
	return e.Files
}

func open(t testing.TB, path string) *formats.Model {
	t.Helper()
	m, err := formats.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// TestReadsWhatTorchWrites compares every tensor with what torch.load gave.
func TestReadsWhatTorchWrites(t *testing.T) {
	for name, want := range expectations(t) {
		t.Run(name, func(t *testing.T) {
			m := open(t, filepath.Join(testdata, name))
			if m.Format != "torch" {
				t.Errorf("format %q", m.Format)
			}
			formatstest.Check(t, m)
			for tensor, w := range want {
				x := m.Tensor(tensor)
				if x == nil {
					t.Errorf("%q is missing", tensor)
					continue
				}
				b := make([]byte, x.NumBytes())
				if err := x.ReadRows(context.Background(), b, 0, x.NumRows()); err != nil {
					t.Error(err)
				}
				sum := sha256.Sum256(b)
				if x.DType.String() != w.DType || !slices.Equal(x.Shape, w.Shape) || hex.EncodeToString(sum[:]) != w.SHA256 {
					t.Errorf("%q is %v with digest %x, want %v %v with digest %s", tensor, &x.Info, sum, w.DType, w.Shape, w.SHA256)
				}
			}
			for _, x := range m.Tensors {
				if _, ok := want[x.Name]; !ok {
					t.Errorf("%q is not in the checkpoint", x.Name)
				}
			}
			if err := torch.Verify(context.Background(), m.Inputs[0]); err != nil {
				t.Errorf("Verify: %v", err)
			}
		})
	}
}

// TestContiguousTensorsStayInTheFile makes sure that what can be copied as bytes
// is not gathered.
func TestContiguousTensorsStayInTheFile(t *testing.T) {
	m := open(t, filepath.Join(testdata, "views.pt"))
	for name, want := range map[string]bool{
		"whole": true, "rows": true, "one_row": true,
		"transposed": false, "columns": false, "every_other": false, "column": false, "expanded": false,
		"channels_last": false, "reversed_axes": false, "diagonal": false,
	} {
		if got := m.Tensor(name).Extent() != nil; got != want {
			t.Errorf("%q lies in the file as it is: %v, want %v", name, got, want)
		}
	}
}

func TestTiedTensorsShareTheirBytes(t *testing.T) {
	m := open(t, filepath.Join(testdata, "module.pt"))
	a, b := m.Tensor("embed.weight").Extent(), m.Tensor("head.weight").Extent()
	if a.Offset != b.Offset || a.Size != b.Size {
		t.Errorf("embed.weight at %d, head.weight at %d", a.Offset, b.Offset)
	}
}

// TestSaysWhichStateDict checks the choice among the entries of a training
// checkpoint, and that what is passed over is named.
func TestSaysWhichStateDict(t *testing.T) {
	for name, want := range map[string]formats.Metadata{
		"training.pt":  {{Key: "torch.state_dict", Value: "state_dict"}, {Key: "torch.left_out", Value: "optimizer_states"}},
		"nested.pt":    {{Key: "torch.state_dict", Value: "model"}},
		"two_parts.pt": nil, // "discriminator" is no training state: both parts are read
		"module.pt":    nil,
	} {
		if got := open(t, filepath.Join(testdata, name)).Metadata; !slices.Equal(got, want) {
			t.Errorf("%s has metadata %v, want %v", name, got, want)
		}
	}
}

// TestRefusesWhatModelFilesCannotHold opens valid checkpoints.
func TestRefusesWhatModelFilesCannotHold(t *testing.T) {
	for name, reason := range map[string]string{
		"refused_quantized.pt":  "quantized tensor",
		"refused_sparse.pt":     "sparse tensor",
		"refused_complex128.pt": "torch.complex128",
		"refused_meta.pt":       "meta device",
		"refused_conjugated.pt": "conjugated",
		"refused_tensor.pt":     "is a tensor, not a state dict",
		"refused_model.pt":      `"__main__.Tiny"`,
		"refused_script.pt":     "TorchScript",
	} {
		path := filepath.Join(testdata, name)
		_, err := formats.Open(path)
		if !errors.Is(err, formats.ErrUnsupported) || !strings.Contains(err.Error(), reason) || !strings.HasPrefix(err.Error(), path) {
			t.Errorf("%s: error %v, want one that says %q", name, err, reason)
		}
	}
}

func verify(data []byte) error {
	return torch.Verify(context.Background(), formats.NewFile(bytes.NewReader(data), int64(len(data)), "rot.pt"))
}
