package transform

import (
	"cmp"
	"context"
	"errors"
	"regexp"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"github.com/loratool/loratool/formats"
	"github.com/loratool/loratool/transform/lowrank"
	"github.com/loratool/loratool/transform/shrink"
)

// ExtractOptions say how well a fine-tune is to be described, and how. Exactly
// one of Rank, Energy, Error, Budget and AutoRank is set.
type ExtractOptions struct {
	Rank     int     // of every layer
	Energy   float64 // the smallest rank of each layer that keeps this share of ‖Δ‖²
	Error    float64 // the smallest rank of each layer whose relative error ‖Δ − BA‖/‖Δ‖ is at most this
	Budget   int64   // bytes of the adapter's weights, spent where they keep the most energy
	AutoRank bool    // as many as there are singular values above the noise that rounding the fine-tuned weights made

	MaxRank int  // of any layer, unless Rank is set; 0 for DefaultMaxRank
	Uniform bool // one rank for all layers, the largest that any needs, or the largest within the budget

	Include, Exclude *regexp.Regexp // of tensor names; nil for all, and for none
	SaveModules      []string       // modules to save in full; names, or what they end in

	DType     formats.DType // of the factors: F32, BF16 or F16; 0 for the base's
	LeftShare float64       // share of the singular values that goes to B: 0, 0.5 or 1
	Tolerance float64       // see lowrank.Options; 0 for its default

	// Importance returns the mean square of each input of a weight, or of an expert
	// of it, to weigh errors by; nil if it has none. May be nil itself.
	Importance func(ctx context.Context, tensor string, expert, experts, inputs int) ([]float32, error)

	BaseName string // what the adapter calls its base; "" for the path of the base
	TempDir  string // of temporary files; "" for the system's

	Options
}

// DefaultMaxRank is the rank that no layer exceeds unless the options say so.
const DefaultMaxRank = 256

func (o *ExtractOptions) maxRank() int {
	if o.MaxRank == 0 {
		return DefaultMaxRank
	}
	return o.MaxRank
}

// check returns an error if the options contradict each other.
func (o *ExtractOptions) check() error {
	n := 0
	for _, set := range []bool{o.Rank != 0, o.Energy != 0, o.Error != 0, o.Budget != 0, o.AutoRank} {
		if set {
			n++
		}
	}
	switch {
	case n != 1:
		return errors.New("transform: one of Rank, Energy, Error, Budget and AutoRank must be set")
	case o.Rank < 0 || o.MaxRank < 0 || o.Budget < 0:
		return errors.New("transform: a rank or a budget is negative")
	case o.Energy < 0 || o.Energy > 1 || o.Error < 0 || o.Error > 1:
		return errors.New("transform: Energy and Error are shares, from 0 to 1")
	}
	return nil
}

// goal returns what a matrix is decomposed for. edge is the noise edge.
func (o *ExtractOptions) goal(edge float64) lowrank.Goal {
	switch {
	case o.Rank > 0:
		return lowrank.Goal{Rank: o.Rank}
	case o.Energy > 0:
		return lowrank.Goal{Energy: o.Energy, Max: o.maxRank()}
	case o.Error > 0:
		return lowrank.Goal{Energy: 1 - o.Error*o.Error, Max: o.maxRank()}
	case o.AutoRank:
		return lowrank.Goal{Floor: noiseMargin * edge, Max: o.maxRank()}
	}
	return lowrank.Goal{Rank: o.maxRank()}
}

// noiseMargin is by how much a singular value must exceed the predicted edge of
// the noise to count: the prediction is within two percent.
const noiseMargin = 1.05

// An Extraction is a PEFT adapter that has been computed and can be written, with
// [Write] and its layout. Close removes what it keeps in a temporary file.
type Extraction struct {
	Layout *formats.Layout
	Report *ExtractReport

	spool *spool
}

// Close frees what the layout's tensors are read from.
func (e *Extraction) Close() error { return e.spool.Close() }

// Extract describes what fine-tuning changed by a LoRA adapter in PEFT's format:
// for each changed matrix factors B·A near finetuned − base, with the scale
// alpha/r at 1, and for everything else that changed its new values in full. The
// difference is formed in float32 row by row, as often as the iteration of
// [lowrank.Decompose] asks for it.
//
// Models that can't be a fine-tune and its base are an error wrapping
// [formats.ErrMismatch].
func Extract(ctx context.Context, base, tuned *formats.Model, o ExtractOptions) (*Extraction, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	p, err := pairModels(base, tuned, &o)
	if err != nil {
		return nil, err
	}
	s, err := newSpool(o.TempDir)
	if err != nil {
		return nil, err
	}
	x := &extraction{modelPair: p, o: &o, spool: s, team: lowrank.NewTeam(o.workers())}
	x.dtype = o.DType
	if x.dtype == formats.Invalid {
		x.dtype = factorDType(p)
	}
	out, err := x.run(ctx)
	if err != nil {
		s.Close()
		return nil, err
	}
	return out, nil
}

// factorDType returns the number format of most of the base's matrices, if it is
// one for factors, and otherwise F32.
func factorDType(p *modelPair) formats.DType {
	count := map[formats.DType]int{}
	for _, l := range p.layers {
		count[cmp.Or(shrink.ComputeDType(l.base), l.base.DType)]++
	}
	best := formats.F32
	for _, d := range []formats.DType{formats.BF16, formats.F16} {
		if count[d] > count[best] {
			best = d
		}
	}
	return best
}

// An extraction is one being computed.
type extraction struct {
	*modelPair
	o     *ExtractOptions
	spool *spool
	team  *lowrank.Team
	dtype formats.DType // of the factors

	jobs    []*job
	rooms   *rooms
	changed []*formats.Tensor // of the vectors and the whole ones
	same    []string          // names of tensors that did not change
}

// run decomposes all matrices, settles the ranks, and makes the factors.
func (x *extraction) run(ctx context.Context) (*Extraction, error) {
	if err := x.compareVectors(ctx); err != nil {
		return nil, err
	}
	total := x.makeJobs()
	later := x.ranksDependOnOthers()
	report := reporter(total, x.o.Progress)
	err := x.each(ctx, func(ctx context.Context, j *job) error {
		if err := j.decompose(ctx, x, later); err != nil {
			return err
		}
		if !later && j.layer.kind != expertsLayer {
			if err := x.reserve(j.layer, []*job{j}); err != nil {
				return err
			}
			if err := j.factor(ctx, x); err != nil {
				return err
			}
		}
		report(j.delta.bytes(), j.layer.tensor)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if later {
		if err := x.settleRanks(); err != nil {
			return nil, err
		}
	}
	if err := x.factorRest(ctx, later); err != nil {
		return nil, err
	}
	return x.finish(ctx)
}

// makeJobs makes a job of every matrix, and returns what they read at a time.
func (x *extraction) makeJobs() (bytes int64) {
	for _, l := range x.layers {
		for i, d := range l.matrices {
			x.jobs = append(x.jobs, &job{layer: l, delta: d, expert: i})
			bytes += d.bytes()
		}
	}
	x.rooms = newRooms(x.jobs, x.o)
	return bytes
}

// leaveRoom ends that a job's delta is held.
func (x *extraction) leaveRoom(j *job) {
	if j.held != nil {
		x.rooms.free <- j.room
		j.held, j.room = nil, nil
	}
}

// factorRest makes the factors of the layers whose ranks had to wait.
func (x *extraction) factorRest(ctx context.Context, all bool) error {
	wait := map[*job]bool{}
	for _, l := range x.layers {
		if !all && l.kind != expertsLayer {
			continue
		}
		jobs := x.jobsOf(l)
		for _, j := range jobs {
			wait[j] = true
		}
		if err := x.reserve(l, jobs); err != nil {
			return err
		}
	}
	return x.each(ctx, func(ctx context.Context, j *job) error {
		if !wait[j] {
			return nil
		}
		return j.factor(ctx, x)
	})
}

func (x *extraction) jobsOf(l *layer) (jobs []*job) {
	for _, j := range x.jobs {
		if j.layer == l {
			jobs = append(jobs, j)
		}
	}
	return jobs
}

// each calls f for all jobs, as many at a time as there are workers and memory.
func (x *extraction) each(ctx context.Context, f func(ctx context.Context, j *job) error) error {
	g, gctx := errgroup.WithContext(ctx)
	memory := x.o.memory()
	budget := semaphore.NewWeighted(memory)
	x.team.Leave()
	defer x.team.Join()
	g.SetLimit(x.o.workers())
	for _, j := range x.jobs {
		cost := min(j.memory(x.o), memory)
		if budget.Acquire(gctx, cost) != nil {
			break // gctx is done, and Wait says why
		}
		g.Go(func() error {
			defer budget.Release(cost)
			x.team.Join()
			defer x.team.Leave()
			defer x.leaveRoom(j)
			return f(gctx, j)
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return ctx.Err()
}

// compareVectors finds out which tensors changed among those that no factors
// describe.
func (x *extraction) compareVectors(ctx context.Context) error {
	for _, list := range [][]*formats.Tensor{x.vectors, x.whole} {
		for _, t := range list {
			same, err := sameValues(ctx, x.base.Tensor(t.Name), t)
			if err != nil {
				return err
			}
			if same {
				x.same = append(x.same, t.Name)
			} else {
				x.changed = append(x.changed, t)
			}
		}
	}
	return ctx.Err()
}
