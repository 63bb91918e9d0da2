package transform

import (
	"context"
	"math"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/transform/lowrank"
)

// A job is one matrix to be factored: a layer, or one expert of it.
type job struct {
	layer  *layer
	delta  *delta
	expert int

	held    *lowrank.Held // the delta, while it is decomposed, if there is room for it
	room    []float32     // where it is
	survey  survey
	edge    float64 // of the noise; 0 if the weights are weighted
	weights []float32
	dec     *lowrank.Decomposition
	kept    *spooledMatrix // the decomposition's vectors, while they wait

	rank   int            // that was chosen
	left   *spooledMatrix // factors as they are stored
	right  *spooledMatrix
	result *lowrank.Factors
}

func (d *delta) bytes() int64 {
	return int64(d.rows*d.per) * (d.base.RowBytes() + d.tuned.RowBytes())
}

func (j *job) memory(o *ExtractOptions) int64 {
	// Reading a panel takes the base's floats and the raw bytes besides.
	const reading = 3 << 22
	n := o.goal(0).Memory(j.delta.rows, j.delta.cols) + reading
	if j.holds(o) {
		n += 4 * int64(j.heldFloats())
	}
	return n
}

// holds reports whether the delta is held in memory: forming it for every step
// takes about as long as the step.
func (j *job) holds(o *ExtractOptions) bool {
	return 4*int64(j.heldFloats()) <= o.memory()/int64(2*o.workers())
}

func (j *job) heldFloats() int { return lowrank.HeldFloats(j.delta.rows, j.delta.cols) }

// rooms are the buffers in which deltas are held, one for each worker at most. They
// are too large to be left to the garbage collector.
type rooms struct {
	size int
	free chan []float32
}

// newRooms returns rooms for the largest of the jobs that hold their deltas.
func newRooms(jobs []*job, o *ExtractOptions) *rooms {
	r := &rooms{free: make(chan []float32, o.workers())}
	for _, j := range jobs {
		if j.holds(o) {
			r.size = max(r.size, j.heldFloats())
		}
	}
	return r
}

func (r *rooms) take() []float32 {
	select {
	case room := <-r.free:
		return room
	default:
		return make([]float32, r.size)
	}
}

// plain returns the delta, from memory if it is there.
func (j *job) plain() lowrank.Matrix {
	if j.held != nil {
		return j.held
	}
	return j.delta
}

// matrix returns what is decomposed.
func (j *job) matrix() lowrank.Matrix {
	if j.weights == nil {
		return j.plain()
	}
	return &lowrank.Weighted{Matrix: j.plain(), Weights: j.weights}
}

// decompose reads the delta as often as it takes. If keep is set the vectors go
// to the spool.
func (j *job) decompose(ctx context.Context, x *extraction, keep bool) error {
	var err error
	if j.holds(x.o) {
		j.room = x.rooms.take()
		j.held = lowrank.NewHeld(j.delta.rows, j.delta.cols, j.room)
	}
	if j.survey, err = j.delta.survey(ctx, x.team, j.held); err != nil {
		return err
	}
	if j.survey.delta2 == 0 {
		return nil
	}
	norm2 := j.survey.delta2
	if err := j.weigh(ctx, x.o); err != nil {
		return err
	}
	if j.weights == nil {
		if j.edge, err = j.delta.noiseEdge(ctx); err != nil {
			return err
		}
	} else {
		norm2 = 0 // of the weighted matrix, which is yet to be found
	}
	goal := x.o.goal(j.edge)
	j.dec, err = lowrank.Decompose(ctx, j.matrix(), x.team, lowrank.Options{
		Name: j.delta.name, Goal: goal, Tolerance: x.o.Tolerance, Norm2: norm2})
	if err != nil {
		return j.layer.tuned.Error(err)
	}
	j.rank = j.dec.Rank
	if x.spool != nil && (keep || j.layer.kind == expertsLayer) {
		return j.keepVectors(x.spool)
	}
	return nil
}

// weigh reads the importance of the inputs, if there is one for this matrix. A
// Weight is the square root, kept from zero so that it can be divided by.
func (j *job) weigh(ctx context.Context, o *ExtractOptions) error {
	if o.Importance == nil || j.layer.transposed || j.layer.kind == convLayer {
		return nil
	}
	experts := len(j.layer.matrices)
	x, err := o.Importance(ctx, j.layer.tensor, j.expert, experts, j.delta.cols)
	if err != nil || x == nil {
		return err
	}
	var most float32
	for _, v := range x {
		most = max(most, v)
	}
	j.weights = make([]float32, len(x))
	for i, v := range x {
		j.weights[i] = float32(math.Sqrt(max(float64(v/most), 1e-6)))
	}
	return nil
}

// keepVectors moves the decomposition's vectors to the spool.
func (j *job) keepVectors(s *spool) error {
	n := len(j.dec.Vectors)
	if n == 0 {
		return nil
	}
	offset, err := s.reserve(int64(4 * n))
	if err != nil {
		return err
	}
	j.kept = &spooledMatrix{spool: s, offset: offset, dtype: formats.F32, rows: 1, cols: n, width: n}
	err = j.kept.WriteFloats(j.dec.Vectors, 0, 1)
	j.dec.ForgetVectors()
	return err
}

// reserve gives the factors of a layer's matrices, which have one rank in the
// end, their places.
func (x *extraction) reserve(l *layer, jobs []*job) error {
	rank := 0
	for _, j := range jobs {
		rank = max(rank, j.rank)
	}
	if rank == 0 {
		return nil
	}
	d := l.matrices[0]
	size := int64(x.dtype.BlockBytes())
	leftBytes, rightBytes := size*int64(d.rows)*int64(rank), size*int64(rank)*int64(d.cols)
	left, err := x.spool.reserve(leftBytes * int64(len(jobs)))
	if err != nil {
		return err
	}
	right, err := x.spool.reserve(rightBytes * int64(len(jobs)))
	if err != nil {
		return err
	}
	for i, j := range jobs {
		columns := 0
		if j.dec != nil {
			columns = min(j.rank, j.dec.Rank)
		}
		j.rank = rank
		j.left = &spooledMatrix{spool: x.spool, offset: left + int64(i)*leftBytes, dtype: x.dtype,
			rows: d.rows, cols: columns, width: rank, transposed: l.transposed}
		j.right = &spooledMatrix{spool: x.spool, offset: right + int64(i)*rightBytes, dtype: x.dtype,
			rows: columns, cols: d.cols, width: d.cols}
		if l.transposed { // stored [cols, rank]
			j.right = &spooledMatrix{spool: x.spool, offset: right + int64(i)*rightBytes, dtype: x.dtype,
				rows: d.cols, cols: columns, width: rank}
		}
	}
	return nil
}

// factor makes the factors and stores them, with zeros where the common rank is
// more than this matrix has.
func (j *job) factor(ctx context.Context, x *extraction) error {
	if j.left == nil || j.left.cols == 0 {
		return nil
	}
	if j.kept != nil {
		j.dec.Vectors = make([]float32, j.kept.cols)
		if err := j.kept.ReadFloats(ctx, j.dec.Vectors, 0, 1); err != nil {
			return err
		}
	}
	share := x.o.LeftShare
	if j.layer.transposed {
		share = 1 - share // the left factor is A's
	}
	var err error
	j.result, err = j.dec.Factor(ctx, j.matrix(), x.team, lowrank.FactorOptions{
		Rank: j.left.cols, LeftShare: share, Left: j.left, Round: j.storeRight,
		Weights: j.weights, Plain: j.plain()})
	if err != nil {
		return j.layer.tuned.Error(err)
	}
	j.dec.ForgetVectors()
	j.result.Right = nil
	return nil
}

// storeRight stores the right factor and rounds it on the way.
func (j *job) storeRight(r []float32) error {
	if !j.layer.transposed {
		return j.right.WriteFloats(r, 0, j.right.rows)
	}
	rank, cols := j.left.cols, j.delta.cols
	t := transpose(r, rank, cols)
	defer formats.ReturnFloats(t)
	if err := j.right.WriteFloats(t, 0, cols); err != nil {
		return err
	}
	back := transpose(t, cols, rank)
	defer formats.ReturnFloats(back)
	copy(r, back)
	return nil
}
