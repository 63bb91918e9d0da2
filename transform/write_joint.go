package transform

import (
	"context"

	"github.com/loratool/loratool/formats"
)

// A placedJoint is tensors that are computed together, with their places in a layout:
// none for what the layout leaves out.
type placedJoint struct {
	*formats.Joint
	places  []jointPlace
	divided bool // into blocks, with the first of its tensors
}

type jointPlace struct {
	index  int // in the joint
	file   int
	offset int64
}

// placeJoints finds the places of all tensors that are computed together.
func placeJoints(l *formats.Layout) map[*formats.Joint]*placedJoint {
	joints := map[*formats.Joint]*placedJoint{}
	for i := range l.Files {
		for _, p := range l.Files[i].Tensors {
			j, index := p.Tensor.Joint()
			if j == nil {
				continue
			}
			if joints[j] == nil {
				joints[j] = &placedJoint{Joint: j}
			}
			joints[j].places = append(joints[j].places, jointPlace{index, i, p.Offset})
		}
	}
	return joints
}

// size returns how much output the pieces [lo, hi) are.
func (j *placedJoint) size(lo, hi int) (n int64) {
	for _, p := range j.places {
		from, to := j.Range(p.index, lo, hi)
		n += to - from
	}
	return n
}

// write computes the pieces [lo, hi) once, and writes them to all places.
func (j *placedJoint) write(ctx context.Context, l *formats.Layout, out *formats.Output, lo, hi int) error {
	buf := formats.BorrowBytes(int(j.NumBytes(lo, hi)))
	defer formats.ReturnBytes(buf)
	data, err := j.Read(ctx, buf, lo, hi)
	if err != nil {
		return err
	}
	for _, p := range j.places {
		from, to := j.Range(p.index, lo, hi)
		if _, err := out.File(p.file).WriteAt(data[p.index], p.offset+from); err != nil {
			return out.Error(&l.Files[p.file], err)
		}
		out.Written(p.file, p.offset+from, to-from)
	}
	return nil
}
